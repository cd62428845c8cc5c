/** A headless node's life with the gateway, as its operators and the node itself see it. */
import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { GatewayRefusal } from "../src/client/client.ts";
import type { Close } from "../src/client/client.ts";
import { createDeviceKey, type DeviceKey } from "../src/client/identity.ts";
import { startGateway, type TestClient, type TestGateway } from "./gateway.ts";

const FAR = {
  gateway: { nodes: { pairing: { autoApproveLocal: false } } },
  agents: { defaults: { model: { primary: "demo/demo" } } },
};
const INVENTORY = { protocolFeatures: ["x"], workerHost: { enabled: false } };

for (const protocol of [3, 4]) {
  Deno.test(`a protocol-${protocol} node goes from unknown to approved to revoked`, async () => {
    await using gateway = await startGateway({ config: FAR });
    await using owner = await gateway.connect();
    const key = createDeviceKey();
    const connect = nodeOf(gateway, { key, protocol });

    // Unknown: the device itself is the first to be approved.
    const stranger = await refusalOf(connect());
    deepStrictEqual([stranger.code, stranger.reason], ["NOT_PAIRED", "PAIRING_REQUIRED"]);
    const { pending: [asking] } = await owner.request("device.pair.list", {});
    ok(asking !== undefined);
    deepStrictEqual([asking.deviceId, asking.role], [key.deviceId, "node"]);
    await owner.request("device.pair.approve", { requestId: asking.requestId });

    // Pending: it is connected, and nothing of it is used.
    const closed = Promise.withResolvers<Close>();
    await using node = await connect({ onClose: closed.resolve });
    const waiting = await owner.request("node.describe", { nodeId: key.deviceId });
    deepStrictEqual([waiting.connected, waiting.approvalState, waiting.commands], [
      true,
      "pending-approval",
      [],
    ]);
    deepStrictEqual(waiting.pendingDeclaredCommands, ["location.get", "system.run"]);
    const requested = await owner.event(({ event }) => event === "node.pair.requested");
    const { requestId } = requested.payload as { requestId: string };
    strictEqual(requestId, waiting.pendingRequestId);
    if (protocol === 4) {
      await rejects(
        node.request("node.runnerInventory.update", INVENTORY),
        (error: GatewayRefusal) => {
          match(error.message, /^node capability surface is awaiting operator approval/);
          ok(error.message.includes(requestId));
          return error.code === "UNAVAILABLE";
        },
      );
    }

    // Approved, by somebody who holds enough: what it lends counts on the open line.
    await using helper = await gateway.connect({ scopes: ["operator.pairing", "operator.write"] });
    await rejects(
      helper.request("node.pair.approve", { requestId }),
      /missing scope: operator\.admin/,
    );
    await owner.request("node.pair.approve", { requestId });
    const resolved = await node.event(({ event }) => event === "node.pair.resolved");
    const { decision, nodeId } = resolved.payload as Record<string, unknown>;
    deepStrictEqual([decision, nodeId], ["approved", key.deviceId]);
    deepStrictEqual(node.events.filter(({ event }) => event === "node.pair.requested"), []);
    const approved = await owner.request("node.describe", { nodeId: key.deviceId });
    deepStrictEqual([approved.approvalState, approved.commands], [
      "approved",
      ["location.get", "system.run"],
    ]);
    if (protocol === 4) {
      deepStrictEqual(await node.request("node.runnerInventory.update", INVENTORY), {
        nodeId: key.deviceId,
      });
    }

    // Revoked: the line is cut, and its calls fail.
    const params = { deviceId: key.deviceId, role: "node" };
    await owner.request("device.token.revoke", params);
    const gone = await owner.request("node.describe", { nodeId: key.deviceId });
    strictEqual(gone.connected, false);
    deepStrictEqual(await closed.promise, {
      code: 4001,
      reason: "client invalidated: device token revoked",
    });
    await rejects(node.request("node.event", { event: "x" }), /device token revoked|closed/);
    const back = await refusalOf(connect());
    deepStrictEqual([back.code, back.reason], ["NOT_PAIRED", "PAIRING_REQUIRED"]);
    deepStrictEqual(
      (await owner.request("node.describe", { nodeId: key.deviceId })).approvalState,
      "pending-approval",
    );
  });
}

Deno.test("an approval outlives a restart, and so does a wish", async () => {
  const first = await startGateway();
  const key = createDeviceKey();
  let requestId = "";
  {
    await using owner = await first.connect();
    await using _node = await nodeOf(first, { key, protocol: 4 })();
    ({ pendingRequestId: requestId = "" } = await owner.request("node.describe", {
      nodeId: key.deviceId,
    }));
  }
  await using second = await first.restart();
  await using owner = await second.connect();
  await owner.request("node.pair.approve", { requestId });
  await using _node = await nodeOf(second, { key, protocol: 4 })();
  const { nodes } = await owner.request("node.list", {});
  deepStrictEqual(nodes.map(({ approvalState, commands }) => [approvalState, commands]), [
    ["approved", ["location.get", "system.run"]],
  ]);
});

function nodeOf(gateway: TestGateway, { key, protocol }: { key: DeviceKey; protocol: number }) {
  return (options: Parameters<TestGateway["connect"]>[0] = {}): Promise<TestClient> =>
    gateway.connect({
      client: {
        id: "node-host",
        displayName: "Kitchen",
        mode: "node",
        version: "1",
        platform: "linux",
        ...(protocol === 3 ? {} : { deviceFamily: "Linux" }),
      },
      identity: key,
      role: "node",
      scopes: [],
      caps: ["system"],
      commands: ["system.run", "location.get", "made.up"],
      protocol: { min: protocol, max: protocol },
      ...options,
    });
}

async function refusalOf(attempt: Promise<TestClient>): Promise<GatewayRefusal> {
  try {
    await using _client = await attempt;
  } catch (error) {
    if (error instanceof GatewayRefusal) return error;
    throw error;
  }
  throw new Error("It was let in");
}
