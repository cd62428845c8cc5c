import { deepStrictEqual } from "node:assert/strict";
import { Editor, type Wish } from "./editor.ts";
import type { Key, KeyName } from "./keys.ts";

const NAMES: ReadonlySet<string> = new Set<KeyName>([
  "enter",
  "backspace",
  "delete",
  "left",
  "right",
  "word-left",
  "word-right",
  "up",
  "down",
  "home",
  "end",
  "delete-word",
  "delete-before",
  "delete-after",
  "end-of-input",
  "interrupt",
]);

/** Presses keys; what is no key's name is typed. */
function type(editor: Editor, ...keys: readonly string[]): readonly (Wish | undefined)[] {
  const isName = (key: string): key is KeyName => NAMES.has(key);
  return keys.map((key) => {
    const pressed: Key = isName(key) ? { type: "press", name: key } : { type: "text", text: key };
    return editor.press(pressed);
  }).filter((wish) => wish !== undefined);
}

function after(...keys: readonly string[]): readonly [text: string, beforeCursor: string] {
  const editor = new Editor();
  type(editor, ...keys);
  return [editor.text, editor.beforeCursor];
}

Deno.test("text goes in at the cursor", () => {
  deepStrictEqual(after("ac", "left", "b"), ["abc", "ab"]);
  deepStrictEqual(after("b", "home", "a", "end", "c"), ["abc", "abc"]);
  deepStrictEqual(after("a", "left", "left", "right", "right"), ["a", "a"]);
});

Deno.test("what a person takes for one character is one", () => {
  deepStrictEqual(after("a👩‍👧", "backspace"), ["a", "a"]);
  deepStrictEqual(after("e", "\u0301", "x", "left", "backspace"), ["x", ""]);
});

Deno.test("characters, words and lines are deleted", () => {
  deepStrictEqual(after("abc", "backspace"), ["ab", "ab"]);
  deepStrictEqual(after("abc", "home", "delete"), ["bc", ""]);
  deepStrictEqual(after("abc", "home", "end-of-input"), ["bc", ""]);
  deepStrictEqual(after("one two  ", "delete-word"), ["one ", "one "]);
  deepStrictEqual(after("one two", "word-left", "delete-before"), ["two", ""]);
  deepStrictEqual(after("one two", "home", "word-right", "delete-after"), ["one", "one"]);
});

Deno.test("enter submits, and leaves an empty line", () => {
  const editor = new Editor();
  deepStrictEqual(type(editor, " hi ", "enter", "enter"), [{ wish: "submit", text: "hi" }]);
  deepStrictEqual(editor.text, "");
});

Deno.test("the arrows go back through what was submitted, and forth to the draft", () => {
  const editor = new Editor();
  type(editor, "one", "enter", "two", "enter", "two", "enter", "dra");
  const seen = ["up", "up", "up", "down", "down", "down"].map((key) => {
    type(editor, key);
    return editor.text;
  });
  deepStrictEqual(seen, ["two", "one", "one", "two", "dra", "dra"]);
});

Deno.test("an empty line can be left", () => {
  deepStrictEqual(type(new Editor(), "end-of-input"), [{ wish: "leave" }]);
  deepStrictEqual(type(new Editor(), "a", "interrupt"), [{ wish: "interrupt" }]);
});
