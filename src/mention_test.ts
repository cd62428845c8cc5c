import { strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { mentionPattern, mentionsName } from "./mention.ts";

function matches(source: string, text: string): boolean | string {
  const pattern = mentionPattern(source);
  return "fault" in pattern ? pattern.fault : pattern.matches(text);
}

Deno.test("a pattern is tried in either case, past invisible characters and runs of spaces", () => {
  strictEqual(matches("\\bclaw\\b", "hey CLAW!"), true);
  strictEqual(matches("(?i)claw", "Claw"), true);
  strictEqual(matches("@?open\\s*claw", "@Open \n  Cl\u200baw"), true);
  strictEqual(matches("\\bclaw\\b", "clawed"), false);
  strictEqual(matches("claw", `${"x ".repeat(400)}claw`), false); // only the beginning counts
});

Deno.test("a pattern that could take for ever, or is none, is refused", () => {
  for (
    const source of [
      "(a+)+$",
      "(a|aa)+b",
      "(?:a?){20}",
      "(.*)\\1",
      "a*b*c*d",
      "(x+x+)+y",
      "(\\(|a)*",
      "([a-z]+)*!",
      "((a|b))+",
      "a{1,900}b{1,900}c{1,900}",
      "[",
      "x".repeat(201),
    ]
  ) strictEqual(typeof matches(source, "a"), "string", source);
  for (
    const source of ["a+b+", "x(y|z)?", "((a))*", "[(|*+]{1,3}", "\\(a\\|b\\)+", "^bot[,:]\\s*"]
  ) {
    strictEqual(typeof matches(source, "a"), "boolean", source);
  }
});

Deno.test("whatever pattern is accepted, no text keeps it busy", () => {
  const piece = fc.constantFrom(
    "a",
    "b",
    ".",
    "\\w",
    "(",
    ")",
    "|",
    "*",
    "+",
    "?",
    "{2,}",
    "[ab]",
    "\\s",
  );
  const text = fc.constantFrom("a".repeat(400), "ab".repeat(200), `${" a".repeat(200)}!`);
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), text, (pieces, text) => {
      matches(pieces.join(""), text); // one that were tried for ever would never return
    }),
    { numRuns: 300 },
  );
});

Deno.test("a name is found whole, with or without an @", () => {
  strictEqual(mentionsName("hello @Clawd, are you there", "Clawd"), true);
  strictEqual(mentionsName("hello clawd", "Clawd"), true);
  strictEqual(mentionsName("clawdia", "Clawd"), false);
  strictEqual(mentionsName("my claw d", "Claw D"), true);
  strictEqual(mentionsName("a+b? (x)", "b? (x)"), true);
  strictEqual(mentionsName("anything", " "), false);
});
