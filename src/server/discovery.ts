/** Makes the gateway known on its networks for as long as it runs, as they come and go. */
import { type Beacon, SERVICE_TYPE, toTxt } from "../beacon.ts";
import { pause } from "../deadline.ts";
import type { Log } from "../log.ts";
import { advertise, type Group, type Link, type Service } from "./advertise.ts";
import { joinGroup } from "./multicast.ts";

export interface DiscoveryOptions {
  /** What is to be known now; `undefined` for nothing. */
  readonly beacon: () => Beacon | undefined;
  /** The networks on which the gateway can be reached now. */
  readonly links: () => readonly Link[];
  readonly log: Log;
  /** Ends it. */
  readonly signal: AbortSignal;
  readonly join?: (links: readonly Link[]) => Promise<Group>;
  /** How often to look whether something changed, in milliseconds. */
  readonly lookMs?: number;
}

const LOOK_MS = 15_000;

/** Resolves when the gateway is known no more. Never rejects: a gateway does without. */
export async function discovery(options: DiscoveryOptions): Promise<void> {
  const { beacon, links, signal, lookMs = LOOK_MS } = options;
  const log = options.log.part("discovery");
  const { join = (links) => joinGroup(links, { log: (line) => log.debug(line) }) } = options;
  let wasReported = false;
  let ended = new AbortController();
  // No `AbortSignal.any`: older runtimes lose it.
  signal.addEventListener("abort", () => ended.abort(), { once: true });
  let seen: readonly [Beacon | undefined, readonly Link[]] = [undefined, []];
  /** As it was, where it can't be told now: to ask for the networks takes a file descriptor. */
  const look = () => {
    try {
      seen = [beacon(), links()];
    } catch (cause) {
      log.debug("Cannot look at the networks", { cause });
    }
    return seen;
  };
  while (!signal.aborted) {
    const [known, here] = look();
    ended = new AbortController();
    const { signal: ends } = ended;
    const looking = change(() => JSON.stringify(look()), { everyMs: lookMs, ends })
      .then(() => ended.abort());
    try {
      if (known !== undefined && here.length > 0) {
        await advertise(serviceOf(known), await join(here), {
          signal: ends,
          onName: (name) => log.info("Known on the network", { name }),
        });
        wasReported = false;
      }
    } catch (cause) {
      if (!wasReported) log.warn("The gateway can't be found on the network", { cause });
      wasReported = true;
      await pause(lookMs, signal);
      ended.abort();
    }
    await looking;
  }
}

/** Resolves when the state is another one, or on `ends`. */
async function change(
  state: () => string,
  { everyMs, ends }: { everyMs: number; ends: AbortSignal },
): Promise<void> {
  const before = state();
  while (!ends.aborted && state() === before) await pause(everyMs, ends);
}

function serviceOf(beacon: Beacon): Service {
  const { displayName, lanHost, gatewayPort } = beacon;
  return {
    name: `${displayName} (OpenClaw)`,
    type: SERVICE_TYPE,
    host: lanHost,
    port: gatewayPort,
    txt: toTxt(beacon),
  };
}
