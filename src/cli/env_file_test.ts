import { deepStrictEqual } from "node:assert/strict";
import { parseEnvFile, readEnvFile } from "./env_file.ts";

Deno.test("an env file gives its variables", () => {
  const text = `# keys
A=1
 B = two words  # not this
export C='single # $A \\n'
D="double \\"quoted\\"\\nand more"
E=
F="over
two lines"
not a line
1X=no
G=a#b\r
`;
  deepStrictEqual(parseEnvFile(text), {
    A: "1",
    B: "two words",
    C: "single # $A \\n",
    D: 'double "quoted"\nand more',
    E: "",
    F: "over\ntwo lines",
    G: "a",
  });
});

Deno.test("no file gives none", () => {
  deepStrictEqual(readEnvFile("/nowhere/.env"), {});
});
