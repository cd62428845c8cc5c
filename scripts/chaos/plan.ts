/** What happens in one life of the gateway, drawn by lot. */
import { type ChaosNetwork, MOMENTS } from "./network.ts";
import type { Random } from "./random.ts";

/** When the gateway is killed. */
export interface Kill {
  /** What is waited for: nothing, a change of the journal, or a moment of the model's or a network's. */
  readonly at:
    | { readonly kind: "time" }
    | { readonly kind: "journal" }
    | { readonly kind: "model"; readonly moment: typeof MODEL_MOMENTS[number] }
    | {
      readonly kind: "network";
      readonly network: string;
      readonly moment: typeof MOMENTS[number];
    };
  /** Which of these moments it is, from 1. */
  readonly nth: number;
  /** How long after it, in milliseconds. */
  readonly delayMs: number;
  /** Now and then it is asked to end. */
  readonly signal: "SIGKILL" | "SIGTERM";
}

/** Something to do at a time, in milliseconds after the gateway was started. */
export type Event =
  & { readonly atMs: number; readonly network: string }
  & (
    | { readonly kind: "say" | "say for tool" | "send"; readonly chat: string }
    | { readonly kind: "fault"; readonly fault: string }
    | { readonly kind: "mend" }
  );

export interface Life {
  /** How long it may be, if it does not end by its own moment. */
  readonly ms: number;
  readonly events: readonly Event[];
  /** Answers of the model that stay half said for so long. */
  readonly pausesMs: readonly number[];
  readonly kill: Kill;
}

const MODEL_MOMENTS = ["asked", "half answered", "answered"] as const;
/** Most lives are as long as it takes to come up and answer; in a few, what was put off is tried again. */
const LIFE_MS = 1_300;
const LONG_LIFE_MS = 3_500;
/** A start takes so long, more or less: some lives end in it. */
const START_MS = 400;
/** A busy gateway writes to its store so often in a life, more or less. */
const WRITES = 1_000;

export interface LifeOptions {
  readonly networks: readonly ChaosNetwork[];
  /** How many are said and sent in it, more or less. */
  readonly messages: number;
  /** How much longer everything takes on this machine than it might. */
  readonly slowness: number;
}

export function drawLife(random: Random, { networks, messages, slowness }: LifeOptions): Life {
  const ms = slowness * (random.chance(0.1) ? LONG_LIFE_MS : LIFE_MS);
  const events: Event[] = [];
  const at = () => random.between(0, ms * 0.7);
  for (let n = random.between(messages >> 1, messages + (messages >> 1)); n > 0; n--) {
    const network = random.pick(networks);
    const chat = random.pick(network.chats);
    const atMs = at();
    const kind = random.chance(0.3) ? "send" : random.chance(0.15) ? "say for tool" : "say";
    const where = { network: network.id, kind, atMs } as const;
    events.push({ ...where, chat: kind === "send" ? chat.to : chat.id });
    // people write on before they are answered
    const more = kind !== "send" && random.chance(0.25) ? random.between(1, 3) : 0;
    for (let m = 1; m <= more; m++) events.push({ ...where, atMs: atMs + m * 15, chat: chat.id });
  }
  for (const network of networks) {
    if (!random.chance(0.5)) continue;
    const atMs = at();
    const mends = random.chance(0.6) ? [{ atMs: atMs + random.between(50, 900) }] : [];
    events.push({ kind: "fault", network: network.id, fault: random.pick(network.faults), atMs });
    for (const mend of mends) events.push({ kind: "mend", network: network.id, ...mend });
  }
  const pauses = random.chance(0.4) ? random.between(1, 3) : 0;
  return {
    ms,
    events: events.toSorted((a, b) => a.atMs - b.atMs),
    pausesMs: Array.from({ length: pauses }, () => random.between(50, 600)),
    kill: drawKill(random, { networks, ms, startMs: slowness * START_MS }),
  };
}

function drawKill(
  random: Random,
  { networks, ms, startMs }: {
    networks: readonly ChaosNetwork[];
    ms: number;
    startMs: number;
  },
): Kill {
  const nth = random.between(1, 6);
  const signal = random.chance(0.1) ? "SIGTERM" : "SIGKILL";
  if (random.chance(0.1)) { // while it starts
    const delayMs = random.between(0, startMs);
    return { at: { kind: "time" }, nth, delayMs, signal: "SIGKILL" };
  }
  if (random.chance(0.2)) {
    return { at: { kind: "time" }, nth, delayMs: random.between(startMs, ms), signal };
  }
  if (random.chance(0.4)) {
    return {
      at: { kind: "journal" },
      nth: random.between(1, WRITES),
      delayMs: 0,
      signal: "SIGKILL",
    };
  }
  // mostly at once, else within what follows from it
  const delayMs = random.chance(0.5) ? 0 : random.between(0, 25);
  const at = random.chance(0.25)
    ? { kind: "model", moment: random.pick(MODEL_MOMENTS) } as const
    : {
      kind: "network",
      network: random.pick(networks).id,
      moment: random.pick(MOMENTS),
    } as const;
  return { at, nth, delayMs, signal };
}
