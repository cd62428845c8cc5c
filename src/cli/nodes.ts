/** `openclaw nodes` */
import type { NodeEntry } from "../../schemas/nodes.ts";
import { answer } from "./answer.ts";
import { type Call, command, type Group } from "./command.ts";
import { withGateway } from "./connect.ts";
import { cut, oneLine, table } from "./text.ts";
import { relative } from "./time.ts";

const list = command({
  about: "List the devices that the gateway steers",
  flags: { connected: { kind: "switch", about: "Only those that are connected now" } },
  connects: true,
  examples: [
    ["openclaw nodes list", "list them all"],
    ["openclaw nodes list --connected", "list those that can be used now"],
  ],
  async run(call) {
    const { ts, nodes } = await withGateway(
      call,
      { scopes: ["operator.read"] },
      (gateway, options) => gateway.request("node.list", {}, options),
    );
    const shown = nodes.filter(({ connected }) => connected || !call.flags.connected);
    return answer(call, { ts, nodes: shown }, ({ nodes }) => show(nodes, call));
  },
});

export default {
  about: "List the devices that the gateway steers",
  usual: "list",
  commands: { list },
} satisfies Group;

function show(nodes: readonly NodeEntry[], { paint, io }: Pick<Call, "paint" | "io">): string {
  if (nodes.length === 0) return "There are no nodes\n";
  return table(
    ["NODE", "NAME", "PLATFORM", "STATE", "SEEN", "COMMANDS"],
    nodes.map((node) => [
      cut(oneLine(node.nodeId), 13),
      cut(oneLine(node.displayName ?? "-"), 32),
      oneLine(node.platform ?? "-"),
      stateOf(node, paint),
      relative(node.connectedAtMs ?? node.lastSeenAtMs, io.now()),
      cut(oneLine(node.commands.join(", ")), 60),
    ]),
    paint.dim,
  );
}

function stateOf({ connected, approvalState }: NodeEntry, paint: Call["paint"]): string {
  if (approvalState === "pending-approval") return paint.yellow("waits for approval");
  return connected ? paint.green("connected") : paint.dim("away");
}
