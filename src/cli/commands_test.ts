import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { stopClock } from "../../tests/clock.ts";
import { FakeGateway, type FakeGatewayOptions, type Peer, Refuse } from "../client/fake_gateway.ts";
import { run } from "./cli.ts";
import { FakeIo, type FakeIoOptions, runOn, withHome } from "./fake_io.ts";

const NOW = 1_000_000_000_000;
const MINUTE = 60_000;

Deno.test("agent --json prints one JSON text for a run that was stopped", async () => {
  await using gateway = new FakeGateway({
    answers: {
      agent: ({ idempotencyKey: runId }: { idempotencyKey: string }, peer: Peer) => {
        peer.answer({ runId, status: "accepted", acceptedAt: 1, sessionKey: "agent:main:main" });
        const meta = { durationMs: 1, aborted: true, stopReason: "timeout" };
        return { runId, status: "ok", summary: "aborted", result: { payloads: [], meta } };
      },
    },
  });
  const io = new FakeIo({ env: { OPENCLAW_STATE_DIR: "/nowhere" } });
  const argv = ["agent", "-m", "hi", "--timeout", "1", "--json"];
  strictEqual(await run([...argv, "--url", gateway.url, "--token", "t"], io), 1);
  strictEqual(JSON.parse(io.stdout).result.meta.aborted, true);
});

Deno.test("agent waits for a run that may take a month", async () => {
  await using gateway = new FakeGateway({
    answers: {
      agent: ({ idempotencyKey: runId }: { idempotencyKey: string }, peer: Peer) => {
        peer.answer({ runId, status: "accepted", acceptedAt: 1, sessionKey: "agent:main:main" });
        clock.tick(60_000);
        const meta = { durationMs: 1, aborted: false };
        const payloads = [{ text: "Done", mediaUrl: null }];
        return { runId, status: "ok", summary: "completed", result: { payloads, meta } };
      },
    },
  });
  using clock = stopClock("setTimeout", "clearTimeout");
  const io = new FakeIo({ env: { OPENCLAW_STATE_DIR: "/nowhere" } });
  const argv = ["agent", "-m", "hi", "--timeout", "2592000"];
  const code = await run([...argv, "--url", gateway.url, "--token", "t"], io);
  deepStrictEqual([code, io.stdout, io.stderr], [0, "Done\n", ""]);
});

/** Runs a command line against a gateway with these answers. */
async function ask(
  argv: readonly string[],
  answers: FakeGatewayOptions["answers"],
  options: FakeIoOptions = {},
) {
  await using gateway = new FakeGateway({ answers });
  const io = new FakeIo({ env: { OPENCLAW_STATE_DIR: "/nowhere" }, now: NOW, ...options });
  const code = await run([...argv, "--url", gateway.url, "--token", "t"], io);
  const requests = gateway.requests.filter(({ method }) => method !== "connect");
  const scopes = gateway.connects.at(-1)?.scopes;
  const clean = (text: string) => text.replaceAll(gateway.url, "ws://gw");
  return { code, stdout: clean(io.stdout), stderr: clean(io.stderr), requests, scopes };
}

const HEALTH = {
  ok: true,
  ts: NOW,
  durationMs: 3,
  channels: {},
  channelOrder: ["telegram"],
  channelLabels: { telegram: "Telegram" },
  heartbeatSeconds: 60,
  defaultAgentId: "main",
  agents: [{ agentId: "main", isDefault: true }, { agentId: "ada", isDefault: false }],
  sessions: { path: "", count: 2, recent: [{ key: "k", updatedAt: NOW - 5 * MINUTE, age: 0 }] },
};

Deno.test("health tells how the gateway is", async () => {
  const { code, stdout, requests, scopes } = await ask(["health", "--probe"], {
    health: () => HEALTH,
  });
  deepStrictEqual([code, requests, scopes], [
    0,
    [{ method: "health", params: { probe: true } }],
    ["operator.read"],
  ]);
  strictEqual(
    stdout,
    "Gateway   ok (3 ms)\n" +
      "Agents    main (default), ada\n" +
      "Channels  Telegram\n" +
      "Sessions  2, last used 5m ago\n",
  );
});

Deno.test("health --json prints what the gateway said", async () => {
  const { stdout } = await ask(["health", "--json"], { health: () => HEALTH });
  deepStrictEqual(JSON.parse(stdout), HEALTH);
});

Deno.test("status puts it all together", async () => {
  const answers = {
    health: () => HEALTH,
    "system-presence": () => [{ host: "box\x1b[2J", ts: NOW }],
    status: () => ({
      heartbeat: {
        defaultAgentId: "main",
        agents: [{ agentId: "main", enabled: true, every: "30m" }],
      },
      channelSummary: ["Telegram: connected"],
      queuedSystemEvents: [],
      sessions: {
        paths: [],
        count: 1,
        defaults: { model: "m/1", contextTokens: null },
        recent: [{ key: "agent:main:main", model: "m/1", percentUsed: 7, updatedAt: NOW - MINUTE }],
        byAgent: [],
      },
    }),
  };
  const { code, stdout } = await ask(["status"], answers);
  strictEqual(code, 0);
  strictEqual(
    stdout,
    `Gateway    up 1m 1s  ws://gw
Version    openclaw 1.2.3, protocol 4
Agents     main (default), ada
Model      m/1
Channels   Telegram: connected
Heartbeat  main every 30m
Connected  box[2J
Sessions   1

SESSION          MODEL  CONTEXT  USED
agent:main:main  m/1    7 %      1m ago
`,
  );
  const { gateway, health } = JSON.parse((await ask(["status", "--json"], answers)).stdout);
  deepStrictEqual([gateway.version, gateway.protocol, health], ["1.2.3", 4, HEALTH]);
});

Deno.test("gateway status fails, and says where it looked, where no gateway is", async () => {
  const io = new FakeIo({ env: { OPENCLAW_STATE_DIR: "/nowhere" } });
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const url = `ws://127.0.0.1:${listener.addr.port}`;
  listener.close();
  strictEqual(await run(["gateway", "status", "--url", url, "--token", "t"], io), 1);
  match(io.stdout, new RegExp(`^Gateway +not reached\nAddress +${url}\n`));
  match(io.stderr, /Cannot connect to /);
});

Deno.test("gateway probe takes a gateway of either version, and asks for no right", async () => {
  const { code, stdout, scopes } = await ask(["gateway", "probe"], {});
  deepStrictEqual([code, scopes], [0, []]);
  match(stdout, /^ok {2}ws:\/\/gw: openclaw 1.2.3, protocol 4, \d+ ms\n$/);
});

Deno.test("call asks for the right that the method needs", async () => {
  const answers = { "device.pair.list": () => ({ pending: [], paired: [] }), odd: () => undefined };
  const list = await ask(["call", "device.pair.list"], answers);
  deepStrictEqual([list.scopes, JSON.parse(list.stdout)], [
    ["operator.pairing"],
    { pending: [], paired: [] },
  ]);
  const odd = await ask(["gateway", "call", "odd", "--params", '{"a":1}'], answers);
  deepStrictEqual([odd.scopes, odd.stdout, odd.requests], [
    ["operator.admin"],
    "null\n",
    [{ method: "odd", params: { a: 1 } }],
  ]);
});

Deno.test("call --expect-final waits for the second answer", async () => {
  const answers = {
    agent: (_params: unknown, peer: Peer) => {
      peer.answer({ status: "accepted" });
      return { status: "ok" };
    },
  };
  const first = await ask(["call", "agent"], answers);
  const final = await ask(["call", "agent", "--expect-final"], answers);
  deepStrictEqual([first, final].map(({ stdout }) => JSON.parse(stdout).status), [
    "accepted",
    "ok",
  ]);
});

Deno.test("a request that is refused exits with 1 and the gateway's words", async () => {
  const { code, stderr } = await ask(["call", "health"], {
    health: () => {
      throw new Refuse({ code: "UNAVAILABLE", message: "not today" });
    },
  });
  deepStrictEqual([code, stderr], [1, "error: not today\n"]);
});

/** A run that says two things with a tool between them. */
function talkative(params: { idempotencyKey: string }, peer: Peer) {
  const runId = params.idempotencyKey;
  const event = (stream: string, data: unknown, id = runId) =>
    peer.event("agent", { runId: id, stream, data, seq: 1, ts: 1 });
  peer.answer({ runId, status: "accepted", acceptedAt: 1, sessionKey: "agent:main:main" });
  event("assistant", { text: "other", delta: "other" }, "another run");
  event("assistant", { text: "Let me", delta: "Let me" });
  event("assistant", { text: "Let me look", delta: " look" });
  event("tool", { phase: "start", name: "read" });
  event("assistant", { text: "Done\x1b[2J", delta: "Done\x1b[2J" });
  const payloads = [{ text: "Done\x1b[2J", mediaUrl: null }];
  return {
    runId,
    status: "ok",
    summary: "completed",
    result: { payloads, meta: { durationMs: 1, aborted: false } },
  };
}

Deno.test("agent prints the answer as it comes", async () => {
  const { code, stdout, requests, scopes } = await ask(
    ["agent", "-m", "hi", "--agent", "ada", "--timeout", "0"],
    { agent: talkative },
  );
  deepStrictEqual([code, stdout, scopes], [0, "Let me look\n\nDone[2J\n", ["operator.write"]]);
  const { idempotencyKey: _, ...params } = Object(requests[0]?.params);
  deepStrictEqual(params, { message: "hi", agentId: "ada", timeout: 0, deliver: false });
});

Deno.test("agent says nothing in another session than that whose id it is given", async () => {
  const answers = {
    agent: talkative,
    "sessions.resolve": ({ sessionId }: { sessionId: string }) => {
      if (sessionId === "s1") return { ok: true, key: "agent:main:one" };
      throw new Refuse({ code: "INVALID_REQUEST", message: `No session found: ${sessionId}` });
    },
  };
  const known = await ask(["agent", "-m", "hi", "--session-id", "s1"], answers);
  strictEqual(known.code, 0);
  const { sessionKey, sessionId } = Object(known.requests[1]?.params);
  deepStrictEqual([sessionKey, sessionId], ["agent:main:one", "s1"]);
  const unknown = await ask(["agent", "-m", "hi", "--session-id", "s2"], answers);
  deepStrictEqual([unknown.code, unknown.stderr], [1, "error: No session found: s2\n"]);
  deepStrictEqual(unknown.requests.map(({ method }) => method), ["sessions.resolve"]);
});

Deno.test("agent --json prints the outcome alone, and reads the message from input", async () => {
  const { stdout, requests } = await ask(
    ["agent", "--message", "-", "--json"],
    { agent: talkative },
    { input: ["what is ", "this?"] },
  );
  strictEqual(JSON.parse(stdout).status, "ok");
  strictEqual(Object(requests[0]?.params).message, "what is this?");
});

Deno.test("agent fails as its run does, after what it said", async () => {
  const { code, stdout, stderr } = await ask(["agent", "-m", "hi"], {
    agent: (params: { idempotencyKey: string }, peer: Peer) => {
      const { runId } = talkative(params, peer);
      throw new Refuse({ code: "UNAVAILABLE", message: "the model is gone" }, {
        runId,
        status: "error",
      });
    },
  });
  deepStrictEqual([code, stdout, stderr], [
    1,
    "Let me look\n\nDone[2J\n",
    "error: the model is gone\n",
  ]);
});

Deno.test("Ctrl-C stops the run of agent", async () => {
  const stopped = Promise.withResolvers<unknown>();
  await using gateway = new FakeGateway({
    answers: {
      agent: async (params: { idempotencyKey: string }, peer: Peer) => {
        const outcome = talkative(params, peer);
        const { payloads } = outcome.result;
        deepStrictEqual(await stopped.promise, {
          sessionKey: "agent:main:main",
          runId: outcome.runId,
        });
        return { ...outcome, result: { payloads, meta: { durationMs: 1, aborted: true } } };
      },
      "chat.abort": (params: unknown) => {
        stopped.resolve(params);
        return { ok: true, aborted: true, runIds: [] };
      },
    },
  });
  const io = new FakeIo({ env: { OPENCLAW_STATE_DIR: "/nowhere" } });
  const running = run(["agent", "-m", "hi", "--url", gateway.url, "--token", "t"], io);
  await io.printed("Done");
  io.pressInterrupt();
  strictEqual(await running, 130);
});

const PHONE = {
  deviceId: "9f86d081884c7d65",
  publicKey: "k",
  displayName: "Anna's phone",
  platform: "ios",
  roles: ["node"],
  scopes: [],
  createdAtMs: 1,
  approvedAtMs: 1,
  connected: true,
};
const LAPTOP = {
  ...PHONE,
  deviceId: "9f86aaaaaaaaaaaa",
  displayName: "laptop",
  label: "work",
  roles: ["operator"],
  scopes: ["operator.read"],
  connected: false,
  lastSeenAtMs: NOW - MINUTE,
};
const request = (requestId: string, ts: number) => ({
  requestId,
  deviceId: "d",
  publicKey: "k",
  displayName: "tablet\x1b]0;owned\x07",
  remoteIp: "10.0.0.7",
  role: "operator",
  scopes: ["operator.read", "operator.write"],
  ts,
});
const OLD = request("aaaa-1", NOW - 2 * MINUTE);
const NEW = request("bbbb-2", NOW - MINUTE);
const DEVICES = { "device.pair.list": () => ({ pending: [OLD, NEW], paired: [PHONE, LAPTOP] }) };

Deno.test("devices lists who asks and who may", async () => {
  const { stdout, scopes } = await ask(["devices"], DEVICES);
  deepStrictEqual(scopes, ["operator.pairing"]);
  strictEqual(
    stdout,
    `ASKING  NAME            ADDRESS   WHY         FOR                   SINCE
aaaa-1  tablet]0;owned  10.0.0.7  new device  operator: read,write  2m ago
bbbb-2  tablet]0;owned  10.0.0.7  new device  operator: read,write  1m ago

PAIRED        NAME          PLATFORM  MAY             SEEN
9f86d081884c  Anna's phone  ios       node            connected
9f86aaaaaaaa  work          ios       operator: read  1m ago
`,
  );
});

Deno.test("devices approve takes an id, the start of one, or --latest, and never guesses", async () => {
  const answers = {
    ...DEVICES,
    "device.pair.approve": ({ requestId }: { requestId: string }) => ({
      requestId,
      device: LAPTOP,
    }),
  };
  const approved = async (...argv: string[]) => {
    const { code, stdout, stderr, requests } = await ask(["devices", "approve", ...argv], answers);
    return { code, stdout, stderr, asked: requests[1]?.params };
  };
  const done = { code: 0, stdout: "work may connect as operator: read\n", stderr: "" };
  deepStrictEqual(await approved("aaaa-1"), { ...done, asked: { requestId: "aaaa-1" } });
  deepStrictEqual(await approved("bbbb"), { ...done, asked: { requestId: "bbbb-2" } });
  deepStrictEqual(await approved("--latest"), { ...done, asked: { requestId: "bbbb-2" } });
  const guess = await approved();
  deepStrictEqual([guess.code, guess.asked], [2, undefined]);
  match(
    guess.stderr,
    /The newest is bbbb-2, tablet\]0;owned from 10.0.0.7, which asks for operator/,
  );
  const none = await approved("cccc");
  deepStrictEqual([none.code, none.asked], [1, undefined]);
});

Deno.test("devices are named by id, by the start of it, or by label", async () => {
  const answers = {
    ...DEVICES,
    "device.pair.remove": (params: unknown) => params,
    "device.pair.rename": (params: unknown) => params,
    "device.token.revoke": (params: object) => ({ ...params, revokedAtMs: 1 }),
    "device.token.rotate": (params: object) => ({ ...params, token: "fresh", rotatedAtMs: 1 }),
  };
  const asked = async (...argv: string[]) => {
    const { code, stdout, requests } = await ask(["devices", ...argv], answers);
    return [code, stdout, requests[1]];
  };
  const { deviceId } = PHONE;
  deepStrictEqual(await asked("remove", deviceId), [
    0,
    "9f86d081884c may not connect any more\n",
    { method: "device.pair.remove", params: { deviceId } },
  ]);
  deepStrictEqual(await asked("rename", "9f86d", "hers"), [
    0,
    "9f86d081884c is now 'hers'\n",
    { method: "device.pair.rename", params: { deviceId, label: "hers" } },
  ]);
  deepStrictEqual(await asked("rotate", "work", "--scope", "operator.read"), [0, "fresh\n", {
    method: "device.token.rotate",
    params: { deviceId: LAPTOP.deviceId, role: "operator", scopes: ["operator.read"] },
  }]);
  deepStrictEqual(await asked("revoke", "9f86d", "--role", "node"), [
    0,
    "9f86d081884c may not connect as node any more\n",
    { method: "device.token.revoke", params: { deviceId, role: "node" } },
  ]);
  deepStrictEqual(await asked("remove", "9f86"), [1, "", undefined]);
});

Deno.test("sessions lists, shows, resets and deletes", async () => {
  const key = "agent:main:main";
  const answers = {
    "sessions.list": () => ({
      sessions: [{ key, updatedAt: NOW - MINUTE, model: "m", totalTokens: 50, contextTokens: 100 }],
      totalCount: 3,
    }),
    "chat.history": ({ sessionKey }: { sessionKey: string }) => ({
      sessionKey,
      ...(sessionKey === "none" ? {} : { sessionId: "s" }),
      messages: [
        { role: "user", content: "hi", timestamp: 1 },
        {
          role: "assistant",
          content: [
            { type: "thinking", thinking: "hm" },
            { type: "text", text: "Let me look" },
            { type: "toolCall", id: "1", name: "read", arguments: { path: "/a\nb" } },
          ],
          timestamp: 2,
        },
        {
          role: "toolResult",
          toolName: "read",
          content: [{ type: "text", text: "line 1\nline 2" }],
          timestamp: 3,
        },
      ],
    }),
    "sessions.reset": () => ({ ok: true, key, entry: {} }),
    "sessions.delete": () => ({ ok: true, key, deleted: true, archived: [] }),
  };
  const list = await ask(["sessions", "--limit", "1"], answers);
  strictEqual(
    list.stdout,
    `SESSION          NAME  MODEL  TOKENS     STATE  USED
agent:main:main  -     m      50 (50 %)  -      1m ago
and 2 more
`,
  );
  const show = await ask(["sessions", "show", "main"], answers);
  strictEqual(
    show.stdout,
    "\nyou\nhi\nassistant\nLet me look\n⚙ read path=/a b\n↳ read: line 1 line 2\n",
  );
  strictEqual((await ask(["sessions", "show", "none"], answers)).code, 1);
  const reset = await ask(["sessions", "reset", "main"], answers);
  deepStrictEqual([reset.stdout, reset.scopes], [`${key} starts afresh\n`, ["operator.admin"]]);
  const removed = await ask(["sessions", "delete", "x", "--yes", "--keep-transcript"], answers);
  deepStrictEqual([removed.stdout, removed.requests[0]?.params], [
    `${key} is forgotten\n`,
    { key: "x", deleteTranscript: false },
  ]);
});

const LINE = JSON.stringify({
  time: "2026-01-02T03:04:05.678Z",
  level: "warn",
  part: "server",
  message: "A client was too slow",
  connId: "c1",
});

Deno.test("logs prints lines for people, or as they are", async () => {
  const answers = {
    "logs.tail": () => ({ file: "f", cursor: 9, size: 9, lines: [LINE, "plain \x1b[2J"] }),
  };
  const { stdout } = await ask(["logs", "--utc", "--limit", "2"], answers);
  strictEqual(
    stdout,
    "2026-01-02 03:04:05 warn  server   A client was too slow connId=c1\nplain [2J\n",
  );
  strictEqual((await ask(["logs", "--json"], answers)).stdout, `${LINE}\nplain \\u001b[2J\n`);
});

Deno.test("logs says where lines are missing that were asked for", async () => {
  const answers = {
    "logs.tail": () => ({ file: "f", cursor: 9, size: 9, lines: [LINE, LINE], truncated: true }),
  };
  for (const argv of [["logs", "--limit"], ["channels", "logs", "--lines"]]) {
    match((await ask([...argv, "3"], answers)).stderr, /lines were passed over/);
  }
  strictEqual((await ask(["logs", "--limit", "2"], answers)).stderr, "");
});

Deno.test("sessions show says that there are older messages", async () => {
  const messages = [{ role: "user", content: "hi", timestamp: 1 }];
  const { stdout } = await ask(["sessions", "show", "main"], {
    "chat.history": () => ({ sessionKey: "main", sessionId: "s", messages, hasMore: true }),
  });
  strictEqual(stdout, "… older ones: see --limit\n\nyou\nhi\n");
});

Deno.test("logs --follow reads on, past a restart of the gateway, until Ctrl-C", async () => {
  const pages = [["one"], ["two"], ["three"]];
  const cursors: unknown[] = [];
  await using gateway = new FakeGateway({
    answers: {
      "logs.tail": async ({ cursor }: { cursor?: number }, peer: Peer) => {
        cursors.push(cursor);
        if (cursors.length === 3) {
          peer.close(1012, "service restart");
          return await new Promise(() => {});
        }
        return { file: "f", cursor: cursors.length, size: 9, lines: pages.shift() ?? [] };
      },
    },
  });
  const io = new FakeIo({ env: { OPENCLAW_STATE_DIR: "/nowhere" } });
  const following = run(["logs", "--follow", "--url", gateway.url, "--token", "t"], io);
  await io.printed("three\n");
  io.pressInterrupt();
  strictEqual(await following, 0);
  strictEqual(io.stdout, "one\ntwo\nthree\n");
  match(io.stderr, /the gateway is gone, waiting for it/);
  deepStrictEqual(cursors.slice(0, 4), [undefined, 1, 2, 2]);
});

Deno.test("dashboard prints the page's address with the token behind the #", async () => {
  const { stdout } = await ask(["dashboard", "--no-open"], {});
  match(stdout, /^http:\/\/gw\/#token=t\n$|^http:\/\/127.0.0.1:\d+\/#token=t\n$/);
});

Deno.test("dashboard prints no address of a page that is off, and says how to have it", async () => {
  await withHome(async ({ stateDir, env }) => {
    const page = (enabled: boolean) =>
      Deno.writeTextFile(
        `${stateDir}/openclaw.json`,
        JSON.stringify({ gateway: { controlUi: { enabled } } }),
      );
    await page(false);
    const off = await runOn(["dashboard", "--no-open"], { env });
    deepStrictEqual([off.code, off.stdout], [1, ""]);
    match(off.stderr, /page is off: .*\n.*openclaw config unset gateway\.controlUi\.enabled/);
    await page(true);
    match(
      (await runOn(["dashboard", "--no-open"], { env })).stdout,
      /^http:\/\/127\.0\.0\.1:18789/,
    );
  });
});

Deno.test("lists that are empty say so", async () => {
  const answers = {
    "models.list": () => ({ models: [] }),
    "cron.list": () => ({ jobs: [] }),
    "channels.status": () => ({ channelOrder: [], channelLabels: {}, channelAccounts: {} }),
    "node.list": () => ({ ts: 1, nodes: [] }),
    "sessions.list": () => ({ sessions: [] }),
    "device.pair.list": () => ({ pending: [], paired: [] }),
  };
  for (const name of ["models", "cron", "channels", "nodes", "sessions", "devices"]) {
    const { code, stdout } = await ask([name], answers);
    strictEqual(code, 0);
    match(stdout, /^[A-Z][^\n]* no[^\n]*\n$|^No [^\n]*\n$/);
  }
});

Deno.test("cron list lists jobs of which the gateway tells some at a time", async () => {
  const job = (id: string) => ({
    id,
    name: id,
    enabled: true,
    schedule: { kind: "every", everyMs: MINUTE },
    state: {},
  });
  const all = ["a", "b", "c"].map(job);
  const { stdout } = await ask(["cron", "list", "--json"], {
    "cron.list": ({ offset }: { offset: number }) => {
      const jobs = all.slice(offset, offset + 2);
      const hasMore = offset + 2 < all.length;
      return { jobs, total: all.length, offset, limit: 2, hasMore, nextOffset: null };
    },
  });
  const { jobs, hasMore } = JSON.parse(stdout);
  deepStrictEqual([jobs, hasMore], [all, false]);
});

Deno.test("models, cron, channels, nodes and presence are tables", async () => {
  const heads = async (argv: string[], answers: FakeGatewayOptions["answers"]) =>
    (await ask(argv, answers)).stdout.split("\n").slice(0, 2).map((line) => line.split(/ {2,}/));
  deepStrictEqual(
    await heads(["models", "list"], {
      "models.list": () => ({
        models: [{
          id: "m",
          name: "Em",
          provider: "p",
          contextWindow: 9,
          reasoning: true,
          tags: ["a"],
        }],
      }),
    }),
    [["MODEL", "NAME", "CONTEXT", "THINKING", "TAGS"], ["p/m", "Em", "9", "yes", "a"]],
  );
  deepStrictEqual(
    await heads(["cron", "list"], {
      "cron.list": () => ({
        jobs: [{
          id: "j",
          name: "tidy",
          enabled: true,
          schedule: { kind: "every", everyMs: 90 * MINUTE },
          state: { nextRunAtMs: NOW + MINUTE, lastRunAtMs: NOW - MINUTE, lastRunStatus: "ok" },
        }],
      }),
    }),
    [
      ["ID", "NAME", "WHEN", "NEXT RUN", "LAST RUN", "RESULT"],
      ["j", "tidy", "every 1h 30m", "in 1m", "1m ago", "ok"],
    ],
  );
  deepStrictEqual(
    await heads(["channels", "status"], {
      "channels.status": () => ({
        channelOrder: ["tg"],
        channelLabels: { tg: "Telegram" },
        channelAccounts: { tg: [{ accountId: "a", connected: true, lastInboundAt: NOW }] },
      }),
    }),
    [
      ["CHANNEL", "ACCOUNT", "STATE", "RECEIVED", "SENT", "ERROR"],
      ["Telegram", "a", "connected", "now", "-"],
    ],
  );
  deepStrictEqual(
    await heads(["nodes"], {
      "node.list": () => ({
        ts: 1,
        nodes: [{
          nodeId: "n",
          connected: false,
          approvalState: "pending-approval",
          commands: ["a", "b"],
        }],
      }),
    }),
    [
      ["NODE", "NAME", "PLATFORM", "STATE", "SEEN", "COMMANDS"],
      ["n", "-", "-", "waits for approval", "-", "a, b"],
    ],
  );
  deepStrictEqual(
    await heads(["presence"], {
      "system-presence": () => [{ host: "box", mode: "gateway", version: "1", ts: NOW - MINUTE }],
    }),
    [
      ["HOST", "CLIENT", "MODE", "VERSION", "PLATFORM", "ADDRESS", "HEARD"],
      ["box", "-", "gateway", "1", "-", "-", "1m ago"],
    ],
  );
});
