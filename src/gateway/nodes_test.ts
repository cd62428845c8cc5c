import {
  deepStrictEqual,
  match,
  notStrictEqual,
  ok,
  rejects,
  strictEqual,
  throws,
} from "node:assert/strict";
import { callerOf, startKernel, type TestKernel } from "../../tests/kernel.ts";
import type { NodeSurface } from "../caller.ts";

Deno.test("a node is listed with what it offers, and none of it is used before it is approved", async () => {
  await using kernel = startKernel();
  const node = connect(kernel, "n1", { commands: ["system.run", "location.get"] });
  const row = await rowOf(kernel, "n1");
  deepStrictEqual([row.connected, row.paired, row.caps, row.commands, row.approvalState], [
    true,
    true,
    [],
    [],
    "pending-approval",
  ]);
  deepStrictEqual(row.pendingDeclaredCommands, ["location.get", "system.run"]);
  const { pending, paired } = await kernel.call("node.pair.list", {});
  deepStrictEqual(paired, []);
  deepStrictEqual(
    pending.map(({ nodeId, requiredApproveScopes }) => [nodeId, requiredApproveScopes]),
    [["n1", ["operator.pairing", "operator.admin"]]],
  );
  strictEqual(row.pendingRequestId, pending[0]?.requestId);
  strictEqual(kernel.events.of("node.pair.requested")[0]?.requestId, pending[0]?.requestId);
  await rejects(
    kernel.call("node.runnerInventory.update", INVENTORY, { caller: node.caller }),
    new RegExp(
      `^GatewayError: node capability surface is awaiting operator approval.*${
        pending[0]?.requestId
      }`,
    ),
  );
  const skill = { name: "a", description: "b", content: "c" };
  deepStrictEqual(
    await kernel.call("node.skills.update", { skills: [skill] }, { caller: node.caller }),
    { nodeId: "n1", skills: [] },
  );
  const tools = await kernel.call("node.pluginTools.update", TOOLS, { caller: node.caller });
  deepStrictEqual(tools, { nodeId: "n1", tools: [] });
  const heard = await kernel.call("node.event", { event: "x" }, { caller: node.caller });
  deepStrictEqual([heard.ok, heard.handled], [true, false]);
});

Deno.test("what is approved can be used at once, and the node hears of it", async () => {
  await using kernel = startKernel();
  const node = connect(kernel, "n1", { commands: ["system.run", "location.get"] });
  const tools = () => kernel.call("node.pluginTools.update", TOOLS, { caller: node.caller });
  await tools();
  const requestId = await wishOf(kernel, "n1");
  const { node: paired } = await kernel.call("node.pair.approve", { requestId });
  deepStrictEqual([paired.nodeId, paired.caps, paired.commands], [
    "n1",
    ["system"],
    ["system.run", "location.get"],
  ]);
  const row = await rowOf(kernel, "n1");
  deepStrictEqual([row.approvalState, row.caps, row.commands, row.pendingRequestId], [
    "approved",
    ["system"],
    ["location.get", "system.run"],
    undefined,
  ]);
  deepStrictEqual(row.nodePluginTools?.map(({ name }) => name), ["locate"]);
  deepStrictEqual((await tools()).tools.map(({ name }) => name), ["locate"]);
  deepStrictEqual(
    await kernel.call("node.runnerInventory.update", INVENTORY, { caller: node.caller }),
    { nodeId: "n1" },
  );
  const told = kernel.events.all.filter(({ name }) => name === "node.pair.resolved");
  const other = callerOf({ role: "node", scopes: [], deviceId: "n2" });
  const hears = (caller: ReturnType<typeof callerOf>) =>
    told.map((event) => kernel.gateway.concerns(caller, event));
  deepStrictEqual(hears(node.caller), [false, true]);
  deepStrictEqual(hears(callerOf({ scopes: ["operator.pairing"] })), [true, false]);
  deepStrictEqual(hears(callerOf({ scopes: ["operator.write"] })), [false, false]);
  deepStrictEqual(hears(other), [false, false]);
  deepStrictEqual(told.map(({ payload }) => "decision" in payload && payload.decision), [
    "approved",
    "approved",
  ]);
});

Deno.test("a node that was approved may offer less, and must ask for more", async () => {
  await using kernel = startKernel();
  const first = connect(kernel, "n1", { commands: ["system.which", "location.get"] });
  await approve(kernel, "n1");
  first.connection[Symbol.dispose]();
  const away = await rowOf(kernel, "n1");
  deepStrictEqual([away.connected, away.commands], [false, ["location.get", "system.which"]]);

  const less = connect(kernel, "n1", { commands: ["location.get"] });
  const narrow = await rowOf(kernel, "n1");
  deepStrictEqual([narrow.approvalState, narrow.commands], ["approved", ["location.get"]]);
  less.connection[Symbol.dispose]();

  const more = connect(kernel, "n1", { commands: ["location.get", "system.run"] });
  const wide = await rowOf(kernel, "n1");
  deepStrictEqual([wide.approvalState, wide.commands, wide.pendingDeclaredCommands], [
    "pending-reapproval",
    ["location.get"],
    ["location.get", "system.run"],
  ]);
  await kernel.call("node.runnerInventory.update", INVENTORY, { caller: more.caller });
  const requestId = await wishOf(kernel, "n1");
  deepStrictEqual(await kernel.call("node.pair.reject", { requestId }), {
    requestId,
    nodeId: "n1",
  });
  const turnedDown = await rowOf(kernel, "n1");
  deepStrictEqual([turnedDown.approvalState, turnedDown.commands], ["approved", ["location.get"]]);
  await rejects(kernel.call("node.pair.approve", { requestId }), /unknown requestId/);
});

Deno.test("a permission that the node got since is more than was approved", async () => {
  await using kernel = startKernel();
  const commands = ["location.get"];
  const first = connect(kernel, "n1", { commands, permissions: { location: false } });
  await approve(kernel, "n1");
  first.connection[Symbol.dispose]();
  connect(kernel, "n1", { commands, permissions: { location: true } });
  const row = await rowOf(kernel, "n1");
  deepStrictEqual([row.approvalState, row.permissions, row.pendingDeclaredPermissions], [
    "pending-reapproval",
    {},
    { location: true },
  ]);
});

Deno.test("the same wish keeps its id, also over a restart; another one replaces it", async () => {
  await using kernel = startKernel();
  const first = connect(kernel, "n1", { commands: ["location.get", "camera.list"] });
  const requestId = await wishOf(kernel, "n1");
  first.connection[Symbol.dispose]();
  await using again = await kernel.restart();
  strictEqual(await wishOf(again, "n1"), requestId);
  connect(again, "n1", { commands: ["camera.list", "location.get", "camera.list"] });
  strictEqual(await wishOf(again, "n1"), requestId);
  deepStrictEqual(again.events.of("node.pair.requested"), []);
  connect(again, "n1", { commands: ["camera.list", "location.get", "system.which"] });
  notStrictEqual(await wishOf(again, "n1"), requestId);
  deepStrictEqual(
    again.events.of("node.pair.resolved").map((event) => [event.requestId, event.decision]),
    [[requestId, "rejected"], [requestId, "rejected"]],
  );
  await rejects(again.call("node.pair.approve", { requestId }), /unknown requestId/);
});

Deno.test("approving what a node offers takes the right that fits it", async () => {
  await using kernel = startKernel();
  connect(kernel, "none", { commands: [] });
  connect(kernel, "some", { commands: ["location.get"] });
  connect(kernel, "shell", { commands: ["system.execApprovals.set"] });
  const table = [
    ["none", [], ["operator.pairing"]],
    ["some", ["operator.write"], ["operator.pairing", "operator.write"]],
    ["shell", ["operator.admin"], ["operator.pairing", "operator.admin"]],
  ] as const;
  for (const [nodeId, extra, needed] of table) {
    const requestId = await wishOf(kernel, nodeId);
    const by = (...scopes: readonly string[]) =>
      kernel.call("node.pair.approve", { requestId }, { caller: callerOf({ scopes }) });
    if (extra.length > 0) {
      const refused = by("operator.pairing");
      await rejects(refused, { code: "FORBIDDEN", message: `missing scope: ${extra[0]}` });
      await rejects(refused, (error: { details?: { requiredScopes?: unknown } }) => {
        deepStrictEqual(error.details?.requiredScopes, needed);
        return true;
      });
    }
    strictEqual((await by("operator.pairing", ...extra)).node.nodeId, nodeId);
  }
});

Deno.test("a node may not offer what the owner denies, nor what nodes of its kind do not have", async () => {
  await using kernel = startKernel({
    config: {
      gateway: {
        nodes: { commands: { allow: ["camera.snap"] }, denyCommands: ["location.get"] },
      },
    },
  });
  const commands = ["camera.snap", "location.get", "canvas.present", "sms.send", "made.up"];
  connect(kernel, "n1", { commands: [...commands, "system.which"] });
  const { pendingDeclaredCommands } = await rowOf(kernel, "n1");
  deepStrictEqual(pendingDeclaredCommands, ["camera.snap", "system.which"]);
  await approve(kernel, "n1");
  kernel.config.edit(
    JSON.stringify({ gateway: { nodes: { denyCommands: ["camera.snap", "system.which"] } } }),
  );
  deepStrictEqual((await rowOf(kernel, "n1")).commands, []);
});

Deno.test("a device that came by its token sees to its own node, unless it is an admin's", async () => {
  await using kernel = startKernel();
  connect(kernel, "n1", { commands: [] });
  const requestId = await wishOf(kernel, "n1");
  const scopes = ["operator.pairing", "operator.write"];
  const caller = callerOf({ deviceId: "other", method: "device-token", scopes });
  for (
    const call of [
      kernel.call("node.pair.approve", { requestId }, { caller }),
      kernel.call("node.pair.reject", { requestId }, { caller }),
      kernel.call("node.pair.remove", { nodeId: "n1" }, { caller }),
      kernel.call("node.rename", { nodeId: "n1", displayName: "x" }, { caller }),
    ]
  ) await rejects(call, /missing scope: operator\.admin/);
  const own = callerOf({ deviceId: "n1", method: "device-token", scopes });
  await kernel.call("node.pair.approve", { requestId }, { caller: own });
});

Deno.test("a node that is removed is none any more, at once", async () => {
  await using kernel = startKernel();
  const node = connect(kernel, "n1", { commands: ["location.get"] });
  await approve(kernel, "n1");
  await rejects(
    kernel.call("node.pair.remove", { nodeId: "n1" }, {
      caller: callerOf({ scopes: ["operator.pairing"] }),
    }),
    /missing scope: operator\.admin/,
  );
  deepStrictEqual(await kernel.call("node.pair.remove", { nodeId: "n1" }), { nodeId: "n1" });
  deepStrictEqual((await kernel.call("node.list", {})).nodes, []);
  deepStrictEqual(node.closed, ["4001 client invalidated: device removed"]);
  strictEqual(kernel.events.of("node.pair.resolved").at(-1)?.decision, "removed");
  await rejects(kernel.call("node.pair.remove", { nodeId: "n1" }), /unknown nodeId/);
  await rejects(kernel.call("node.rename", { nodeId: "n1", displayName: "x" }), /unknown nodeId/);
});

Deno.test("removing a node leaves what else the device is", async () => {
  await using kernel = startKernel();
  connect(kernel, "n1", { commands: ["location.get"] });
  await approve(kernel, "n1");
  const { pairing } = kernel.gateway;
  const asked = pairing.admit({ ...arrival("n1"), role: "operator", scopes: ["operator.read"] });
  ok("request" in asked);
  const { tokens } = pairing.approve(asked.request.requestId);
  await kernel.call("node.pair.remove", { nodeId: "n1" });
  const left = pairing.get("n1");
  deepStrictEqual([left?.roles, left?.scopes, left?.node], [
    ["operator"],
    ["operator.read"],
    undefined,
  ]);
  ok(pairing.checkToken("n1", tokens.operator?.token ?? "", "operator"));
  ok(!pairing.checkToken("n1", tokens.node?.token ?? "", "node"));
});

Deno.test("a node whose token is revoked and comes back must be approved anew", async () => {
  await using kernel = startKernel();
  connect(kernel, "n1", { commands: ["location.get"] });
  await approve(kernel, "n1");
  await kernel.call("device.token.revoke", { deviceId: "n1", role: "node" });
  const row = await rowOf(kernel, "n1");
  deepStrictEqual([row.connected, row.commands], [false, []]);
  const { pairing } = kernel.gateway;
  const refused = pairing.admit({ ...arrival("n1"), silent: true });
  ok("request" in refused);
  pairing.approve(refused.request.requestId);
  connect(kernel, "n1", { commands: ["location.get"] });
  strictEqual((await rowOf(kernel, "n1")).approvalState, "pending-approval");
});

Deno.test("connected nodes come first, then the names", async () => {
  await using kernel = startKernel();
  for (const name of ["beta", "alpha", "gamma"]) {
    const { connection } = connect(kernel, name, { commands: [] });
    if (name !== "gamma") connection[Symbol.dispose]();
  }
  const { nodes } = await kernel.call("node.list", {});
  deepStrictEqual(nodes.map(({ nodeId }) => nodeId), ["gamma", "alpha", "beta"]);
  const named = await kernel.call("node.rename", { nodeId: "beta", displayName: " Kitchen " });
  deepStrictEqual(named, { nodeId: "beta", displayName: "Kitchen" });
  strictEqual((await kernel.call("node.describe", { nodeId: "beta" })).displayName, "Kitchen");
  await rejects(kernel.call("node.rename", { nodeId: "beta", displayName: " " }), /blank/);
  await rejects(kernel.call("node.describe", { nodeId: "delta" }), /unknown nodeId/);
});

Deno.test("an older connection that ends late does not take the newer one's place", async () => {
  await using kernel = startKernel();
  const first = connect(kernel, "n1", { commands: [] });
  const second = connect(kernel, "n1", { commands: [] });
  first.connection[Symbol.dispose]();
  strictEqual((await rowOf(kernel, "n1")).connected, true);
  second.connection[Symbol.dispose]();
  strictEqual((await rowOf(kernel, "n1")).connected, false);
});

Deno.test("a node may leave while nothing can be written", async () => {
  await using kernel = startKernel();
  const { connection } = connect(kernel, "n1", { commands: [] });
  {
    using _full = fullDisk(kernel);
    connection[Symbol.dispose]();
  }
  strictEqual((await rowOf(kernel, "n1")).connected, false);
  deepStrictEqual(kernel.log.lines.filter(({ level }) => level === "error").map(messageOf), [
    "Cannot note that a node left",
  ]);
});

Deno.test("a node that can't be taken in leaves nothing behind", async () => {
  await using kernel = startKernel();
  const { connection } = connect(kernel, "n1", { commands: [] });
  connection[Symbol.dispose]();
  {
    using _full = fullDisk(kernel);
    throws(
      () => kernel.gateway.connect({ caller: nodeCaller("n1"), close() {} }),
      /disk is full/,
    );
  }
  strictEqual((await rowOf(kernel, "n1")).connected, false);
  const { paired } = await kernel.call("device.pair.list", {});
  deepStrictEqual(paired.map(({ connected }) => connected), [false]);
  const presence = await kernel.call("system-presence", {});
  deepStrictEqual(presence.map(({ reason }) => reason), ["self", "disconnect"]);
});

const INVENTORY = { protocolFeatures: ["x"], workerHost: { enabled: false } };
const TOOLS = {
  tools: [
    { pluginId: "p", name: "locate", description: "Finds it", command: "location.get" },
    { pluginId: "p", name: "film", description: "Films it", command: "camera.clip" },
    { pluginId: "p", name: "other", description: "By no command" },
  ],
};

function arrival(deviceId: string) {
  return {
    deviceId,
    publicKey: `key of ${deviceId}`,
    role: "node",
    scopes: [],
    silent: false,
    displayName: deviceId,
    platform: "linux",
  } as const;
}

/** Connects a Linux node of the owner's machine, pairing it where it is not. */
function connect(kernel: TestKernel, deviceId: string, surface: Partial<NodeSurface>) {
  const admitted = kernel.gateway.pairing.admit({ ...arrival(deviceId), silent: true });
  ok("token" in admitted);
  const caller = nodeCaller(deviceId, surface);
  const closed: string[] = [];
  const close = (code: number, reason: string) => void closed.push(`${code} ${reason}`);
  return { caller, closed, connection: kernel.gateway.connect({ caller, close }) };
}

function nodeCaller(deviceId: string, surface: Partial<NodeSurface> = {}) {
  return callerOf({
    deviceId,
    role: "node",
    scopes: [],
    client: { id: "node-host", mode: "node", displayName: deviceId },
    surface: { caps: ["system"], commands: [], ...surface },
  });
}

/** No device can be kept, until disposed of. */
function fullDisk({ store: { devices } }: TestKernel): Disposable {
  devices.saveDevice = () => {
    throw new Error("database or disk is full");
  };
  return { [Symbol.dispose]: () => void Reflect.deleteProperty(devices, "saveDevice") };
}

function messageOf({ message }: { readonly message: string }): string {
  return message;
}

async function rowOf(kernel: TestKernel, nodeId: string) {
  return await kernel.call("node.describe", { nodeId });
}

async function wishOf(kernel: TestKernel, nodeId: string): Promise<string> {
  const { pendingRequestId = "" } = await rowOf(kernel, nodeId);
  match(pendingRequestId, /^[0-9a-f-]{36}$/);
  return pendingRequestId;
}

async function approve(kernel: TestKernel, nodeId: string): Promise<void> {
  await kernel.call("node.pair.approve", { requestId: await wishOf(kernel, nodeId) });
}
