/** `openclaw nodes` */
import type { NodeEntry, NodePairRequest } from "../../schemas/nodes.ts";
import type { ParamsOf, ResultOf } from "../../schemas/mod.ts";
import type { GatewayClient, RequestOptions } from "../client/client.ts";
import { answer } from "./answer.ts";
import { type Call, command, type Group } from "./command.ts";
import { withGateway } from "./connect.ts";
import { Failure } from "./failure.ts";
import { UsageError } from "./flags.ts";
import { cut, oneLine, table } from "./text.ts";
import { relative } from "./time.ts";

const READ = { scopes: ["operator.read"] } as const;
const PAIRING = { scopes: ["operator.pairing"] } as const;
const BOTH = { scopes: ["operator.read", "operator.pairing"] } as const;
const NODE = { name: "node" } as const;
const REQUEST = { name: "request" } as const;
/** Fewer characters of an id than this say nothing. */
const MIN_PREFIX = 4;

const list = command({
  about: "List the devices that the gateway steers",
  flags: { connected: { kind: "switch", about: "Only those that are connected now" } },
  connects: true,
  examples: [
    ["openclaw nodes list", "list them all"],
    ["openclaw nodes list --connected", "list those that can be used now"],
  ],
  async run(call) {
    const { ts, nodes } = await withGateway(call, READ, listed);
    const shown = nodes.filter(({ connected }) => connected || !call.flags.connected);
    return answer(call, { ts, nodes: shown }, ({ nodes }) => show(nodes, call));
  },
});

const status = command({
  about: "Show how many nodes there are, and what they lend",
  flags: {},
  connects: true,
  examples: [["openclaw nodes status", "see whether one waits to be approved"]],
  async run(call) {
    const result = await withGateway(call, READ, listed);
    return answer(call, result, ({ nodes }) => {
      const connected = nodes.filter((node) => node.connected).length;
      const waiting = nodes.filter(({ pendingRequestId }) => pendingRequestId !== undefined).length;
      const advice = waiting === 0 ? "" : ": see openclaw nodes pending";
      return `${nodes.length} known, ${connected} connected, ${waiting} ask for approval${advice}\n` +
        (nodes.length === 0 ? "" : `\n${show(nodes, call)}`);
    });
  },
});

const pending = command({
  about: "List what nodes would like to lend, and what approving it would allow",
  flags: {},
  connects: true,
  examples: [["openclaw nodes pending", "see it before it is approved"]],
  async run(call) {
    const result = await withGateway(call, PAIRING, wishes);
    return answer(call, result, ({ pending }) => showPending(pending, call));
  },
});

const approve = command({
  about: "Let the gateway use what a node lends",
  details: "Without a request it approves the only one; where there are more, it says which.",
  words: [{ ...REQUEST, optional: true }],
  flags: { latest: { kind: "switch", about: "The newest request" } },
  connects: true,
  examples: [
    ["openclaw nodes approve", "the only one that asks"],
    ["openclaw nodes approve 3f2a9c4e-…", "the one that `nodes pending` lists"],
  ],
  async run(call) {
    const result = await withGateway(call, PAIRING, async (gateway, options) => {
      const { pending } = await wishes(gateway, options);
      const { requestId } = chosen(pending, { id: call.words[0], latest: call.flags.latest });
      return await gateway.request("node.pair.approve", { requestId }, options);
    });
    return answer(
      call,
      result,
      ({ node }) =>
        `${nameOf(node)} lends ${node.commands?.map(oneLine).join(", ") || "nothing"}\n`,
    );
  },
});

const reject = command({
  about: "Turn down what a node would like to lend; what was approved stays",
  words: [REQUEST],
  flags: {},
  connects: true,
  examples: [["openclaw nodes reject 3f2a9c4e-…", "turn it down"]],
  async run(call) {
    const result = await withGateway(call, PAIRING, async (gateway, options) => {
      const { pending } = await wishes(gateway, options);
      const { requestId } = requestNamed(pending, call.words[0] ?? "");
      return await gateway.request("node.pair.reject", { requestId }, options);
    });
    return answer(call, result, ({ nodeId }) => `${shortId(nodeId)} lends nothing more\n`);
  },
});

const remove = command({
  about: "End that a device is a node, and cut it off",
  words: [NODE],
  flags: {},
  connects: true,
  examples: [["openclaw nodes remove kitchen", "by its name, its id or the start of it"]],
  async run(call) {
    const result = await forNode(call, "node.pair.remove", ({ nodeId }) => ({ nodeId }));
    return answer(call, result, ({ nodeId }) => `${shortId(nodeId)} is no node any more\n`);
  },
});

const rename = command({
  about: "Give a node another name",
  words: [NODE, { name: "name" }],
  flags: {},
  connects: true,
  examples: [[`openclaw nodes rename 9f86d081 Kitchen`, "rename one"]],
  async run(call) {
    const displayName = call.words[1] ?? "";
    const result = await forNode(call, "node.rename", ({ nodeId }) => ({ nodeId, displayName }));
    return answer(
      call,
      result,
      ({ nodeId, displayName }) => `${shortId(nodeId)} is now '${oneLine(displayName)}'\n`,
    );
  },
});

const describe = command({
  about: "Show all that is known of a node",
  words: [NODE],
  flags: {},
  connects: true,
  examples: [["openclaw nodes describe kitchen", "what it is and what it lends"]],
  async run(call) {
    const result = await forNode(call, "node.describe", ({ nodeId }) => ({ nodeId }), READ);
    return answer(call, result, (node) => showOne(node, call));
  },
});

export default {
  about: "List the devices that the gateway steers, and say what they may lend",
  usual: "list",
  commands: { list, status, pending, approve, reject, remove, rename, describe },
} satisfies Group;

function listed(gateway: GatewayClient, options: RequestOptions): Promise<ResultOf<"node.list">> {
  return gateway.request("node.list", {}, options);
}

function wishes(
  gateway: GatewayClient,
  options: RequestOptions,
): Promise<ResultOf<"node.pair.list">> {
  return gateway.request("node.pair.list", {}, options);
}

/** Asks one thing about the node that the first word names. */
function forNode<M extends "node.pair.remove" | "node.rename" | "node.describe">(
  call: Call,
  method: M,
  params: (node: NodeEntry) => ParamsOf<M>,
  purpose: typeof BOTH | typeof READ = BOTH,
): Promise<ResultOf<M>> {
  return withGateway(call, purpose, async (gateway, options) => {
    const { nodes } = await listed(gateway, options);
    const node = nodeNamed(nodes, call.words[0] ?? "");
    return await gateway.request(method, params(node), options);
  });
}

/** The request that the command line means. Among several none is guessed. */
function chosen(
  pending: readonly NodePairRequest[],
  { id, latest }: { id: string | undefined; latest: boolean },
): NodePairRequest {
  if (id !== undefined) return requestNamed(pending, id);
  const [newest, ...others] = pending.toSorted((a, b) => b.ts - a.ts);
  if (newest === undefined) throw new Failure("NOT_FOUND", "No node asks to be approved");
  if (latest || others.length === 0) return newest;
  throw new UsageError(
    `${pending.length} nodes ask. The newest is ${oneLine(newest.requestId)}, ${nameOf(newest)}: ` +
      "give its id, or --latest",
  );
}

function requestNamed(pending: readonly NodePairRequest[], word: string): NodePairRequest {
  return only(pending.filter(({ requestId }) => isMeant(requestId, word)), {
    none: `No node asks with the request '${word}'`,
    many: `More than one request starts with '${word}'`,
    hint: "list them with `openclaw nodes pending`",
  });
}

function nodeNamed(nodes: readonly NodeEntry[], word: string): NodeEntry {
  const isNamed = ({ nodeId, displayName }: NodeEntry) =>
    displayName?.toLowerCase() === word.toLowerCase() || isMeant(nodeId, word);
  return only(nodes.filter(isNamed), {
    none: `There is no node '${word}'`,
    many: `More than one node is meant by '${word}'`,
    hint: "list them with `openclaw nodes`",
  });
}

function isMeant(id: string, word: string): boolean {
  return id === word || (word.length >= MIN_PREFIX && id.startsWith(word));
}

function only<T>(
  found: readonly T[],
  { none, many, hint }: { none: string; many: string; hint: string },
): T {
  const [first, second] = found;
  if (first === undefined) throw new Failure("NOT_FOUND", none, { hint });
  if (second !== undefined) throw new Failure("AMBIGUOUS", many, { hint });
  return first;
}

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

function showPending(
  pending: readonly NodePairRequest[],
  { paint, io }: Pick<Call, "paint" | "io">,
): string {
  if (pending.length === 0) return "No node asks to be approved\n";
  return table(
    ["ASKING", "NAME", "PLATFORM", "TAKES", "SINCE", "WOULD LEND"],
    pending.map((request) => [
      oneLine(request.requestId),
      cut(nameOf(request), 32),
      oneLine(request.platform ?? "-"),
      (request.requiredApproveScopes ?? []).map((scope) =>
        oneLine(scope).replace(/^operator\./, "")
      ).join(","),
      relative(request.ts, io.now()),
      request.commands?.map(oneLine).join(", ") || "nothing",
    ]),
    paint.dim,
  );
}

function showOne(node: NodeEntry, { paint, io }: Pick<Call, "paint" | "io">): string {
  const permissions = Object.entries(node.permissions ?? {}).filter(([, has]) => has);
  const rows: readonly (readonly [string, string | undefined])[] = [
    ["Node", node.nodeId],
    ["Name", node.displayName],
    [
      "Platform",
      [node.platform, node.deviceFamily, node.modelIdentifier].filter(Boolean).join(", "),
    ],
    ["Version", node.version],
    ["Address", node.remoteIp],
    ["State", stateOf(node, paint)],
    ["Seen", relative(node.connectedAtMs ?? node.lastSeenAtMs, io.now())],
    ["Abilities", node.caps.join(", ")],
    ["Commands", node.commands.join(", ")],
    ["Permissions", permissions.map(([name]) => name).join(", ")],
    ["Asks", node.pendingRequestId],
    ["Would lend", node.pendingDeclaredCommands?.join(", ")],
  ];
  const width = Math.max(...rows.map(([name]) => name.length)) + 2;
  return rows.filter(([, value]) => value).map(([name, value = ""]) =>
    `${name.padEnd(width)}${name === "State" ? value : oneLine(value)}\n`
  ).join("");
}

function stateOf({ connected, approvalState }: NodeEntry, paint: Call["paint"]): string {
  if (approvalState === "pending-approval") return paint.yellow("waits for approval");
  if (approvalState === "pending-reapproval") return paint.yellow("would lend more");
  return connected ? paint.green("connected") : paint.dim("away");
}

function nameOf(
  { displayName, clientId, nodeId }: Pick<NodePairRequest, "displayName" | "clientId" | "nodeId">,
): string {
  return oneLine(displayName ?? clientId ?? shortId(nodeId));
}

function shortId(nodeId: string): string {
  return oneLine(nodeId).slice(0, 12);
}
