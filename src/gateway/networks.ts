/** The messaging networks, put together: who keeps them connected, and what goes out to them. */
import type { SecretSources } from "../account.ts";
import type { MenuCommand, NetworkEntry } from "../channel.ts";
import type { Log } from "../log.ts";
import type { InboundMessage, Place } from "../message.ts";
import type { Store } from "../store.ts";
import type { Messenger } from "../messenger.ts";
import { Messaging } from "./messaging.ts";
import { createMessenger } from "./messenger.ts";
import { OutboundFiles } from "./outbound_files.ts";
import { Outbox } from "./outbox.ts";
import { ChatReplies } from "./reply.ts";
import type { Settings } from "./settings.ts";
import { Supervisor } from "./supervisor.ts";
import { unattended } from "./unattended.ts";

/** What the program knows of networks. */
export interface KnownNetworks {
  /** All of them, each loaded when it is set up. */
  readonly entries: readonly NetworkEntry[];
  /** Where the secrets of their accounts are. */
  readonly secrets: SecretSources;
  /** The folders of this machine that files may be sent from. */
  fileRoots(): readonly string[];
}

export interface NetworksParts {
  readonly known: KnownNetworks;
  readonly store: Store;
  readonly settings: Settings;
  readonly log: Log;
  readonly stateDir: string;
  readonly commands: readonly MenuCommand[];
  /** Resolves once the message is kept. */
  receive(message: InboundMessage): Promise<void>;
  /** Called when an account can be used, or again. */
  ready(account: Pick<Place, "channel" | "accountId">): void;
  /** Called when an account is in another state than before. */
  changed(): void;
}

export interface Networks extends AsyncDisposable {
  readonly supervisor: Supervisor;
  readonly outbox: Outbox;
  readonly replies: ChatReplies;
  readonly messaging: Messaging;
  /** What a run may do in chats beside answering; `undefined` for nothing. */
  messenger(runId: string): Messenger | undefined;
  /** Takes up what the last run of the program left, and connects. */
  begin(): void;
}

/** How often it is looked for what was not sent in time, in milliseconds. */
const SWEEP_MS = 60_000;
/** Changes of this many milliseconds are told together. */
const CHANGED_MS = 100;
/** More than waits at any time. */
const ALL = 1_000_000;

export function createNetworks(parts: NetworksParts): Networks {
  const { known, store, settings, log, stateDir, commands, receive } = parts;
  let telling: ReturnType<typeof setTimeout> | undefined;
  const tell = unattended(() => {
    telling = undefined;
    parts.changed();
  }, { log, failed: "How the networks are could not be told" });
  const supervisor: Supervisor = new Supervisor({
    networks: known.entries,
    config: () => settings.config,
    secrets: known.secrets,
    values: store.values,
    log,
    commands,
    receive,
    ready: (account) => {
      outbox.resume(account);
      parts.ready(account);
      replies.rehearse(account);
    },
    changed: () => {
      telling ??= setTimeout(tell, CHANGED_MS);
    },
  });
  const folder = `${stateDir}/media/outbound`;
  const roots = () => [`${stateDir}/media`, ...known.fileRoots()];
  const files = new OutboundFiles({ folder, roots });
  const outbox = new Outbox({
    store,
    outlets: supervisor,
    log,
    released: (message) => void files.release(message),
  });
  const replies = new ChatReplies({
    outbox,
    channel: (account) => supervisor.anyChannel(account),
    settings,
    log,
  });
  const timer = setInterval(
    unattended(() => outbox.sweep(), {
      log,
      failed: "What was not sent in time could not be looked for",
    }),
    SWEEP_MS,
  );
  let sweeping: Promise<void> | undefined;

  const messaging = new Messaging({ store, supervisor, outbox, files });

  return {
    supervisor,
    outbox,
    replies,
    messaging,

    messenger: (runId) =>
      createMessenger(runId, replies.targetOf(runId), {
        messaging,
        settings,
        mediaFolder: `${stateDir}/media`,
      }),

    begin() {
      const needed = store.outbox.list({
        states: ["accepted", "started", "unknown", "dead"],
        limit: ALL,
      }).flatMap(({ message: { attachment } }) => attachment?.path ?? []);
      sweeping = files.sweep(new Set(needed)).catch((cause) =>
        log.warn("Files of messages that were sent could not be removed", { cause })
      );
      outbox.recover();
      void supervisor.follow();
    },

    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await supervisor[Symbol.asyncDispose]();
      clearTimeout(telling);
      replies[Symbol.dispose]();
      await outbox[Symbol.asyncDispose]();
      await sweeping;
    },
  };
}
