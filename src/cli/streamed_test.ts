import { strictEqual } from "node:assert/strict";
import { Streamed } from "./streamed.ts";

Deno.test("a growing text is printed once", () => {
  const streamed = new Streamed();
  strictEqual(streamed.next("Hel", "Hel"), "Hel");
  strictEqual(streamed.next("Hello", "lo"), "lo");
  strictEqual(streamed.next("Hello", ""), "");
  strictEqual(streamed.lineEnd, "\n");
});

Deno.test("what was missed is made up for", () => {
  const streamed = new Streamed();
  streamed.next("one", "one");
  strictEqual(streamed.next("one two three", " three"), " two three");
});

Deno.test("a new text begins apart, also one that starts like the old one", () => {
  const streamed = new Streamed();
  streamed.next("A", "A");
  strictEqual(streamed.next("And", "And"), "\n\nAnd");
});

Deno.test("a last word that only lost its white space prints nothing", () => {
  const streamed = new Streamed();
  streamed.next("done\n", "done\n");
  strictEqual(streamed.next("done", ""), "");
  strictEqual(streamed.lineEnd, "");
});

Deno.test("a text that comes whole is printed", () => {
  const streamed = new Streamed();
  strictEqual(streamed.next("all at once\x1b[2J", ""), "all at once[2J");
  strictEqual(streamed.started, true);
});
