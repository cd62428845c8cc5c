import { strictEqual } from "node:assert/strict";
import { failureAsText } from "./failure.ts";

Deno.test("what the system refuses is one line, and a bug says where it is", () => {
  const text = (error: unknown) => failureAsText(error, (text) => text);
  strictEqual(
    text(new Error("No space left on device (os error 28): write '/x'")),
    "error: No space left on device (os error 28): write '/x'\n",
  );
  strictEqual(text(new TypeError("x is not a function")).includes("failure_test.ts"), true);
});
