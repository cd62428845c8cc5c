/** The line that is being written. */
import type { Key, KeyName } from "./keys.ts";

/** What a key asked for that is not the editor's own business. */
export type Wish =
  | { readonly wish: "submit"; readonly text: string }
  | { readonly wish: "interrupt" }
  | { readonly wish: "escape" }
  | { readonly wish: "leave" }
  | { readonly wish: "redraw" };

/** How many earlier lines the arrow keys go back through. */
const REMEMBERED = 200;

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** A line of text with a cursor in it, and the lines before it. */
export class Editor {
  /** What a person takes for one character each. */
  #characters: readonly string[] = [];
  #cursor = 0;
  readonly #earlier: string[] = [];
  /** How far the arrow keys went back. */
  #back = 0;
  #draft = "";

  get text(): string {
    return this.#characters.join("");
  }

  get beforeCursor(): string {
    return this.#characters.slice(0, this.#cursor).join("");
  }

  clear(): void {
    this.#set("");
  }

  /** Does what the key says. Returns what is left to be done by somebody else. */
  press(key: Key): Wish | undefined {
    if (key.type === "text") {
      this.#replace(this.#cursor, this.#cursor, key.text);
      return undefined;
    }
    return this.#act(key.name);
  }

  #act(name: KeyName): Wish | undefined {
    const cursor = this.#cursor;
    const length = this.#characters.length;
    switch (name) {
      case "enter":
        return this.#submit();
      case "interrupt":
        return { wish: "interrupt" };
      case "escape":
        return { wish: "escape" };
      case "redraw":
        return { wish: "redraw" };
      case "end-of-input":
        if (length === 0) return { wish: "leave" };
        return this.#replace(cursor, cursor + 1);
      case "backspace":
        return this.#replace(cursor - 1, cursor);
      case "delete":
        return this.#replace(cursor, cursor + 1);
      case "delete-word":
        return this.#replace(this.#wordStart(), cursor);
      case "delete-before":
        return this.#replace(0, cursor);
      case "delete-after":
        return this.#replace(cursor, length);
      case "left":
        return this.#moveTo(cursor - 1);
      case "right":
        return this.#moveTo(cursor + 1);
      case "word-left":
        return this.#moveTo(this.#wordStart());
      case "word-right":
        return this.#moveTo(this.#wordEnd());
      case "home":
        return this.#moveTo(0);
      case "end":
        return this.#moveTo(length);
      case "up":
        return this.#recall(this.#back + 1);
      case "down":
        return this.#recall(this.#back - 1);
    }
  }

  #submit(): Wish | undefined {
    const text = this.text.trim();
    this.clear();
    this.#back = 0;
    if (text === "") return undefined;
    if (this.#earlier.at(-1) !== text) this.#earlier.push(text);
    if (this.#earlier.length > REMEMBERED) this.#earlier.shift();
    return { wish: "submit", text };
  }

  #recall(back: number): undefined {
    if (back < 0 || back > this.#earlier.length) return;
    if (this.#back === 0) this.#draft = this.text;
    this.#back = back;
    this.#set(back === 0 ? this.#draft : this.#earlier.at(-back) ?? "");
  }

  #set(text: string): void {
    this.#characters = split(text);
    this.#cursor = this.#characters.length;
  }

  #moveTo(cursor: number): undefined {
    this.#cursor = Math.max(0, Math.min(cursor, this.#characters.length));
  }

  /** Puts a text in the place of the characters from `start` up to `end`, the cursor behind it. */
  #replace(start: number, end: number, text = ""): undefined {
    const from = Math.max(0, start);
    const before = this.#characters.slice(0, from).join("") + text;
    const after = this.#characters.slice(end).join("");
    this.#characters = split(before + after); // a combining mark may join what stands before it
    this.#moveTo(split(before).length);
  }

  #wordStart(): number {
    let i = this.#cursor;
    while (i > 0 && isSpace(this.#characters[i - 1])) i--;
    while (i > 0 && !isSpace(this.#characters[i - 1])) i--;
    return i;
  }

  #wordEnd(): number {
    let i = this.#cursor;
    const { length } = this.#characters;
    while (i < length && isSpace(this.#characters[i])) i++;
    while (i < length && !isSpace(this.#characters[i])) i++;
    return i;
  }
}

function split(text: string): readonly string[] {
  return [...graphemes.segment(text)].map(({ segment }) => segment);
}

function isSpace(character: string | undefined): boolean {
  return character === undefined || /\s/.test(character);
}
