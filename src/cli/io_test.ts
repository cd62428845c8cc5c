import { deepStrictEqual, strictEqual } from "node:assert/strict";
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

Deno.test("a terminal that does not know its size is as wide as terminals are", () => {
  const { consoleSize } = Deno;
  const { columns } = processIo();
  try {
    Object.assign(Deno, { consoleSize: () => ({ columns: 0, rows: 0 }) });
    strictEqual(columns(), 80);
  } finally {
    Object.assign(Deno, { consoleSize });
  }
});

Deno.test("a stream that is full for now gets all of it", () => {
  const { stdout } = Deno;
  const { out } = processIo();
  let written = "";
  let isFull = false;
  const slow = {
    writeSync(bytes: Uint8Array): number {
      isFull = !isFull;
      if (isFull) {
        throw new Deno.errors.WouldBlock("Resource temporarily unavailable (os error 11)");
      }
      written += new TextDecoder().decode(bytes.subarray(0, 3));
      return Math.min(3, bytes.length);
    },
  };
  try {
    Object.assign(Deno, { stdout: slow });
    out("all of it\n");
    strictEqual(written, "all of it\n");
  } finally {
    Object.assign(Deno, { stdout });
  }
});
