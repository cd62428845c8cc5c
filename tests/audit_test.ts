/** What the owner can read afterwards: who came, who was refused, and what was done. */
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import type { AuditEntry } from "../src/audit.ts";
import { runOn } from "../src/cli/fake_io.ts";
import { createDeviceKey } from "../src/client/identity.ts";
import { connectTo, startGateway, type TestGateway, TOKEN } from "./gateway.ts";

Deno.test("start and stop are recorded, and who was let in with what", async () => {
  const stateDir = await Deno.makeTempDir({ prefix: "openclaw-audit-" });
  try {
    const gateway = await startGateway({ stateDir, config: {} });
    await (await gateway.connect({ scopes: ["operator.read"] }))[Symbol.asyncDispose]();
    await gateway[Symbol.asyncDispose]();
    const [start, connect, stop] = entries(gateway);
    strictEqual(start?.action, "gateway.start");
    ok(start?.reason?.includes("auth token"));
    deepStrictEqual({ ...connect, ts: 0, who: { ...connect?.who, connId: "" } }, {
      ts: 0,
      action: "connect",
      allowed: true,
      reason: "operator.read",
      who: {
        remoteIp: "127.0.0.1",
        role: "operator",
        clientId: "cli",
        method: "token",
        connId: "",
      },
    });
    strictEqual(stop?.action, "gateway.stop");
  } finally {
    await Deno.remove(stateDir, { recursive: true });
  }
});

Deno.test("a refused client leaves its reason, and a flood of them two lines", async () => {
  await using gateway = await startGateway();
  for (let i = 0; i < 12; i++) {
    await rejects(connectTo(gateway.url, { auth: { token: "a wrong token" } }));
  }
  const refused = entries(gateway).filter(({ allowed }) => !allowed);
  deepStrictEqual(refused.map(({ action, reason }) => [action, reason]), [
    ["connect", "AUTH_TOKEN_MISMATCH"],
    ["lockout", undefined],
    ["connect", "AUTH_RATE_LIMITED"],
  ]);
  strictEqual(refused[0]?.who?.remoteIp, "127.0.0.1");
});

Deno.test("a device that must be approved is recorded with its request, and so is its approval", async () => {
  await using gateway = await startGateway({
    config: { gateway: { nodes: { pairing: { autoApproveLocal: false } } } },
  });
  const identity = createDeviceKey();
  await rejects(connectTo(gateway.url, { identity }));
  await using owner = await gateway.connect();
  const { pending } = await owner.request("device.pair.list", {});
  const requestId = pending[0]?.requestId ?? "";
  await owner.request("device.pair.approve", { requestId });
  await rejects(owner.request("device.pair.approve", { requestId }));
  const told = entries(gateway).map(({ action, allowed, reason, target }) =>
    [action, allowed, reason, target] as const
  );
  deepStrictEqual(told.filter(([action, allowed]) => action === "connect" && !allowed), [
    ["connect", false, "PAIRING_REQUIRED", requestId],
  ]);
  deepStrictEqual(told.filter(([action]) => action.startsWith("device.")), [
    ["device.pair.approve", true, undefined, identity.deviceId],
    ["device.pair.approve", false, "INVALID_REQUEST", requestId],
  ]);
});

Deno.test("a call beyond one's rights is recorded, however often it is tried", async () => {
  await using gateway = await startGateway();
  await using reader = await gateway.connect({ scopes: ["operator.read"] });
  for (const method of ["config.set", "config.set", "no.such.method"]) {
    await rejects(reader.client.call(method, {}));
  }
  const denied = entries(gateway).filter(({ allowed }) => !allowed);
  deepStrictEqual(denied.map(({ action, reason, who }) => [action, reason, who?.role]), [
    ["config.set", "MISSING_SCOPE", "operator"],
    ["no.such.method", "MISSING_SCOPE", "operator"],
  ]);
});

Deno.test("a changed configuration is recorded by the names of what changed, and a new secret", async () => {
  await using gateway = await startGateway({ token: null });
  const { auth: { token } } = JSON.parse(
    await Deno.readTextFile(`${gateway.stateDir}/openclaw.json`),
  ).gateway;
  await using owner = await gateway.connect({ auth: { token } });
  const { hash } = await owner.request("config.get", {});
  const fresh = "another-secret-0123456789abcdefghij";
  const raw = JSON.stringify({ gateway: { auth: { token: fresh }, port: 1 } });
  await owner.request("config.patch", { raw, baseHash: hash }).catch(() => {}); // its secret is void, and so is its connection
  await (await gateway.connect({ auth: { token: fresh } }))[Symbol.asyncDispose]();
  const told = entries(gateway).filter(({ action }) => /config|auth/.test(action));
  deepStrictEqual(told.map(({ action, target }) => [action, target]), [
    ["config.changed", "gateway.auth.token gateway.port"],
    ["gateway.auth.changed", undefined],
    ["config.patch", undefined],
  ]);
  const text = await Deno.readTextFile(auditFile(gateway));
  ok(!text.includes(token) && !text.includes(fresh));
});

Deno.test("refused requests of the web are recorded without what their addresses carry", async () => {
  await using gateway = await startGateway();
  const foreign = { headers: { origin: "https://evil.example" } };
  await (await fetch(`${gateway.http}/chat?token=${TOKEN}`, foreign)).body?.cancel();
  for (const path of ["/%2e%2e/%2e%2e/etc/passwd", "/a/..%2f..%2fb", "/..\\x", "/a%00"]) {
    strictEqual(await statusOf(gateway, path), 403);
  }
  const denied = entries(gateway).filter(({ allowed }) => !allowed);
  deepStrictEqual(denied.map(({ action }) => action), [
    "GET /chat",
    "GET /%2e%2e/%2e%2e/etc/passwd",
    "GET /a/..%2f..%2fb",
    "GET /..\\x",
    "GET /a%00",
  ]);
  ok(denied[0]?.reason?.startsWith("origin not allowed"));
  ok(!(await Deno.readTextFile(auditFile(gateway))).includes(TOKEN));
});

Deno.test("`openclaw security audit --deep` finds the doors shut, and leaves its knocks in the log", async () => {
  await using gateway = await startGateway();
  const { code, findings } = await auditOf(gateway, "--token", TOKEN);
  strictEqual(code, 0);
  deepStrictEqual(findings.filter(({ checkId }) => /doors|not_checked/.test(checkId)), []);
  const refused = entries(gateway).filter(({ allowed }) => !allowed).map(({ reason }) => reason);
  deepStrictEqual(refused.map((reason) => reason?.split(" (")[0]), [
    "AUTH_TOKEN_MISSING",
    "origin not allowed",
  ]);
});

Deno.test("`openclaw security audit --deep` finds a door that opens without a secret", async () => {
  const config = { gateway: { auth: { mode: "none" } } };
  await using gateway = await startGateway({ token: null, config });
  const { findings } = await auditOf(gateway, "--token", "none is needed");
  ok(findings.some(({ checkId }) => checkId === "doors.no_secret"));
});

/** Runs the command on the gateway's own state folder. */
async function auditOf(
  { url, stateDir }: TestGateway,
  ...flags: readonly string[]
): Promise<{ code: number; findings: readonly { checkId: string }[] }> {
  const argv = ["security", "audit", "--deep", "--json", "--url", url, ...flags];
  const { code, stdout } = await runOn(argv, { env: { OPENCLAW_STATE_DIR: stateDir } });
  return { code, findings: JSON.parse(stdout).findings };
}

/** The status of a request whose path nothing on our side normalises. */
async function statusOf({ url, http }: TestGateway, path: string): Promise<number> {
  const { hostname, port } = new URL(url);
  using wire = await Deno.connect({ hostname, port: Number(port) });
  const head = `GET ${path} HTTP/1.1\r\nHost: ${new URL(http).host}\r\nConnection: close\r\n\r\n`;
  await wire.write(new TextEncoder().encode(head));
  const answer = await new Response(wire.readable).text();
  return Number(answer.split(" ")[1]);
}

function auditFile({ stateDir }: Pick<TestGateway, "stateDir">): string {
  return `${stateDir}/logs/audit.jsonl`;
}

function entries(gateway: Pick<TestGateway, "stateDir">): readonly AuditEntry[] {
  return Deno.readTextFileSync(auditFile(gateway)).trimEnd().split("\n")
    .map((line) => JSON.parse(line));
}
