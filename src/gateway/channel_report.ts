/** The accounts on all networks as clients see them. */
import type { ChannelAccountSnapshot, ChannelStatusIssue } from "../../schemas/channels.ts";
import type { Account } from "../account.ts";
import type { InboxReport } from "./inbox.ts";
import type { Standing, Supervisor } from "./supervisor.ts";

/** What a network said when it was asked who we are. */
export interface ProbeResult {
  readonly ok: boolean;
  readonly elapsedMs: number;
  readonly error?: string;
  readonly bot?: { readonly id: string; readonly username?: string; readonly name?: string };
}

/** One account. `probe` is what the network said just now, `messages` what became of what came. */
export function accountSnapshot(
  { account, attendant }: Standing,
  { probe, messages, now }: { probe?: ProbeResult; messages?: InboxReport; now: number },
): ChannelAccountSnapshot {
  const { accountId, name, enabled, policy: { dmPolicy, allowFrom } } = account;
  const common = {
    accountId,
    ...(name === undefined ? {} : { name }),
    enabled,
    dmPolicy,
    allowFrom: [...allowFrom],
    ...baseUrlOf(account),
  };
  if (attendant === undefined) {
    return { ...common, running: false, connected: false, lastError: null };
  }
  const { vitals, health: { health, why }, isConfigured, secrets } = attendant;
  const { isRunning, startedAt, stoppedAt, connectedAt, restarts } = vitals;
  const isConnected = isRunning && connectedAt !== undefined && connectedAt >= (startedAt ?? 0) &&
    health !== "dead";
  return {
    ...common,
    configured: isConfigured,
    running: isRunning,
    connected: isConnected,
    healthState: health === "ok" ? "healthy" : health,
    reconnectAttempts: health === "ok" ? 0 : restarts,
    lastConnectedAt: connectedAt ?? null,
    lastError: why ?? null,
    lastStartAt: startedAt ?? null,
    lastStopAt: stoppedAt ?? null,
    lastInboundAt: vitals.inboundAt ?? null,
    lastOutboundAt: vitals.outboundAt ?? null,
    lastTransportActivityAt: vitals.signAt ?? null,
    ...sourcesOf(account, secrets),
    ...(vitals.self === undefined ? {} : { self: vitals.self }),
    ...(messages === undefined ? {} : { messages }),
    ...(probe === undefined ? {} : { probe, lastProbeAt: now }),
  };
}

/** All accounts, in the form of `channels.status`. */
export function channelReport(
  supervisor: Supervisor,
  { only, probes = new Map(), messages, now }: {
    /** One network, where not all are wanted. */
    only?: string;
    probes?: ReadonlyMap<string, ProbeResult>;
    /** What became of what came through an account. */
    messages?: (account: Account) => InboxReport;
    now: number;
  },
) {
  const networks = supervisor.configured.filter(({ id }) => only === undefined || id === only);
  const rows = networks.map((network) => {
    const standings = supervisor.accounts(network.id);
    const accounts = standings.map((standing) => {
      const probe = probes.get(probeKey(standing.account));
      return accountSnapshot(standing, {
        now,
        ...(probe === undefined ? {} : { probe }),
        ...(messages === undefined ? {} : { messages: messages(standing.account) }),
      });
    });
    const defaultId = supervisor.defaultAccountId(network.id) ?? "default";
    const main = accounts.find(({ accountId }) => accountId === defaultId) ?? accounts[0];
    return { network, accounts, defaultId, main };
  });
  const byId = <T>(value: (row: typeof rows[number]) => T): Record<string, T> =>
    Object.fromEntries(rows.map((row) => [row.network.id, value(row)]));
  return {
    channelOrder: networks.map(({ id }) => id),
    channelLabels: byId(({ network }) => network.label),
    channelDetailLabels: byId(({ network }) => network.label),
    channelSystemImages: {},
    channelMeta: networks.map(({ id, label }) => ({ id, label, detailLabel: label })),
    channels: byId(({ main }): unknown => main),
    channelAccounts: byId(({ accounts }) => accounts),
    channelDefaultAccountId: byId(({ defaultId }) => defaultId),
    statusIssues: networks.flatMap(({ id }) => supervisor.accounts(id).flatMap(issuesOf)),
  };
}

/** One line for each account, for people. */
export function channelSummary(supervisor: Supervisor): readonly string[] {
  return supervisor.configured.flatMap(({ id, label }) =>
    supervisor.accounts(id).map(({ account, attendant }) => {
      const { accountId, name = accountId } = account;
      const title = accountId === "default" ? label : `${label} (${name})`;
      if (attendant === undefined) return `${title}: off`;
      const { health, why } = attendant.health;
      const { self } = attendant.vitals;
      const as = self?.username === undefined ? "" : ` as @${self.username}`;
      return health === "ok" ? `${title}: connected${as}` : `${title}: ${health}, ${why}`;
    })
  );
}

/** Names an account among the probed ones. */
export function probeKey({ channel, accountId }: Pick<Account, "channel" | "accountId">): string {
  return `${channel}/${accountId}`;
}

function issuesOf({ account, attendant }: Standing): readonly ChannelStatusIssue[] {
  if (attendant === undefined) return [];
  const { channel, accountId } = account;
  const { halt } = attendant.vitals;
  const { health, why = "" } = attendant.health;
  if (halt !== undefined) {
    const kind = halt.reason === "auth" || halt.reason === "config" ? halt.reason : "runtime";
    return [{ channel, accountId, kind, message: halt.message, fix: FIX[halt.reason] }];
  }
  if (health !== "dead" && health !== "degraded") return [];
  return [{ channel, accountId, kind: "runtime", message: why }];
}

const FIX = {
  auth: "set a new token; it is then begun anew by itself",
  config: "mend the configuration, or what the network must allow; then it is begun anew",
  kicked: "end the other session, then run `openclaw channels start`",
  stuck: "restart the gateway",
} as const;

/** Where the account's secrets were found. */
function sourcesOf(
  { own }: Account,
  found: readonly string[],
): Partial<Pick<ChannelAccountSnapshot, "tokenSource" | "botTokenSource" | "appTokenSource">> {
  const sources = found.map((key) => {
    const written = own[key];
    const source = written === undefined
      ? own.tokenFile === undefined ? "env" : "tokenFile"
      : "config";
    return [`${key}Source`, source] as const;
  });
  const [first] = sources;
  return { ...Object.fromEntries(sources), tokenSource: first?.[1] ?? "none" };
}

function baseUrlOf({ settings }: Account): { readonly baseUrl?: string } {
  const url = settings.apiRoot ?? settings.baseUrl ?? settings.apiUrl;
  return typeof url === "string" ? { baseUrl: url } : {};
}
