/** Who may call and hear what: every method and event, role, set of scopes and version. */
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { events, methods } from "../schemas/mod.ts";
import type { Caller } from "../src/caller.ts";
import type { PairedDevice, PairingRequest } from "../src/device.ts";
import { GatewayError } from "../src/error.ts";
import type { GatewayEvent } from "../src/event.ts";
import { callerOf, startKernel, type TestKernel } from "./kernel.ts";

const SCOPES = [
  "operator.admin",
  "operator.read",
  "operator.write",
  "operator.approvals",
  "operator.pairing",
  "operator.questions",
  "operator.talk",
  "operator.talk.secrets",
] as const;

/** What each needs, written down from the protocol and not from our declarations. */
type Needs = ReadonlyMap<string, { readonly 3: string; readonly 4: string }>;
const METHODS = readNeeds("policy.tsv");
const EVENTS = readNeeds("event_policy.tsv");

function readNeeds(name: string): Needs {
  const text = Deno.readTextFileSync(new URL(`testdata/${name}`, import.meta.url));
  return new Map(
    text.trim().split("\n").slice(1).map((line) => {
      const [name = "", three = "", four = ""] = line.split("\t");
      return [name, { 3: three, 4: four }];
    }),
  );
}

type Outcome = "passes" | "role" | "scope" | "unknown";

/** `-` is for what a version does not have. */
function expected(need: string, { role, scopes }: Pick<Somebody, "role" | "scopes">): Outcome {
  if (need === "-") return "unknown";
  if (need === "node") return role === "node" ? "passes" : "role";
  if (need === "anyone") return "passes";
  if (role === "node") return "role";
  return holds(scopes, need) ? "passes" : "scope";
}

/** The lattice of scopes, a second time: admin is above all, write above read and talk. */
function holds(scopes: readonly string[], need: string): boolean {
  const has = (scope: string) => scopes.includes(`operator.${scope}`);
  return has("admin") || has(need) || (need === "read" || need === "talk") && has("write");
}

interface Somebody {
  readonly protocol: 3 | 4;
  readonly role: "operator" | "node";
  readonly scopes: readonly string[];
}

function* everybody(): Generator<Somebody> {
  for (const protocol of [3, 4] as const) {
    for (const role of ["operator", "node"] as const) {
      for (const scopes of subsets(SCOPES)) yield { protocol, role, scopes };
    }
  }
}

function* subsets<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let set = 0; set < 2 ** all.length; set++) yield all.filter((_, i) => set & (1 << i));
}

function outcome(error: unknown): Outcome {
  if (!(error instanceof GatewayError)) throw error;
  if (error.message.startsWith("unauthorized role:")) return "role";
  if (error.message.startsWith("missing scope:")) return "scope";
  if (error.message.startsWith("unknown method:")) return "unknown";
  return "passes"; // refused for something else, which is looked at later
}

/** How a call ends, whatever it answers. */
async function tryCall(
  kernel: TestKernel,
  { method, params, caller }: { method: string; params: unknown; caller: Caller },
): Promise<Outcome> {
  try {
    await kernel.gateway.dispatch(method, params, {
      caller,
      signal: AbortSignal.abort(),
      accept: () => {},
    });
    return "passes";
  } catch (error) {
    return outcome(error);
  }
}

// ── methods and events ────────────────────────────────────────────────────────────────────────

Deno.test("every declared method and event stands in the table, and no other", () => {
  const declared = Object.keys(methods).filter((name) => name !== "connect"); // it is the door itself
  deepStrictEqual(declared.sort(), [...METHODS.keys()].sort());
  deepStrictEqual(Object.keys(events).sort(), [...EVENTS.keys()].sort());
});

Deno.test("each method is open to exactly those who hold what it needs", async () => {
  await using kernel = startKernel();
  let combinations = 0;
  for (const [method, needs] of METHODS) {
    for (const somebody of everybody()) {
      const { protocol, role, scopes } = somebody;
      const got = await tryCall(kernel, { method, params: WRONG, caller: callerOf(somebody) });
      const wanted = expected(needs[protocol], somebody);
      // Role and scope come first, so what does not exist may be refused for them too.
      const fits = wanted === "unknown" ? got !== "passes" : got === wanted;
      ok(fits, `${method} v${protocol} ${role} [${scopes}]: ${got}, not ${wanted}`);
      combinations++;
    }
  }
  ok(combinations >= 5_000, `only ${combinations} combinations`);
});

/** Params that no method takes, so that what may be called is refused before it does anything. */
const WRONG = Object.freeze({ "no method has this": true, text: 1, enabled: 1, probe: 1 });

Deno.test("what nobody declared needs an admin, who is told that it does not exist", async () => {
  await using kernel = startKernel();
  const names = ["config.apply", "constructor", "__proto__", "toString", "Health", "health ", ""];
  for (const method of names) {
    for (const somebody of everybody()) {
      const got = await tryCall(kernel, { method, params: {}, caller: callerOf(somebody) });
      const wanted = expected("admin", somebody);
      strictEqual(got, wanted === "passes" ? "unknown" : wanted, JSON.stringify(method));
    }
  }
});

Deno.test("a scope that does not exist gives nothing", async () => {
  await using kernel = startKernel();
  const scopes = [
    ...[
      "admin",
      "*",
      "operator.*",
      "operator",
      "OPERATOR.ADMIN",
      "operator.admin ",
      "operator.root",
    ],
    ...[
      "operator.admin,operator.read",
      "node.admin",
      "operator.reads",
      "operator.sessions.write",
      "",
    ],
  ];
  for (const [method, { 4: need }] of METHODS) {
    const wanted = expected(need, { role: "operator", scopes: [] });
    const got = await tryCall(kernel, { method, params: WRONG, caller: callerOf({ scopes }) });
    ok(wanted === "unknown" ? got !== "passes" : got === wanted, `${method}: ${got}`);
  }
});

Deno.test("each event is heard by exactly those who hold what it needs", async () => {
  await using kernel = startKernel();
  for (const [name, needs] of EVENTS) {
    const event = { name, payload: {} } as GatewayEvent; // of whatever kind: nobody looks inside
    for (const somebody of everybody()) {
      const { protocol, role, scopes } = somebody;
      const connId = crypto.randomUUID();
      const told = { ...event, audience: { connIds: new Set([connId]) } };
      const got = kernel.gateway.concerns(callerOf({ ...somebody, connId }), told);
      const wanted = expected(needs[protocol], somebody) === "passes";
      strictEqual(got, wanted, `${name} v${protocol} ${role} [${scopes}]`);
      strictEqual(kernel.gateway.concerns(callerOf(somebody), told), false, "it is for another");
    }
  }
});

Deno.test("what is for one node is told to no operator, and to no other node", async () => {
  await using kernel = startKernel();
  for (const name of EVENTS.keys()) {
    const event = { name, payload: {}, audience: { nodeId: "me" } } as GatewayEvent;
    for (const somebody of everybody()) {
      for (const deviceId of ["me", "another", undefined]) {
        const caller = callerOf({ ...somebody, ...(deviceId === undefined ? {} : { deviceId }) });
        const isMeant = somebody.role === "node" && deviceId === "me";
        strictEqual(kernel.gateway.concerns(caller, event), isMeant);
      }
    }
  }
});

// ── rules that depend on more than the method ─────────────────────────────────────────────────

const READ = ["operator.read"] as const;
const OWN = "own";

/** What is tried: whom it touches, and what giving or taking it takes besides pairing. */
interface Attempt {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly touches: string;
  readonly takes: readonly string[];
  readonly since?: 4;
}

const ATTEMPTS: readonly Attempt[] = [
  approval("stranger-read", "stranger", ["read"]),
  approval("stranger-write", "stranger-2", ["write"]),
  approval("stranger-admin", "stranger-3", ["admin"]),
  approval("stranger-node", "stranger-4", ["admin"]),
  approval("own-more", OWN, ["write", "approvals"]),
  rejection("stranger-admin", "stranger-3"),
  rejection("own-more", OWN),
  ...["remove", "rename", "revoke", "rotate"].flatMap((what) => [
    change(what, OWN, ["read"]),
    change(what, "reader", ["read"]),
    change(what, "writer", ["write", "approvals"]),
    change(what, "boss", ["admin"]),
    change(what, "camera", ["admin"], "node"),
  ]),
  { ...change("rotate", "reader", ["write"]), params: rotation("reader", "operator.write") },
  { ...change("rotate", "boss", ["admin"]), params: rotation("boss", "operator.read") },
  surface("node.pair.approve", "harmless", []),
  surface("node.pair.approve", "camera", ["write"]),
  surface("node.pair.approve", "shell", ["admin"]),
  surface("node.pair.reject", "shell", []),
  { ...surface("node.pair.remove", "shell", ["admin"]), params: { nodeId: "shell" }, since: 4 },
  {
    ...surface("node.rename", "shell", []),
    params: { nodeId: "shell", displayName: "Another name" },
  },
];

function approval(requestId: string, touches: string, takes: readonly string[]): Attempt {
  return { method: "device.pair.approve", params: { requestId }, touches, takes };
}

function rejection(requestId: string, touches: string): Attempt {
  return { method: "device.pair.reject", params: { requestId }, touches, takes: [] };
}

function rotation(deviceId: string, scope: string) {
  return { deviceId, role: "operator", scopes: [scope] };
}

function change(
  what: string,
  deviceId: string,
  takes: readonly string[],
  role = "operator",
): Attempt {
  const touches = deviceId;
  switch (what) {
    case "remove":
      return { method: "device.pair.remove", params: { deviceId }, touches, takes };
    case "rename":
      return {
        method: "device.pair.rename",
        params: { deviceId, label: "Another name" },
        touches,
        takes: [],
        since: 4,
      };
    default:
      return { method: `device.token.${what}`, params: { deviceId, role }, touches, takes };
  }
}

function surface(method: string, nodeId: string, takes: readonly string[]): Attempt {
  return { method, params: { requestId: `surface-${nodeId}` }, touches: nodeId, takes };
}

Deno.test("nobody reaches beyond themselves where rights are given and taken", async () => {
  await using kernel = startKernel();
  populate(kernel);
  let before = rightsIn(kernel);
  let combinations = 0;
  for (const { method, params, touches, takes, since = 3 } of ATTEMPTS) {
    for (const scopes of subsets(SCOPES.slice(0, 5))) {
      for (const by of ["token", "device-token", "bootstrap-token", "trusted-proxy"] as const) {
        for (const deviceId of [OWN, "reader", undefined]) {
          for (const protocol of [3, 4] as const) {
            if (protocol < since) continue;
            const caller = callerOf({
              protocol,
              scopes,
              method: by,
              ...(deviceId === undefined ? {} : { deviceId }),
            });
            const isConfined = by === "device-token" || by === "bootstrap-token";
            const may = holds(scopes, "pairing") && takes.every((scope) => holds(scopes, scope)) &&
              (!isConfined || holds(scopes, "admin") || touches === deviceId);
            const got = await tryCall(kernel, { method, params, caller });
            const what = `${method} ${
              JSON.stringify(params)
            } by ${deviceId} with ${by} [${scopes}]`;
            strictEqual(got, may ? "passes" : "scope", what);
            if (may) {
              populate(kernel);
              before = rightsIn(kernel);
            } else strictEqual(rightsIn(kernel), before, `${what} changed something`);
            combinations++;
          }
        }
      }
    }
  }
  ok(combinations >= 5_000, `only ${combinations} combinations`);
});

Deno.test("not even an admin gives a token more than its device was approved for", async () => {
  await using kernel = startKernel();
  for (const scope of SCOPES.filter((scope) => !holds(READ, scope.slice("operator.".length)))) {
    populate(kernel);
    const before = rightsIn(kernel);
    const params = { deviceId: "reader", role: "operator", scopes: [scope] };
    await rejects(kernel.call("device.token.rotate", params), /unknown deviceId\/role/);
    strictEqual(rightsIn(kernel), before);
  }
});

Deno.test("a conversation begins anew at an admin's word only, however it is spelled", async () => {
  await using kernel = startKernel();
  const words = ["/new", "/reset", "/new hello", "/reset: now", " /NEW", "/new\nhello", "/Reset\t"];
  for (const message of words) {
    for (const scopes of subsets(SCOPES)) {
      for (const protocol of [3, 4] as const) {
        const params = { message, idempotencyKey: "k", thinking: "refused after the scope" };
        const caller = callerOf({ scopes, protocol });
        const got = await tryCall(kernel, { method: "agent", params, caller });
        strictEqual(got, holds(scopes, "admin") ? "passes" : "scope", `${message} [${scopes}]`);
      }
    }
  }
  deepStrictEqual(kernel.store.sessions.count({}), 0);
});

Deno.test("options of a conversation are no page's of another make to set, whatever its scopes", async () => {
  await using kernel = startKernel();
  for (const method of ["sessions.patch", "sessions.delete"]) {
    for (const scopes of subsets(SCOPES)) {
      for (const protocol of [3, 4] as const) {
        for (const id of ["webchat-ui", "openclaw-control-ui", "cli"] as const) {
          for (const mode of ["webchat", "ui", "cli"] as const) {
            const caller = callerOf({ scopes, protocol, client: { id, mode } });
            const isOther = mode === "webchat" && id !== "openclaw-control-ui";
            const need = protocol === 3 || isOther ? "admin" : "write";
            const got = await tryCall(kernel, { method, params: { key: "nothing" }, caller });
            strictEqual(got, holds(scopes, need) ? "passes" : "scope", `${method} ${id} ${mode}`);
          }
        }
      }
    }
  }
});

/** All that is kept of who may do what, as one text. */
function rightsIn({ store }: TestKernel): string {
  return JSON.stringify([store.devices.paired(), store.devices.pending()]);
}

/** Some devices, each with other rights, and some that ask. */
function populate({ store: { devices } }: TestKernel): void {
  for (const { deviceId } of devices.paired()) devices.removeDevice(deviceId);
  for (const { requestId } of devices.pending()) devices.removeRequest(requestId);
  const asks = (requestId: string, deviceId: string, more: Partial<PairingRequest>) =>
    devices.saveRequest({
      requestId,
      deviceId,
      publicKey: "a key",
      role: "operator",
      roles: ["operator"],
      scopes: [],
      silent: false,
      isRepair: false,
      ts: Date.now(),
      ...more,
    });
  for (
    const device of [
      operator(OWN, READ),
      operator("reader", READ),
      operator("writer", ["operator.write", "operator.approvals"]),
      operator("boss", ["operator.admin"]),
      node("harmless", []),
      node("camera", ["camera.list"]),
      node("shell", ["system.run"]),
    ]
  ) devices.saveDevice(device);
  asks("stranger-read", "stranger", { scopes: READ });
  asks("stranger-write", "stranger-2", { scopes: ["operator.write"] });
  asks("stranger-admin", "stranger-3", { scopes: ["operator.admin"] });
  asks("stranger-node", "stranger-4", { role: "node", roles: ["node"] });
  asks("own-more", OWN, { scopes: ["operator.write", "operator.approvals"], isRepair: true });
}

function operator(deviceId: string, scopes: readonly string[]): PairedDevice {
  return paired(deviceId, { roles: ["operator"], scopes });
}

function node(deviceId: string, commands: readonly string[]): PairedDevice {
  const asked = { requestId: `surface-${deviceId}`, ts: 1, caps: [], commands };
  return { ...paired(deviceId, { roles: ["node"], scopes: [] }), node: { asked } };
}

function paired(
  deviceId: string,
  { roles, scopes }: Pick<PairedDevice, "roles" | "scopes">,
): PairedDevice {
  const tokens = roles.map((role) => {
    return [role, { token: `token of ${deviceId}`, role, scopes, createdAtMs: 1 }];
  });
  return {
    deviceId,
    publicKey: "a key",
    roles,
    scopes,
    tokens: Object.fromEntries(tokens),
    createdAtMs: 1,
    approvedAtMs: 1,
    approvedVia: "owner",
  };
}
