/** `openclaw status` */
import type { HelloOk } from "../../schemas/connect.ts";
import type { ResultOf } from "../../schemas/mod.ts";
import type { HealthSnapshot, PresenceEntry } from "../../schemas/system.ts";
import { answer } from "./answer.ts";
import { type Call, command } from "./command.ts";
import { withGateway } from "./connect.ts";
import { cut, facts, oneLine, table } from "./text.ts";
import { duration, relative } from "./time.ts";

/** What `openclaw status --json` prints. */
interface Overview {
  readonly gateway: {
    readonly url: string;
    readonly version: string;
    readonly protocol: number;
    readonly uptimeMs: number;
  };
  readonly health: HealthSnapshot;
  readonly status: ResultOf<"status">;
  readonly presence: readonly PresenceEntry[];
}

export default command({
  about: "Show the gateway, its agents and its sessions",
  flags: {},
  connects: true,
  examples: [
    ["openclaw status", "see how things are"],
    ["openclaw status --json", "the same for a program"],
  ],
  async run(call) {
    const overview = await withGateway(
      call,
      { scopes: ["operator.read"] },
      async (gateway, options): Promise<Overview> => {
        const [health, status, presence] = await Promise.all([
          gateway.request("health", {}, options),
          gateway.request("status", { includeChannelSummary: true }, options),
          gateway.request("system-presence", {}, options),
        ]);
        return {
          gateway: { url: gateway.url, ...described(gateway.hello) },
          health,
          status,
          presence,
        };
      },
    );
    return answer(call, overview, (overview) => show(overview, call));
  },
});

function described({ server, protocol, snapshot }: HelloOk) {
  return { version: server.version, protocol, uptimeMs: snapshot.uptimeMs };
}

function show(
  { gateway, health, status, presence }: Overview,
  { paint, io }: Pick<Call, "paint" | "io">,
): string {
  const { url, version, protocol, uptimeMs } = gateway;
  const beating = status.heartbeat.agents.filter(({ enabled }) => enabled);
  const summary = facts([
    ["Gateway", `${paint.green("up")} ${duration(uptimeMs)}  ${url}`],
    ["Version", `openclaw ${oneLine(version)}, protocol ${protocol}`],
    [
      "Agents",
      health.agents.map(({ agentId, isDefault }) => agentId + (isDefault ? " (default)" : "")).join(
        ", ",
      ),
    ],
    ["Model", oneLine(status.sessions.defaults.model ?? "")],
    ["Channels", status.channelSummary.map(oneLine).join("; ") || "none"],
    [
      "Heartbeat",
      beating.map(({ agentId, every }) => `${agentId} every ${every}`).join(", ") || "off",
    ],
    [
      "Connected",
      presence.map(({ host, clientId, mode }) => oneLine(host ?? clientId ?? mode ?? "?")).join(
        ", ",
      ),
    ],
    ["Sessions", String(status.sessions.count)],
  ], paint.dim);
  const { recent } = status.sessions;
  if (recent.length === 0) return summary;
  const rows = recent.map((session) => [
    cut(oneLine(session.key), 60),
    oneLine(session.model ?? "-"),
    session.percentUsed === null ? "-" : `${session.percentUsed} %`,
    relative(session.updatedAt, io.now()),
  ]);
  return `${summary}\n${table(["SESSION", "MODEL", "CONTEXT", "USED"], rows, paint.dim)}`;
}
