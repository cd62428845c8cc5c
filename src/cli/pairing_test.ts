import { deepStrictEqual, doesNotMatch, match, strictEqual } from "node:assert/strict";
import { FakeGateway } from "../client/fake_gateway.ts";
import { run } from "./cli.ts";
import { FakeIo } from "./fake_io.ts";

const NOW = Date.parse("2026-01-02T12:00:00Z");
const ADA = {
  requestId: "ABCD2345",
  channel: "telegram",
  channelLabel: "Telegram",
  accountId: "default",
  senderId: "77",
  senderLabel: "Ada",
  createdAt: "2026-01-02T11:50:00.000Z",
  lastSeenAt: "2026-01-02T11:55:00.000Z",
  expiresAt: "2026-01-02T12:50:00.000Z",
  notifySupported: true,
};
const LIMITS = { pendingPerAccount: 3, ttlMs: 3_600_000 };

async function ask(
  argv: readonly string[],
  { requests = [ADA], hasOwner = false }: { requests?: readonly typeof ADA[]; hasOwner?: boolean } =
    {},
) {
  await using gateway = new FakeGateway({
    answers: {
      "channels.pairing.list": () => ({
        accounts: [],
        requests,
        commandOwnerConfigured: hasOwner,
        limits: LIMITS,
      }),
      "channels.pairing.approve": () => ({
        requestId: "ABCD2345",
        senderId: "77",
        notification: "unsupported",
        commandOwnerBootstrap: hasOwner ? "not-requested" : "configured",
      }),
      "channels.pairing.dismiss": () => ({ requestId: "ABCD2345", senderId: "77" }),
    },
  });
  const io = new FakeIo({ env: { OPENCLAW_STATE_DIR: "/nowhere" }, now: NOW });
  const code = await run([...argv, "--url", gateway.url, "--token", "t"], io);
  return {
    code,
    stdout: io.stdout,
    stderr: io.stderr,
    asked: gateway.requests.filter(({ method }) => method !== "connect"),
    scopes: gateway.connects.at(-1)?.scopes,
  };
}

Deno.test("pairing list shows who waits, and with which code", async () => {
  const { code, stdout, asked, scopes } = await ask(["pairing", "list", "telegram"]);
  strictEqual(code, 0);
  deepStrictEqual(asked, [{ method: "channels.pairing.list", params: { channel: "telegram" } }]);
  deepStrictEqual(scopes, ["operator.pairing"]);
  match(stdout, /ABCD2345\s+Telegram\s+default\s+Ada\s+77\s+10m ago/);
  strictEqual((await ask(["pairing"], { requests: [] })).stdout, "Nobody waits\n");
});

Deno.test("a stranger's name steers no terminal, as JSON neither", async () => {
  const senderLabel = "Ada\x9b2J\u202e";
  for (const json of [[], ["--json"]]) {
    const { stdout } = await ask(["pairing", ...json], { requests: [{ ...ADA, senderLabel }] });
    match(stdout, /Ada/);
    doesNotMatch(stdout, /[\x80-\x9f\u202e]/);
  }
});

Deno.test("pairing approve takes the code alone or behind the network, in either case", async () => {
  for (const words of [["abcd2345"], ["telegram", "ABCD2345"]]) {
    const { code, stdout, asked } = await ask(["pairing", "approve", ...words]);
    strictEqual(code, 0);
    deepStrictEqual(asked.at(-1), {
      method: "channels.pairing.approve",
      params: {
        channel: "telegram",
        accountId: "default",
        requestId: "ABCD2345",
        notify: false,
        bootstrapCommandOwner: true,
      },
    });
    strictEqual(
      stdout,
      "Ada (77) may write to the agent on telegram, and use commands everywhere\n",
    );
  }
});

Deno.test("pairing approve names no second owner, and says who could not be told", async () => {
  const { stdout, asked } = await ask(["pairing", "approve", "ABCD2345", "--notify"], {
    hasOwner: true,
  });
  const [, approval] = asked;
  match(JSON.stringify(approval?.params), /"notify":true,"bootstrapCommandOwner":false/);
  strictEqual(stdout, "Ada (77) may write to the agent on telegram; they could not be told\n");
});

Deno.test("pairing approve and dismiss know no code that nobody was told", async () => {
  for (const verb of ["approve", "dismiss"]) {
    const { code, stderr, asked } = await ask(["pairing", verb, "telegram", "WXYZ6789"]);
    strictEqual(code, 1);
    match(stderr, /Nobody waits with the code 'WXYZ6789'/);
    strictEqual(asked.length, 1);
  }
});

Deno.test("pairing dismiss turns somebody down", async () => {
  const { code, stdout, asked, scopes } = await ask(["pairing", "dismiss", "ABCD2345"]);
  deepStrictEqual([code, stdout, scopes], [0, "77 is turned down\n", ["operator.pairing"]]);
  deepStrictEqual(asked.at(-1)?.params, {
    channel: "telegram",
    accountId: "default",
    requestId: "ABCD2345",
  });
});
