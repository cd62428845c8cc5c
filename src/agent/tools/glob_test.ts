import { strictEqual } from "node:assert/strict";
import { matchesGlob } from "./glob.ts";

const CASES: readonly (readonly [path: string, glob: string, fits: boolean])[] = [
  ["a.md", "*.md", true],
  ["notes/a.md", "*.md", true],
  ["a.mdx", "*.md", false],
  ["a.md", "?.md", true],
  ["ab.md", "?.md", false],
  ["notes/a.md", "notes/*.md", true],
  ["notes/old/a.md", "notes/*.md", false],
  ["notes/old/a.md", "notes/**/*.md", true],
  ["notes/a.md", "notes/**/*.md", true],
  ["notes/old/a.md", "**/a.md", true],
  ["a.md", "**/a.md", true],
  ["notes/old/a.md", "notes/**", true],
  ["other/a.md", "notes/**", false],
  ["a", "**", true],
  ["a[1].md", "a[1].md", true],
  ["A.md", "a.md", false],
];

for (const [path, glob, fits] of CASES) {
  Deno.test(`${glob} ${fits ? "fits" : "does not fit"} ${path}`, () => {
    strictEqual(matchesGlob(path, glob), fits);
  });
}

Deno.test("a glob full of stars takes no longer than another", () => {
  strictEqual(matchesGlob("a".repeat(5_000), `${"a*".repeat(100)}b`), false);
});
