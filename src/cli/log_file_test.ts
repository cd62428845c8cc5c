import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import type { LogLevel } from "../log.ts";
import { type LogFile, openLog } from "./log_file.ts";

Deno.test("a line is JSON with time, level, part and facts", async () => {
  await using house = await open();
  house.log.part("pairing").info("A device was paired", { deviceId: "d1" });
  const { time, ...line } = house.lines()[0] ?? {};
  match(String(time), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  deepStrictEqual(line, {
    level: "info",
    part: "pairing",
    message: "A device was paired",
    deviceId: "d1",
  });
});

Deno.test("the file gets what is important enough for it, and people what is for them", async () => {
  await using house = await open({ level: "info", shown: "warn" });
  for (const level of ["debug", "info", "warn", "error"] as const) {
    house.log[level](`about ${level}`);
  }
  deepStrictEqual(house.lines().map(({ level }) => level), ["info", "warn", "error"]);
  deepStrictEqual(house.printed, ["warn: about warn", "error: about error"]);
});

Deno.test("the cause of a failure is kept with its stack", async () => {
  await using house = await open();
  house.log.error("It failed", { cause: new TypeError("no such thing") });
  house.log.error("It failed again", { cause: "a string" });
  const [first, second] = house.lines();
  match(String(first?.cause), /^TypeError: no such thing\n\s+at /);
  strictEqual(second?.cause, "a string");
});

Deno.test("secrets are masked, whoever logs them and however", async () => {
  await using house = await open({ shown: "info" });
  const secret = "hunter2hunter2";
  house.log.info(`token=${secret} password: ${secret} Authorization: Bearer ${secret}`);
  house.log.info(`body {"apiKey":"${secret}","gatewayToken": "${secret}"}`, {
    token: secret,
    "api-key": secret,
    nested: { password: secret, text: JSON.stringify({ secret }) },
    cause: new Error(`refused: {"api_key":"${secret}"}`),
  });
  house.log.info("key sk-ant-0123456789abcdef");
  const text = house.text();
  ok(!text.includes(secret), text);
  ok(!text.includes("0123456789abcdef"), text);
  ok(!house.printed.join().includes(secret), house.printed.join());
  strictEqual(house.lines().length, 3);
});

Deno.test("what only sounds like a secret is left alone", async () => {
  await using house = await open();
  house.log.info("the token was rotated", { maxTokens: 128000, tokens: "input: 5" });
  const [line] = house.lines();
  deepStrictEqual([line?.message, line?.maxTokens, line?.tokens], [
    "the token was rotated",
    128000,
    "input: 5",
  ]);
});

Deno.test("the file is for its owner only, also when it was open to others", async () => {
  if (Deno.build.os === "windows") return;
  await using house = await open({ before: "" });
  strictEqual((await Deno.stat(house.path)).mode! & 0o777, 0o600);
});

Deno.test("a file that would get too large is put aside", async () => {
  await using house = await open({ before: "x".repeat(20 * 1024 * 1024 - 10) });
  house.log.info("one");
  house.log.info("two");
  deepStrictEqual(house.lines().map(({ message }) => message), ["one", "two"]);
  strictEqual((await Deno.stat(`${house.path}.1`)).size, 20 * 1024 * 1024 - 10);
});

Deno.test("the reader reads any part of the file, and no more than there is", async () => {
  await using house = await open({ before: "0123456789" });
  const { reader } = house;
  strictEqual(await reader.size(), 10);
  const read = async (from: number, maxBytes: number) => {
    const { bytes, size } = await reader.read(from, maxBytes);
    return [new TextDecoder().decode(bytes), size];
  };
  deepStrictEqual(await read(2, 3), ["234", 10]);
  deepStrictEqual(await read(8, 100), ["89", 10]);
  deepStrictEqual(await read(50, 100), ["", 10]);
  strictEqual(reader.file, house.path);
  await Deno.remove(house.path);
  await rejects(reader.size(), Deno.errors.NotFound);
});

interface House extends LogFile, AsyncDisposable {
  readonly path: string;
  readonly printed: readonly string[];
  text(): string;
  lines(): readonly Record<string, unknown>[];
}

/** A log in a folder of its own. */
async function open(
  { level = "debug", shown = "error", before }: {
    level?: LogLevel;
    shown?: LogLevel;
    before?: string;
  } = {},
): Promise<House> {
  const folder = await Deno.makeTempDir({ prefix: "openclaw-log-" });
  const path = `${folder}/gateway.log`;
  if (before !== undefined) await Deno.writeTextFile(path, before, { mode: 0o644 });
  const printed: string[] = [];
  const file = openLog(path, { level, shown, print: (line) => printed.push(line) });
  const text = () => Deno.readTextFileSync(path);
  return {
    ...file,
    path,
    printed,
    text,
    lines: () => text().trim().split("\n").map((line) => JSON.parse(line)),
    async [Symbol.asyncDispose]() {
      file[Symbol.dispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

Deno.test("a full disk is said once, and throws at nobody who logs", async () => {
  const folder = await Deno.makeTempDir();
  const printed: string[] = [];
  const print = (line: string) => printed.push(line);
  using house = openLog(`${folder}/log`, { level: "info", shown: "error", print });
  const { writeSync } = Deno.FsFile.prototype;
  Deno.FsFile.prototype.writeSync = () => {
    throw new Error("No space left on device (os error 28)");
  };
  try {
    house.log.info("something happened");
    house.log.warn("something went wrong");
  } finally {
    Deno.FsFile.prototype.writeSync = writeSync;
  }
  strictEqual(printed.length, 1);
  match(printed[0] ?? "", /^error: The log can't be written: .*No space left/);
  house.log.info("there is room again");
  match(await Deno.readTextFile(`${folder}/log`), /there is room again/);
  await Deno.remove(folder, { recursive: true });
});
