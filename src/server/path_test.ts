import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { isDisguised, spelledPath } from "./path.ts";

Deno.test("the path is what stands between host and query, as it was spelled", () => {
  strictEqual(spelledPath("http://h:1/a/../b?token=x#y"), "/a/../b");
  strictEqual(spelledPath("http://h?x"), "/");
  strictEqual(spelledPath("http://h//evil/x"), "//evil/x");
});

Deno.test("a path that seems to be another one is disguised", () => {
  const tricks = [
    "/../etc/passwd",
    "/a/..",
    "/a/./b",
    "/%2e%2e/x",
    "/.%2E/x",
    "/a/..%2fb",
    "/a%2f..%2fb",
    "/..;/x",
    "/a\\b",
    "/a%5cb",
    "/%252e%252e%252f",
    "/a%00b",
    "/a%0ab",
    "/%",
    "/%zz",
    "/%c0%ae%c0%ae/",
    "/%2525252e",
  ];
  deepStrictEqual(tricks.filter((path) => !isDisguised(path)), []);
});

Deno.test("a path that is what it seems is not", () => {
  const honest = [
    "/",
    "/chat",
    "/a-0123456789ab.js",
    "/x/agent%3Amain%3Amain",
    "/a%2Fb",
    "/é",
    "/a..b",
  ];
  deepStrictEqual(honest.filter(isDisguised), []);
});
