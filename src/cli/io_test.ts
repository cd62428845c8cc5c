import { deepStrictEqual } from "node:assert/strict";
import { processIo } from "./io.ts";

Deno.test("who stops reading standard error ends nothing, and standard output all", () => {
  const { exit, stdout, stderr } = Deno;
  const codes: (number | undefined)[] = [];
  const gone = {
    writeSync(): number {
      throw new Deno.errors.BrokenPipe("Broken pipe (os error 32)");
    },
  };
  const replace = (part: object) => Object.assign(Deno, part);
  const { err, out } = processIo();
  try {
    replace({ exit: (code?: number) => codes.push(code), stdout: gone, stderr: gone });
    err("Cannot connect");
    deepStrictEqual(codes, []);
    out("a line");
    deepStrictEqual(codes, [0]);
  } finally {
    replace({ exit, stdout, stderr });
  }
});
