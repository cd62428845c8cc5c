import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { nearest, parseFlags, UsageError, wordsOf } from "./flags.ts";

const FLAGS = {
  all: { kind: "switch", short: "a", about: "" },
  name: { kind: "text", short: "n", value: "text", about: "" },
  mode: { kind: "text", value: "mode", oneOf: ["on", "off"], about: "" },
  limit: { kind: "number", value: "count", min: 1, max: 9, about: "" },
  tag: { kind: "list", value: "text", about: "" },
} as const;

Deno.test("flags have the values that the command line gives them", () => {
  const argv = [
    "x",
    "-a",
    "--name=-n",
    "--mode",
    "on",
    "--limit",
    "9",
    "--tag",
    "1",
    "--tag=2",
    "y",
  ];
  deepStrictEqual(parseFlags(argv, FLAGS), {
    values: { all: true, name: "-n", mode: "on", limit: 9, tag: ["1", "2"] },
    words: ["x", "y"],
  });
});

Deno.test("flags that are not given are off, empty or absent", () => {
  deepStrictEqual(parseFlags([], FLAGS), {
    values: { all: false, name: undefined, mode: undefined, limit: undefined, tag: [] },
    words: [],
  });
});

Deno.test("what follows -- is a word, whatever it looks like", () => {
  const { values, words } = parseFlags(["--", "--all", "-n"], FLAGS);
  deepStrictEqual([values.all, words], [false, ["--all", "-n"]]);
});

Deno.test("flags of others are read over, and their declaration wins", () => {
  const others = { ...FLAGS, limit: { kind: "number", value: "count", about: "" } } as const;
  const { values } = parseFlags(["--limit", "0", "--all"], { limit: FLAGS.limit }, others);
  deepStrictEqual(values, { limit: 0 });
});

for (
  const argv of [
    ["--nmae", "x"],
    ["--toString"],
    ["--name"],
    ["--name", "--all"],
    ["--all=1"],
    ["--mode", "maybe"],
    ["--limit", "0"],
    ["--limit", "10"],
    ["--limit", "1.5"],
    ["--limit", ""],
    ["-x"],
  ]
) {
  Deno.test(`${argv.join(" ")} is refused`, () => {
    throws(() => parseFlags(argv, FLAGS), UsageError);
  });
}

Deno.test("what is said to do about a value that starts with a dash, does it", () => {
  const flags = { name: { ...FLAGS.name, short: "n" } } as const;
  for (const flag of ["-n", "--name"]) {
    throws(() => parseFlags([flag, "-1"], flags), (error: Error) => {
      const [, advised = ""] = /: (\S+)\)$/.exec(error.message) ?? [];
      strictEqual(parseFlags([advised], flags).values.name, "-1");
      return true;
    });
  }
});

Deno.test("words are found between flags and their values", () => {
  deepStrictEqual(wordsOf(["--name", "n", "one", "--unknown", "two"], FLAGS), ["one", "two"]);
});

Deno.test("nearest finds the word that was meant, if it is near", () => {
  const words = ["health", "status", "config"];
  strictEqual(nearest("helth", words), "health");
  strictEqual(nearest("ehalth", words), "health");
  strictEqual(nearest("statuss", words), "status");
  strictEqual(nearest("cnofig", words), "config");
  strictEqual(nearest("dance", words), undefined);
});
