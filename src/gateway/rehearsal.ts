/**
 * A message is taken in, answered and sent, in a kernel of its own of which nothing remains: what the
 * first real one would have to wait for is done then.
 */
import * as Type from "../../schemas/type.ts";
import type { Channel, Inbox, NetworkEntry } from "../channel.ts";
import type { Config } from "../config.ts";
import { aborted, Deadline } from "../deadline.ts";
import type { Host } from "../host.ts";
import type { InboundMessage, OutboundMessage, Receipt } from "../message.ts";
import type { ModelCatalog } from "../model.ts";
import type { Agent } from "../run.ts";
import type { Store } from "../store.ts";
import { createGateway } from "./gateway.ts";

/** What a rehearsal takes of the program. */
export interface RehearsalParts {
  /** Empty, and thrown away afterwards. */
  readonly store: Store;
  /** One that asks nobody. */
  readonly agent: Agent;
  readonly models: ModelCatalog;
  readonly config: Config;
  readonly host: Host;
  /** A folder that is not there, and will not be: what the store knows nothing of is removed in it. */
  readonly stateDir: string;
}

/** Longer than it takes; a rehearsal that hangs is given up. */
const TIMEOUT_MS = 10_000;
const STAGE = "rehearsal";

/** Resolves when the answer was sent; with `false` where there is none, or the signal aborts. */
export async function rehearse(
  { config, ...parts }: RehearsalParts,
  signal: AbortSignal,
): Promise<boolean> {
  const stage = new Stage();
  await using _kernel = createGateway({
    ...parts,
    config: {
      path: "",
      config: { ...config, channels: { [STAGE]: { dmPolicy: "open", allowFrom: ["*"] } } },
      text: undefined,
      catchUp: () => Promise.resolve(),
      rewrite: () => Promise.reject(new Error("A rehearsal changes nothing")),
    },
    log: SILENT,
    logs: {
      file: "",
      size: () => Promise.resolve(0),
      read: () => Promise.reject(new Error("No log")),
    },
    audit: { record() {} },
    networks: {
      entries: [networkOf(stage)],
      secrets: { env: {}, readFile: () => "" },
      fileRoots: () => [],
    },
    authMode: () => "none",
    urls: () => [],
    drawQr: () => Promise.resolve(""),
  });
  using deadline = new Deadline(TIMEOUT_MS, signal);
  return await Promise.race([stage.answered, aborted(deadline.signal).then(() => false)]);
}

const HELLO: InboundMessage = {
  kind: "message",
  eventId: "1",
  messageId: "1",
  place: { channel: STAGE, accountId: "default", kind: "direct", chatId: "1" },
  sender: { id: "1" },
  at: 0,
  text: "Hello",
  attachments: [],
  mentionsUs: true,
};

/** A network on which one message is said, and which is content with any answer. */
class Stage implements Channel {
  readonly id = STAGE;
  readonly accountId = "default";
  readonly capabilities = {
    textLimit: 4_096,
    captionLimit: 1_024,
    measure: (text: string) => text.length,
    maxUploadBytes: 0,
    idempotentForMs: 0,
    silentAfterMs: 60_000,
    editEveryMs: 0,
  };
  readonly answered: Promise<boolean>;
  readonly #answer: (isOne: boolean) => void;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.answered = promise;
    this.#answer = resolve;
  }

  async run(inbox: Inbox, signal: AbortSignal): Promise<void> {
    inbox.status({ kind: "connected", self: { id: "0" } });
    await inbox.receive({ ...HELLO, at: Date.now() });
    await aborted(signal);
  }

  send({ text }: OutboundMessage): Promise<Receipt> {
    setTimeout(() => this.#answer(text !== "")); // once it is known to be sent
    return Promise.resolve({ sent: true, messageIds: ["2"] });
  }
}

function networkOf(stage: Stage): NetworkEntry {
  const network = {
    id: STAGE,
    label: "Rehearsal",
    schema: Type.Object({}),
    secrets: [],
    nextSteps: "",
    create: () => stage,
  };
  return { id: STAGE, label: network.label, load: () => Promise.resolve(network) };
}

const SILENT = {
  error() {},
  warn() {},
  info() {},
  debug() {},
  part: () => SILENT,
};
