/** What a terminal in raw mode sends, as keys. */

export type Key =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "press"; readonly name: KeyName };

export type KeyName =
  | "enter"
  | "backspace"
  | "delete"
  | "left"
  | "right"
  | "word-left"
  | "word-right"
  | "up"
  | "down"
  | "home"
  | "end"
  | "delete-word"
  | "delete-before"
  | "delete-after"
  | "redraw"
  | "interrupt"
  | "end-of-input"
  | "escape";

/** Asks the terminal to mark what is pasted, and to stop doing so. */
export const MARK_PASTES = "\x1b[?2004h";
export const UNMARK_PASTES = "\x1b[?2004l";

const PASTE_START = "\x1b[200~";
const PASTE_END = "\x1b[201~";

const CONTROLS: Readonly<Record<string, KeyName>> = {
  "\r": "enter",
  "\n": "enter",
  "\x7f": "backspace",
  "\b": "backspace",
  "\x01": "home",
  "\x02": "left",
  "\x03": "interrupt",
  "\x04": "end-of-input",
  "\x05": "end",
  "\x06": "right",
  "\x0b": "delete-after",
  "\x0c": "redraw",
  "\x0e": "down",
  "\x10": "up",
  "\x15": "delete-before",
  "\x17": "delete-word",
};

const SEQUENCES: Readonly<Record<string, KeyName>> = {
  "[A": "up",
  "[B": "down",
  "[C": "right",
  "[D": "left",
  "OA": "up",
  "OB": "down",
  "OC": "right",
  "OD": "left",
  "[H": "home",
  "[F": "end",
  "OH": "home",
  "OF": "end",
  "[1~": "home",
  "[4~": "end",
  "[3~": "delete",
  "[1;5C": "word-right",
  "[1;5D": "word-left",
  "[1;3C": "word-right",
  "[1;3D": "word-left",
  "f": "word-right",
  "b": "word-left",
  "\x7f": "delete-word",
};

/** Reads keys out of bytes, which may end in the middle of a character or a paste. */
export class KeyReader {
  readonly #decoder = new TextDecoder();
  #paste: string | undefined;

  /** The keys in the bytes. Keys that mean nothing here are left out. */
  read(bytes: Uint8Array): readonly Key[] {
    const keys: Key[] = [];
    let rest = this.#decoder.decode(bytes, { stream: true });
    while (rest !== "") {
      if (this.#paste !== undefined) {
        rest = this.#readPaste(rest, keys);
      } else if (rest.startsWith(PASTE_START)) {
        this.#paste = "";
        rest = rest.slice(PASTE_START.length);
      } else if (rest.startsWith("\x1b")) {
        const [sequence = "", name] = escapeAt(rest);
        if (name !== undefined) keys.push({ type: "press", name });
        rest = rest.slice(sequence.length + 1);
      } else {
        rest = readPlain(rest, keys);
      }
    }
    return keys;
  }

  #readPaste(rest: string, keys: Key[]): string {
    // The end mark itself may come in two pieces.
    const pasted = `${this.#paste ?? ""}${rest}`;
    const end = pasted.indexOf(PASTE_END);
    if (end < 0) {
      this.#paste = pasted;
      return "";
    }
    this.#paste = undefined;
    const text = pasted.slice(0, end).replace(/\r\n?/g, "\n").replace(UNPRINTABLE, "");
    if (text !== "") keys.push({ type: "text", text });
    return pasted.slice(end + PASTE_END.length);
  }
}

// deno-lint-ignore no-control-regex
const UNPRINTABLE = /[\x00-\x08\x0b-\x1f\x7f]/g;

/** The sequence after an escape character, and the key that it is. */
function escapeAt(text: string): readonly [sequence: string, name: KeyName | undefined] {
  // deno-lint-ignore no-control-regex
  const [sequence] = /^(?:\[[0-?]*[ -/]*[@-~]|O[A-Z]|[^\x1b])?/.exec(text.slice(1)) ?? [""];
  return [sequence, sequence === "" ? "escape" : SEQUENCES[sequence]];
}

function readPlain(rest: string, keys: Key[]): string {
  // deno-lint-ignore no-control-regex
  const [text = ""] = /^[^\x00-\x1f\x7f]*/.exec(rest) ?? [];
  if (text !== "") {
    keys.push({ type: "text", text });
    return rest.slice(text.length);
  }
  const name = CONTROLS[rest.charAt(0)];
  if (name !== undefined) keys.push({ type: "press", name });
  return rest.slice(1);
}
