/** Questions to a person at the terminal. */
import type { Io } from "./io.ts";

/** Ends the command as Ctrl-C does. */
export class Interrupted extends Error {
  override readonly name = "AbortError";

  constructor() {
    super("Interrupted");
  }
}

const ENTER = /[\r\n]/;
const INTERRUPT = "\x03";
const END = "\x04";
const ERASE = /[\x7f\b]/;

/**
 * Resolves to what is typed up to Enter, without white space around it. With `hidden` nobody at the
 * screen sees it. Input that is no terminal is read up to the end of its line.
 */
export async function ask(
  io: Pick<Io, "err" | "input" | "raw" | "terminal">,
  question: string,
  { hidden = false }: { hidden?: boolean } = {},
): Promise<string> {
  io.err(`${question}: `);
  using _quiet = hidden && io.terminal.in ? io.raw() : undefined;
  const decoder = new TextDecoder();
  let typed = "";
  for await (const bytes of io.input()) {
    for (const letter of decoder.decode(bytes, { stream: true })) {
      if (letter === INTERRUPT) throw new Interrupted();
      if (ENTER.test(letter) || letter === END) {
        if (hidden) io.err("\n");
        return typed.trim();
      }
      typed = ERASE.test(letter) ? [...typed].slice(0, -1).join("") : typed + letter;
    }
  }
  return typed.trim();
}

/** Resolves to whether a person says yes. */
export async function confirm(
  io: Pick<Io, "err" | "input" | "raw" | "terminal">,
  question: string,
): Promise<boolean> {
  return /^y(es)?$/i.test(await ask(io, `${question} [y/N]`));
}
