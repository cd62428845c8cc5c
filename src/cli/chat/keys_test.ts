import { deepStrictEqual } from "node:assert/strict";
import { type Key, KeyReader } from "./keys.ts";

const text = (text: string): Key => ({ type: "text", text });
const press = (name: (Key & { type: "press" })["name"]): Key => ({ type: "press", name });

/** The keys in texts that come one after another. */
function keysIn(...pieces: readonly string[]): readonly Key[] {
  const reader = new KeyReader();
  return pieces.flatMap((piece) => [...reader.read(new TextEncoder().encode(piece))]);
}

Deno.test("letters are text, and controls are keys", () => {
  deepStrictEqual(keysIn("hi\r\x7f\x03\x04a"), [
    text("hi"),
    press("enter"),
    press("backspace"),
    press("interrupt"),
    press("end-of-input"),
    text("a"),
  ]);
});

Deno.test("escape sequences are keys, and unknown ones are nothing", () => {
  deepStrictEqual(keysIn("\x1b[A\x1b[3~\x1bOH\x1b[1;5D\x1bb\x1b[200;9X\x1b[<0;1;1Mx"), [
    press("up"),
    press("delete"),
    press("home"),
    press("word-left"),
    press("word-left"),
    text("x"),
  ]);
  deepStrictEqual(keysIn("\x1b"), [press("escape")]);
});

Deno.test("what is pasted is text, line ends and all, even in pieces", () => {
  deepStrictEqual(keysIn("\x1b[200~one\r\ntwo\rthree\x03\x1b[A", "four\x1b[20", "1~x"), [
    text("one\ntwo\nthree[Afour"),
    text("x"),
  ]);
});

Deno.test("a character may come in two pieces", () => {
  const reader = new KeyReader();
  const bytes = new TextEncoder().encode("日");
  deepStrictEqual(reader.read(bytes.subarray(0, 2)), []);
  deepStrictEqual(reader.read(bytes.subarray(2)), [text("日")]);
});
