/** A text file line by line, however large it is and however long its lines are. */
import { Refusal } from "./tool.ts";

/** One line, without its ending. */
export interface Line {
  /** From 1. */
  readonly number: number;
  /** At most `MAX_LINE` characters of it. */
  readonly text: string;
  /** Characters that were left out. */
  readonly cut: number;
}

/** Characters that are kept of one line. */
export const MAX_LINE = 2_000;

const CHUNK = 64 * 1024;

/** The lines of an open file. Throws `Refusal` for a file that isn't text. */
export async function* linesOf(
  file: Deno.FsFile,
  { shown, signal }: { shown: string; signal: AbortSignal },
): AsyncGenerator<Line> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(CHUNK);
  let number = 1;
  let line = "";
  let length = 0;
  const add = (text: string) => {
    if (line.length < MAX_LINE) line += text.slice(0, MAX_LINE - line.length);
    length += text.length;
  };
  const take = (): Line => {
    const text = line.endsWith("\r") ? line.slice(0, -1) : line;
    const taken = { number: number++, text, cut: length - line.length };
    line = "";
    length = 0;
    return taken;
  };
  for (let first = true;; first = false) {
    signal.throwIfAborted();
    const read = await file.read(buffer);
    if (read === null) break;
    if (first && buffer.subarray(0, read).includes(0)) {
      throw new Refusal(`'${shown}' is not a text file`);
    }
    const parts = decoder.decode(buffer.subarray(0, read), { stream: true }).split("\n");
    const last = parts.pop() ?? "";
    for (const part of parts) {
      add(part);
      yield take();
    }
    add(last);
  }
  add(decoder.decode());
  if (length > 0) yield take();
}
