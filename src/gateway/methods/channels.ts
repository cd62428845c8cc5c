/** The messaging networks that the gateway is on. */
import type * as contract from "../../../schemas/channels.ts";
import type { HandlersFor } from "../../../schemas/contract.ts";
import { type Account, accountKey } from "../../account.ts";
import type { Call } from "../../caller.ts";
import { type ConfigFile, parseConfig } from "../../config.ts";
import { Deadline } from "../../deadline.ts";
import { invalid } from "../../error.ts";
import { channelReport, probeKey, type ProbeResult } from "../channel_report.ts";
import type { Attendant } from "../attendant.ts";
import type { InboxReport } from "../inbox.ts";
import type { Standing, Supervisor } from "../supervisor.ts";

/** How long the networks may take to say who we are, in milliseconds. */
const PROBE_MS = 10_000;
const MIN_PROBE_MS = 1_000;

export function channelHandlers(
  { supervisor, messages, config, reconfigured }: {
    supervisor: Supervisor;
    /** What became of what came through an account. */
    messages(account: Account): InboxReport;
    config: ConfigFile;
    /** Brings what runs up to the configuration. */
    reconfigured(): Promise<void>;
  },
): HandlersFor<typeof contract, Call> {
  function require(method: string, channel: string, accountId?: string): Standing {
    if (supervisor.network(channel) === undefined) throw invalid(`invalid ${method} channel`);
    const standing = supervisor.account(channel, accountId || undefined);
    if (standing !== undefined) return standing;
    throw invalid(`there is no account '${accountId ?? "default"}' on ${channel}`);
  }

  return {
    "channels.status": async ({ probe, timeoutMs = PROBE_MS, channel }, { signal }) => {
      if (channel !== undefined && supervisor.network(channel) === undefined) {
        throw invalid("invalid channels.status channel");
      }
      const standings = supervisor.configured.flatMap(({ id }) =>
        channel === undefined || id === channel ? supervisor.accounts(id) : []
      );
      const probes = probe === true
        ? await probeAll(standings, { timeoutMs: Math.max(MIN_PROBE_MS, timeoutMs), signal })
        : undefined;
      const now = Date.now();
      return {
        ts: now,
        ...channelReport(supervisor, {
          now,
          messages,
          ...(channel === undefined ? {} : { only: channel }),
          ...(probes === undefined ? {} : { probes }),
        }),
      };
    },

    "channels.start": async ({ channel, accountId }) => {
      const { account } = require("channels.start", channel, accountId);
      const started = await supervisor.start(channel, account.accountId);
      return { channel, accountId: account.accountId, started };
    },

    "channels.stop": async ({ channel, accountId }) => {
      const { account } = require("channels.stop", channel, accountId);
      const stopped = await supervisor.stop(channel, account.accountId);
      return { channel, accountId: account.accountId, stopped };
    },

    "channels.logout": async ({ channel, accountId }) => {
      const { account } = require("channels.logout", channel, accountId);
      const { secrets } = await supervisor.network(channel)!.load(); // it was found above
      const keys = secrets.flatMap(({ key, fileKey }) =>
        fileKey === undefined ? [key] : [key, fileKey]
      );
      let cleared = false;
      await config.rewrite((text = "") => {
        const { issues, value, config: written } = parseConfig(text);
        if (issues.length > 0) throw invalid("config invalid; fix it before logging out");
        const entry = accountKey(written.channels?.[channel]?.accounts ?? {}, account.accountId);
        const places = [
          ...(entry === undefined ? [] : [["channels", channel, "accounts", entry]]),
          ...(account.accountId === "default" ? [["channels", channel]] : []),
        ];
        let edited = value;
        for (const place of places) {
          for (const key of keys) edited = removed(edited, [...place, key]);
        }
        cleared = edited !== value;
        return cleared ? `${JSON.stringify(edited, null, 2)}\n` : undefined;
      });
      if (cleared) await reconfigured();
      const { attendant } = supervisor.account(channel, account.accountId) ?? {};
      const left = attendant?.secrets ?? [];
      return {
        channel,
        accountId: account.accountId,
        cleared,
        loggedOut: left.length === 0,
        ...(left.length === 0 ? {} : { envToken: true }),
      };
    },
  };
}

/** Asks all networks at a time. */
async function probeAll(
  standings: readonly Standing[],
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
): Promise<ReadonlyMap<string, ProbeResult>> {
  const probes = new Map<string, ProbeResult>();
  await Promise.all(standings.map(async ({ account, attendant }) => {
    if (attendant === undefined) return;
    const result = await probe(attendant, { timeoutMs, signal });
    if (result !== undefined) probes.set(probeKey(account), result);
  }));
  return probes;
}

/** `undefined` for a network that can't be asked. */
async function probe(
  attendant: Attendant,
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
): Promise<ProbeResult | undefined> {
  const startedAt = performance.now();
  const elapsed = () => Math.round(performance.now() - startedAt);
  using deadline = new Deadline(timeoutMs, signal);
  const late = Promise.withResolvers<never>();
  deadline.signal.addEventListener("abort", () => {
    if (deadline.isOver) late.reject(new Error(`no answer within ${timeoutMs} ms`));
  });
  try {
    const asked = attendant.probe(deadline.signal);
    const self = await Promise.race([asked, late.promise]);
    if (self === undefined) return undefined;
    return { ok: true, elapsedMs: elapsed(), bot: self };
  } catch (cause) {
    const error = cause instanceof Error ? cause.message : String(cause);
    return { ok: false, elapsedMs: elapsed(), error };
  }
}

/** The same value without what lies at a path; the value itself where nothing does. */
function removed(value: unknown, [name = "", ...rest]: readonly string[]): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return value;
  const { [name]: inner, ...others } = value as Readonly<Record<string, unknown>>; // by the line above
  if (rest.length === 0) return others;
  const edited = removed(inner, rest);
  return edited === inner ? value : { ...value, [name]: edited };
}
