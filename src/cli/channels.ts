/** `openclaw channels` */
import type { ChannelAccountSnapshot } from "../../schemas/channels.ts";
import type { ResultOf } from "../../schemas/mod.ts";
import { answer } from "./answer.ts";
import { type Call, command, type Group } from "./command.ts";
import { withGateway } from "./connect.ts";
import { cut, oneLine, table } from "./text.ts";
import { relative } from "./time.ts";

const status = command({
  about: "Show the messaging networks and the accounts on them",
  flags: {
    probe: { kind: "switch", about: "Ask the networks too, which takes longer" },
  },
  connects: true,
  examples: [
    ["openclaw channels status", "which are up?"],
    ["openclaw channels status --probe", "do the networks agree?"],
  ],
  async run(call) {
    const { probe } = call.flags;
    const result = await withGateway(
      call,
      { scopes: ["operator.read"] },
      (gateway, { timeoutMs }) =>
        gateway.request("channels.status", { probe, timeoutMs }, { timeoutMs }),
    );
    return answer(call, result, (result) => show(result, call));
  },
});

export default {
  about: "Show the messaging networks",
  usual: "status",
  commands: { status },
} satisfies Group;

function show(
  { channelOrder, channelLabels, channelAccounts }: ResultOf<"channels.status">,
  { paint, io }: Pick<Call, "paint" | "io">,
): string {
  const rows = channelOrder.flatMap((id) =>
    (channelAccounts[id] ?? []).map((account) => [
      oneLine(channelLabels[id] ?? id),
      oneLine(account.name ?? account.accountId),
      stateOf(account, paint),
      relative(account.lastInboundAt, io.now()),
      relative(account.lastOutboundAt, io.now()),
      cut(oneLine(account.lastError ?? ""), 60),
    ])
  );
  if (rows.length === 0) return "No messaging network is set up\n";
  return table(["CHANNEL", "ACCOUNT", "STATE", "RECEIVED", "SENT", "ERROR"], rows, paint.dim);
}

function stateOf(
  { enabled, configured, connected, running }: ChannelAccountSnapshot,
  paint: Call["paint"],
): string {
  if (enabled === false) return paint.dim("off");
  if (configured === false) return paint.yellow("not set up");
  if (connected === true) return paint.green("connected");
  return running === true ? paint.yellow("connecting") : paint.red("stopped");
}
