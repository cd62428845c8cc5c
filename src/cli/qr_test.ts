import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { FakeGateway, Refuse } from "../client/fake_gateway.ts";
import { run } from "./cli.ts";
import { FakeIo } from "./fake_io.ts";
import { ascii, png } from "./qr_code.ts";

const NOW = 1_000_000_000_000;
const MADE = {
  setupId: "s",
  setupCode: "the-setup-code",
  expiresAtMs: NOW + 600_000,
  gatewayUrl: "wss://gw.example",
  urlSource: "request.publicUrl",
  auth: "token",
  access: "full",
};

/** Runs `qr …` against a gateway that answers so. */
async function ask(argv: readonly string[], made: () => unknown = () => MADE) {
  await using gateway = new FakeGateway({ answers: { "device.pair.setupCode": made } });
  const io = new FakeIo({ env: { OPENCLAW_STATE_DIR: "/nowhere" }, now: NOW });
  const code = await run(["qr", ...argv, "--url", gateway.url, "--token", "secret"], io);
  const asked = gateway.requests.find(({ method }) => method === "device.pair.setupCode")?.params;
  const scopes = gateway.connects.at(-1)?.scopes;
  return { code, stdout: io.stdout, stderr: io.stderr, asked, scopes };
}

Deno.test("qr draws a code that works for one device, and says what it allows", async () => {
  const { code, stdout, asked, scopes } = await ask(["--public-url", "wss://gw.example"]);
  deepStrictEqual([code, scopes], [0, ["operator.admin"]]);
  deepStrictEqual(asked, { includeQr: false, publicUrl: "wss://gw.example" });
  strictEqual(
    stdout,
    `${ascii(MADE.setupCode, { colours: false })}
Code     the-setup-code
Gateway  wss://gw.example (request.publicUrl)
Allows   everything, administering the gateway as well
Works    for one device, within 10m
`,
  );
});

Deno.test("qr prints the code alone, or all of it as JSON", async () => {
  strictEqual((await ask(["--setup-code-only"])).stdout, "the-setup-code\n");
  deepStrictEqual(JSON.parse((await ask(["--json", "--setup-code-only"])).stdout), MADE);
  match((await ask(["--no-ascii"])).stdout, /^Code {5}the-setup-code\n/);
});

Deno.test("qr asks for what the device is to be", async () => {
  for (const profile of ["limited", "node", "voice-node"]) {
    const { asked } = await ask([`--${profile}`]);
    deepStrictEqual(asked, { includeQr: false, bootstrapProfile: profile });
  }
  deepStrictEqual((await ask(["--remote"])).asked, { includeQr: false, preferRemoteUrl: true });
  const both = await ask(["--limited", "--node"]);
  deepStrictEqual([both.code, both.asked], [2, undefined]);
  match(both.stderr, /--limited and --node exclude each other/);
});

Deno.test("qr says that an address in clear gives no administration", async () => {
  const { stdout } = await ask([], () => ({ ...MADE, access: "limited", accessDowngraded: true }));
  match(stdout, /Allows {3}using the agent.*\n.*\nNo administration: .* can be read on the way\n$/);
});

Deno.test("qr fails, and says what to do, where only this machine reaches the gateway", async () => {
  const { code, stdout, stderr } = await ask([], () => {
    throw new Refuse({
      code: "INVALID_REQUEST",
      message: "the gateway is reachable from its own machine only",
      details: { code: "NOT_REACHABLE" },
    });
  });
  deepStrictEqual([code, stdout], [1, ""]);
  match(stderr, /Cannot make a setup code: .*own machine only\n.*gateway\.bind lan.*--public-url/);
});

Deno.test("qr puts the gateway's own secret into a code only when that is asked for", async () => {
  const { stdout } = await ask(["--json"]);
  ok(!stdout.includes("secret") && !stdout.includes(Buffer.from("secret").toString("base64url")));
  const legacy = await ask(["--legacy", "--setup-code-only"]);
  const spelled = JSON.parse(Buffer.from(legacy.stdout.trim(), "base64url").toString());
  deepStrictEqual(spelled, { url: "wss://gw.example", token: "secret" });
  match(legacy.stderr, /holds the gateway's own secret/);
});

Deno.test("qr puts that secret into a code for old apps which the gateway lets in by", async () => {
  const made = () => ({ ...MADE, auth: "password" });
  const argv = ["--legacy", "--setup-code-only"];
  const { stdout } = await ask([...argv, "--password", "open sesame"], made);
  const spelled = JSON.parse(Buffer.from(stdout.trim(), "base64url").toString());
  deepStrictEqual(spelled, { url: "wss://gw.example", password: "open sesame" });
  const unknown = await ask(argv, made);
  deepStrictEqual([unknown.code, unknown.stdout], [1, ""]);
  match(unknown.stderr, /the gateway's password is not known\n.*give --password/);
});

Deno.test("qr writes a picture for its owner's eyes", async () => {
  const folder = await Deno.makeTempDir({ prefix: "openclaw-test-" });
  try {
    const path = `${folder}/code.png`;
    await Deno.writeTextFile(path, "old", { mode: 0o644 });
    strictEqual((await ask(["--png", path, "--no-ascii"])).code, 0);
    deepStrictEqual(await Deno.readFile(path), await png(MADE.setupCode));
    if (Deno.build.os !== "windows") strictEqual((await Deno.stat(path)).mode! & 0o777, 0o600);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a code is drawn with a light rim, dark on light where there are colours", () => {
  const lines = ascii("x", { colours: false }).trimEnd().split("\n");
  deepStrictEqual([lines.length, lines[0]], [13, "█".repeat(25)]);
  ok(lines.every((line) => line.length === 25 && line.startsWith("██") && line.endsWith("██")));
  ok(ascii("x", { colours: true }).startsWith(`\x1b[97;40m${"█".repeat(25)}\x1b[0m\n`));
});

Deno.test("the picture is a PNG", async () => {
  const bytes = await png("x".repeat(300));
  deepStrictEqual([...bytes.subarray(1, 4)], [..."PNG"].map((letter) => letter.charCodeAt(0)));
});
