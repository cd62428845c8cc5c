import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { callerOf, startKernel, type TestKernel } from "../../tests/kernel.ts";

Deno.test("a node is listed with what it offers, and none of it is used before it is approved", async () => {
  await using kernel = startKernel();
  const node = connect(kernel, "n1", ["system.run", "location.get"]);
  const { nodes } = await kernel.call("node.list", {});
  const [row] = nodes;
  deepStrictEqual([row?.nodeId, row?.connected, row?.paired, row?.caps, row?.commands], [
    "n1",
    true,
    true,
    [],
    [],
  ]);
  deepStrictEqual([row?.approvalState, row?.pendingDeclaredCommands], [
    "pending-approval",
    ["system.run", "location.get"],
  ]);
  const { pending } = await kernel.call("node.pair.list", {});
  deepStrictEqual(
    pending.map(({ nodeId, requiredApproveScopes }) => [nodeId, requiredApproveScopes]),
    [
      ["n1", ["operator.pairing", "operator.admin"]],
    ],
  );
  strictEqual(row?.pendingRequestId, pending[0]?.requestId);
  strictEqual(kernel.events.of("node.pair.requested")[0]?.requestId, pending[0]?.requestId);
  await rejects(
    kernel.call("node.skills.update", { skills: [] }, { caller: node.caller }),
    new RegExp(`awaiting operator approval \\(requestId: ${pending[0]?.requestId}\\)`),
  );
  const heard = await kernel.call("node.event", { event: "x" }, { caller: node.caller });
  deepStrictEqual([heard.ok, heard.handled], [true, false]);
});

Deno.test("approving what a node offers takes the right that fits it", async () => {
  await using kernel = startKernel();
  connect(kernel, "none", []);
  connect(kernel, "some", ["location.get"]);
  connect(kernel, "shell", ["system.execApprovals.set"]);
  const { pending } = await kernel.call("node.pair.list", {});
  const needed = pending.map((
    { nodeId, requiredApproveScopes },
  ) => [nodeId, requiredApproveScopes]);
  deepStrictEqual(Object.fromEntries(needed), {
    none: ["operator.pairing"],
    some: ["operator.pairing", "operator.write"],
    shell: ["operator.pairing", "operator.admin"],
  });
});

Deno.test("the same node with the same offer is the same request, however often it comes", async () => {
  await using kernel = startKernel();
  const first = connect(kernel, "n1", ["a", "b"]);
  const second = connect(kernel, "n1", ["b", "a"]);
  const ids = () => kernel.events.of("node.pair.requested").map(({ requestId }) => requestId);
  strictEqual(new Set(ids()).size, 1);
  first.connection[Symbol.dispose]();
  strictEqual((await kernel.call("node.list", {})).nodes[0]?.connected, true);
  second.connection[Symbol.dispose]();
  strictEqual((await kernel.call("node.list", {})).nodes[0]?.connected, false);
  connect(kernel, "n1", ["a", "b", "c"]);
  strictEqual(new Set(ids()).size, 2);
});

Deno.test("connected nodes come first, then the names", async () => {
  await using kernel = startKernel();
  for (const name of ["beta", "alpha", "gamma"]) {
    const { connection } = connect(kernel, name, []);
    if (name !== "gamma") connection[Symbol.dispose]();
  }
  const { nodes } = await kernel.call("node.list", {});
  deepStrictEqual(nodes.map(({ nodeId }) => nodeId), ["gamma", "alpha", "beta"]);
  strictEqual((await kernel.call("node.describe", { nodeId: "beta" })).displayName, "beta");
  await rejects(kernel.call("node.describe", { nodeId: "delta" }), /unknown nodeId/);
});

function connect(kernel: TestKernel, deviceId: string, commands: readonly string[]) {
  const admitted = kernel.gateway.pairing.admit({
    deviceId,
    publicKey: `key of ${deviceId}`,
    role: "node",
    scopes: [],
    silent: true,
    displayName: deviceId,
  });
  ok("token" in admitted);
  const caller = callerOf({
    deviceId,
    role: "node",
    scopes: [],
    client: { id: "node-host", mode: "node", displayName: deviceId },
    surface: { caps: ["system"], commands },
  });
  return { caller, connection: kernel.gateway.connect({ caller, close() {} }) };
}
