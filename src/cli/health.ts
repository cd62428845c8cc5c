/** `openclaw health` */
import type { HealthSnapshot } from "../../schemas/system.ts";
import { answer } from "./answer.ts";
import { type Call, command } from "./command.ts";
import { withGateway } from "./connect.ts";
import { facts, oneLine } from "./text.ts";
import { relative } from "./time.ts";

export default command({
  about: "Check that the gateway is well",
  details: "Exits with 1 if it can't be reached or doesn't answer.",
  flags: { probe: { kind: "switch", about: "Ask for fresh facts, not those of the last minute" } },
  connects: true,
  examples: [
    ["openclaw health", "is it well?"],
    ["openclaw health --json --timeout 2000", "for a monitor"],
  ],
  async run(call) {
    const params = call.flags.probe ? { probe: true } : {};
    const health = await withGateway(
      call,
      { scopes: ["operator.read"] },
      (gateway, options) => gateway.request("health", params, options),
    );
    return answer(call, health, (health) => show(health, call));
  },
});

function show(health: HealthSnapshot, { paint, io }: Pick<Call, "paint" | "io">): string {
  const { channelOrder, channelLabels, agents, sessions, durationMs } = health;
  const [newest] = sessions.recent;
  const activity = newest === undefined
    ? ""
    : `, last used ${relative(newest.updatedAt, io.now())}`;
  return facts([
    ["Gateway", `${paint.green("ok")} ${paint.dim(`(${durationMs} ms)`)}`],
    [
      "Agents",
      agents.map(({ agentId, isDefault }) => agentId + (isDefault ? " (default)" : "")).join(", "),
    ],
    ["Channels", channelOrder.map((id) => oneLine(channelLabels[id] ?? id)).join(", ") || "none"],
    ["Sessions", `${sessions.count}${activity}`],
  ], paint.dim);
}
