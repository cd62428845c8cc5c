/** Reads `multipart/form-data` as it arrives: a file is counted and hashed, never held whole. */
import { Buffer } from "node:buffer";
import { createHash, type Hash } from "node:crypto";

/** A field or a file of a form. */
export interface FormPart {
  readonly name: string;
  /** Only a file has one. */
  readonly filename?: string;
  readonly type?: string;
  /** Bytes. */
  readonly size: number;
  readonly sha256: string;
  /** The first 64 KiB of it. */
  readonly text: string;
}

/** Resolves to the parts in their order; rejects where the body is no form, or breaks off. */
export async function readForm(request: Request): Promise<readonly FormPart[]> {
  const boundary = /boundary="?([^";]+)"?/.exec(request.headers.get("content-type") ?? "")?.[1];
  if (boundary === undefined || request.body === null) throw new Error("it is not a form");
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  const parts: FormPart[] = [];
  let rest = Buffer.from("\r\n"); // so that the first delimiter looks like the others
  let part: OpenPart | undefined;
  for await (const chunk of request.body) {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      if (part === undefined) {
        const end = rest.indexOf("\r\n\r\n");
        if (end < 0) break;
        part = new OpenPart(rest.subarray(delimiter.length, end).toString());
        rest = rest.subarray(end + 4);
      }
      const end = rest.indexOf(delimiter);
      if (end < 0) {
        const safe = Math.max(0, rest.length - delimiter.length);
        part.add(rest.subarray(0, safe));
        rest = rest.subarray(safe);
        break;
      }
      part.add(rest.subarray(0, end));
      parts.push(part.close());
      part = undefined;
      rest = rest.subarray(end);
    }
  }
  if (part !== undefined || !rest.includes(`--${boundary}--`)) {
    throw new Error("the form broke off");
  }
  return parts;
}

const SHOWN = 64 * 1024;

class OpenPart {
  readonly #head: string;
  readonly #hash: Hash = createHash("sha256");
  readonly #shown: Buffer[] = [];
  #size = 0;

  constructor(head: string) {
    this.#head = head;
  }

  add(bytes: Buffer): void {
    if (this.#size < SHOWN) this.#shown.push(Buffer.from(bytes.subarray(0, SHOWN - this.#size)));
    this.#size += bytes.length;
    this.#hash.update(bytes);
  }

  close(): FormPart {
    const parameter = (name: string) => {
      const match = new RegExp(`;\\s*${name}=(?:"([^"]*)"|([^;\\r\\n]*))`, "i").exec(this.#head);
      return match === null ? undefined : match[1] ?? match[2];
    };
    const filename = parameter("filename");
    const type = /content-type:\s*([^\r\n]+)/i.exec(this.#head)?.[1];
    return {
      name: parameter("name") ?? "",
      ...(filename === undefined ? {} : { filename }),
      ...(type === undefined ? {} : { type }),
      size: this.#size,
      sha256: this.#hash.digest("hex"),
      text: Buffer.concat(this.#shown).toString(),
    };
  }
}
