/**
 * A WebSocket to the one server that has a certificate, whatever its name and whoever vouches for
 * it. The platform's own trusts every known authority besides, and looks at names.
 */
import { Buffer } from "node:buffer";
import { createHash, randomBytes } from "node:crypto";
import { isIP } from "node:net";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import {
  certificateFingerprint,
  type Fingerprint,
  fingerprintOf,
  isSameFingerprint,
} from "../certificate.ts";
import type { Socket } from "../client/client.ts";
import { closeFrame, FrameError, FrameReader, pongFrame, textFrame } from "./websocket_frames.ts";

/** Which certificate the other side must have. */
export interface Pin {
  readonly fingerprint: Fingerprint;
  /** It and those that vouch for it, in PEM, where they lie here; else the other side is asked. */
  readonly certificates?: string;
}

/** The other side did not prove that it is the one with the pinned certificate. */
export class PinError extends Error {
  override readonly name = "PinError";
}

/** Of one message. */
const MAX_MESSAGE_BYTES = 67_108_864;
/** Of the answer to the upgrade. */
const MAX_HEAD_BYTES = 16_384;
/** How long the other side may take to end what was closed. */
const LINGER_MS = 1_000;

/**
 * Says nothing to the other side before it has proved, over this very connection, that it holds the
 * pinned certificate's key. An `ErrorEvent` whose `error` is a `PinError` says that it did not.
 */
export class PinnedSocket extends EventTarget implements Socket {
  readonly #url: URL;
  readonly #reader = new FrameReader(MAX_MESSAGE_BYTES);
  readonly #attempt = new AbortController();
  readonly #key = randomBytes(16).toString("base64");
  /** What came of the answer to the upgrade, until it is complete. */
  #head: string | undefined = "";
  #socket: TLSSocket | undefined;
  #close: { readonly code: number; readonly reason: string } | undefined;
  #linger: ReturnType<typeof setTimeout> | undefined;

  constructor(url: string, pin: Pin) {
    super();
    this.#url = new URL(url);
    void this.#run(pin);
  }

  send(text: string): void {
    if (this.#head !== undefined) throw new Error("Cannot send: the socket is not open yet");
    if (this.#close === undefined) this.#socket?.write(textFrame(text));
  }

  close(code = 1005, reason = ""): void {
    this.#part(code, reason);
    this.#attempt.abort(new Error("closed by this client")); // of no effect on what is connected
  }

  /** Never rejects. */
  async #run(pin: Pin): Promise<void> {
    try {
      const { signal } = this.#attempt;
      this.#socket = await connectPinned(this.#url, pin, signal);
      this.#socket.write(this.#question());
      for await (const bytes of this.#socket) this.#receive(bytes);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (this.#close === undefined) {
        this.dispatchEvent(new ErrorEvent("error", { message, error }));
      }
    }
    clearTimeout(this.#linger);
    this.#socket?.destroy();
    const { code = 1006, reason = "" } = this.#close ?? {};
    this.#close ??= { code, reason };
    this.dispatchEvent(new CloseEvent("close", { code, reason, wasClean: code !== 1006 }));
  }

  #question(): string {
    const { pathname, search, host } = this.#url;
    return [
      `GET ${pathname}${search} HTTP/1.1`,
      `Host: ${host}`,
      "Upgrade: websocket",
      "Connection: Upgrade",
      "Sec-WebSocket-Version: 13",
      `Sec-WebSocket-Key: ${this.#key}`,
      "\r\n",
    ].join("\r\n");
  }

  #receive(bytes: Uint8Array): void {
    try {
      const frames = this.#head === undefined ? bytes : this.#readHead(this.#head, bytes);
      for (const incoming of this.#reader.push(frames)) {
        if (this.#close !== undefined) return; // after it, nothing is heard
        if (incoming.kind === "close") this.#part(incoming.code, incoming.reason);
        else if (incoming.kind === "ping") this.#socket?.write(pongFrame(incoming.payload));
        else this.dispatchEvent(new MessageEvent("message", { data: incoming.text }));
      }
    } catch (error) {
      if (error instanceof FrameError) this.#part(error.code, error.message);
      throw error;
    }
  }

  /** Takes the answer to the upgrade. Returns the bytes behind it; throws if it is a no. */
  #readHead(before: string, bytes: Uint8Array): Uint8Array {
    const head = before + Buffer.from(bytes).toString("latin1");
    const end = head.indexOf("\r\n\r\n");
    this.#head = head;
    if (end < 0) {
      if (head.length > MAX_HEAD_BYTES) throw new Error("what it sends is no answer");
      return new Uint8Array();
    }
    const [status = "", ...lines] = head.slice(0, end).split("\r\n");
    const accepted = lines.find((line) => /^sec-websocket-accept:/i.test(line));
    if (!status.startsWith("HTTP/1.1 101 ") || accepted?.split(":")[1]?.trim() !== this.#answer()) {
      throw new Error(`no WebSocket there: ${status.slice(0, 100)}`);
    }
    this.#head = undefined;
    this.dispatchEvent(new Event("open"));
    return bytes.subarray(end + 4 - before.length);
  }

  /** What RFC 6455 wants to hear. */
  #answer(): string {
    return createHash("sha1").update(`${this.#key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest("base64");
  }

  /** Says goodbye, once; whoever was first says the code. */
  #part(code: number, reason: string): void {
    if (this.#close !== undefined) return;
    this.#close = { code, reason };
    if (this.#head !== undefined) return void this.#socket?.destroy(); // no place for words yet
    this.#socket?.end(closeFrame(code, reason));
    this.#linger = setTimeout(() => this.#socket?.destroy(), LINGER_MS);
  }
}

/**
 * The certificates that a server shows, its own first, in PEM. It need not have their keys: this
 * tells what to look for, and proves nothing. Rejects where there is no TLS.
 */
export async function shownCertificates(url: URL, signal: AbortSignal): Promise<string> {
  // Without a check the runtime takes a copy of the certificate for its owner.
  const socket = await secured(url, { rejectUnauthorized: false }, signal);
  try {
    const shown: string[] = [];
    let next: Shown = socket.getPeerCertificate(true);
    while (next?.raw !== undefined && shown.length < MAX_CHAIN) {
      const text = pem(next.raw);
      if (shown.includes(text)) break; // one that vouches for itself
      shown.push(text);
      next = next.issuerCertificate;
    }
    return shown.join("");
  } finally {
    socket.destroy();
  }
}

/** The longest chain that is looked at. */
const MAX_CHAIN = 8;

/** What Node's types promise, and older runtimes do not keep. */
interface Certificate {
  readonly raw?: Uint8Array;
  readonly issuerCertificate?: Certificate;
}
type Shown = Certificate | undefined;

async function connectPinned(url: URL, pin: Pin, signal: AbortSignal): Promise<TLSSocket> {
  const { fingerprint } = pin;
  const ca = pin.certificates ?? await shownCertificates(url, signal).catch(doubt);
  expectPinned(certificateFingerprint(ca), fingerprint);
  // A name says nothing here: the key is the identity.
  const options = { ca, checkServerIdentity: () => undefined };
  const socket = await secured(url, options, signal).catch(doubt);
  try {
    // It has the key of its certificate, which a known authority may have given to another.
    expectPinned(fingerprintOf(rawOf(socket) ?? new Uint8Array()), fingerprint);
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/** Throws what it is given, as a `PinError` where that speaks of a certificate. */
function doubt(cause: unknown): never {
  if (!(cause instanceof Error) || !/certificate/i.test(cause.message)) throw cause;
  throw new PinError(`it does not prove to be the pinned one: ${cause.message}`, { cause });
}

function expectPinned(seen: Fingerprint, pinned: Fingerprint): void {
  if (isSameFingerprint(seen, pinned)) return;
  throw new PinError(`its certificate is ${seen}, and ${pinned} is pinned`);
}

/** A connection over which both sides agreed on keys. */
function secured(
  { protocol, hostname, port }: URL,
  options: ConnectionOptions,
  signal: AbortSignal,
): Promise<TLSSocket> {
  signal.throwIfAborted();
  const host = hostname.replace(/^\[|\]$/g, "");
  const servername = isIP(host) === 0 ? { servername: host } : {};
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
  const defaultPort = protocol === "ws:" ? 80 : 443;
  const socket = connect({ host, port: Number(port || defaultPort), ...servername, ...options });
  const abort = () => socket.destroy(asError(signal.reason));
  signal.addEventListener("abort", abort);
  socket.setNoDelay(true);
  socket.on("error", reject); // for good, as one that nobody hears ends the program
  socket.once("close", () => reject(new Error("closed while keys were agreed on")));
  socket.once("secureConnect", () => {
    // Deno 2.6 says it before it knows; then the error is still to come.
    if (rawOf(socket) !== undefined) resolve(socket);
  });
  return promise.finally(() => signal.removeEventListener("abort", abort));
}

function rawOf(socket: TLSSocket): Uint8Array | undefined {
  const certificate: Shown = socket.getPeerCertificate();
  return certificate?.raw;
}

function pem(der: Uint8Array): string {
  const lines = Buffer.from(der).toString("base64").match(/.{1,64}/g) ?? [];
  return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n");
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
