/** What happens in one life of the gateway, drawn by lot. */
import { type ChaosNetwork, MOMENTS } from "./network.ts";
import type { Random } from "./random.ts";

/** When the gateway is killed. */
export interface Kill {
  /** The moment that is waited for: none at all, one of the model's, or one of a network's. */
  readonly at:
    | { readonly kind: "time" }
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
    | { readonly kind: "say" | "send"; readonly chat: string }
    | { readonly kind: "fault"; readonly fault: string }
    | { readonly kind: "mend" }
  );

export interface Life {
  readonly events: readonly Event[];
  /** Answers of the model that stay half said for so long. */
  readonly pausesMs: readonly number[];
  readonly kill: Kill;
}

const MODEL_MOMENTS = ["asked", "half answered", "answered"] as const;
/** How long a life may be, if it does not end by its own moment. */
export const LIFE_MS = 2_500;
/** A start takes so long at most: many lives end in it. */
const START_MS = 500;

/** `messages` is how many are said and sent in it, more or less. */
export function drawLife(
  random: Random,
  { networks, messages }: { networks: readonly ChaosNetwork[]; messages: number },
): Life {
  const events: Event[] = [];
  const at = () => random.between(0, LIFE_MS * 0.6);
  for (let n = random.between(messages >> 1, messages + (messages >> 1)); n > 0; n--) {
    const network = random.pick(networks);
    const chat = random.pick(network.chats);
    const atMs = at();
    const kind = random.chance(0.3) ? "send" : "say";
    const where = { network: network.id, kind, atMs } as const;
    events.push({ ...where, chat: kind === "say" ? chat.id : chat.to });
    // people write on before they are answered
    const more = kind === "say" && random.chance(0.25) ? random.between(1, 3) : 0;
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
    events: events.toSorted((a, b) => a.atMs - b.atMs),
    pausesMs: Array.from({ length: pauses }, () => random.between(50, 600)),
    kill: drawKill(random, networks),
  };
}

function drawKill(random: Random, networks: readonly ChaosNetwork[]): Kill {
  const nth = random.between(1, 8);
  const signal = random.chance(0.15) ? "SIGTERM" : "SIGKILL";
  if (random.chance(0.1)) { // while it starts
    return {
      at: { kind: "time" },
      nth,
      delayMs: random.between(0, START_MS),
      signal: "SIGKILL",
    };
  }
  if (random.chance(0.25)) {
    return { at: { kind: "time" }, nth, delayMs: random.between(START_MS, LIFE_MS), signal };
  }
  // mostly at once, else within what follows from it
  const delayMs = random.chance(0.5) ? 0 : random.between(0, 25);
  const at = random.chance(0.3) ? { kind: "model", moment: random.pick(MODEL_MOMENTS) } as const : {
    kind: "network",
    network: random.pick(networks).id,
    moment: random.pick(MOMENTS),
  } as const;
  return { at, nth, delayMs, signal };
}
