/**
 * The kernel: everything that the gateway does, without sockets and without SQL. The program and
 * the tests start this same object.
 */
import { advertisedEvents, advertisedMethods, events, methods } from "../../schemas/mod.ts";
import type { Protocol } from "../../schemas/contract.ts";
import type { Audit } from "../audit.ts";
import type { Caller } from "../caller.ts";
import type { Fingerprint } from "../certificate.ts";
import type { ConfigFile } from "../config.ts";
import type { Bus, GatewayEvent } from "../event.ts";
import type { GatewayUrl, Host } from "../host.ts";
import type { Log, LogReader } from "../log.ts";
import type { ModelCatalog, ModelChoice } from "../model.ts";
import type { Agent } from "../run.ts";
import type { Store } from "../store.ts";
import { mayHear } from "./access.ts";
import { audited } from "./audited.ts";
import { createBus } from "./bus.ts";
import { injected } from "./carry_out.ts";
import { channelReport, channelSummary } from "./channel_report.ts";
import { commandEntries, type CommandParts } from "./commands.ts";
import { Conversations } from "./conversations.ts";
import { createDispatch, type Dispatch } from "./dispatch.ts";
import { DmPairing } from "./dm_pairing.ts";
import { durable } from "./durable.ts";
import { Health } from "./health.ts";
import { Heartbeats } from "./heartbeat.ts";
import { Inbox } from "./inbox.ts";
import { MediaFolder } from "./media.ts";
import { agentHandlers } from "./methods/agent.ts";
import { channelHandlers } from "./methods/channels.ts";
import { chatHandlers } from "./methods/chat.ts";
import { configHandlers } from "./methods/config.ts";
import { deviceHandlers } from "./methods/devices.ts";
import { listHandlers } from "./methods/lists.ts";
import { messagingHandlers } from "./methods/messaging.ts";
import { modelHandlers } from "./methods/models.ts";
import { nodeHandlers } from "./methods/nodes.ts";
import { dmPairingHandlers } from "./methods/pairing.ts";
import { sessionHandlers } from "./methods/sessions.ts";
import { setupHandlers } from "./methods/setup.ts";
import { systemHandlers } from "./methods/system.ts";
import { toolHandlers } from "./methods/tools.ts";
import { createNetworks, type KnownNetworks, type Networks } from "./networks.ts";
import { Nodes } from "./nodes.ts";
import { Pairing } from "./pairing.ts";
import { isShortLived, Presence } from "./presence.ts";
import { Runs } from "./runs.ts";
import { ScopeUpgrades } from "./scope_upgrades.ts";
import { Settings } from "./settings.ts";
import { SetupCodes } from "./setup_codes.ts";
import { Subscriptions } from "./subscriptions.ts";
import { SystemEvents } from "./system_events.ts";
import { unattended } from "./unattended.ts";

/** Clients that lost no contact in this time know it by the `tick`. Milliseconds. */
export const TICK_MS = 30_000;
/** How often everybody is told how the gateway is, in milliseconds. */
const HEALTH_MS = 60_000;
/** How often runs that nobody will ask for again are forgotten, in milliseconds. */
const PRUNE_MS = 60 * 60_000;

/** What the kernel is made of. */
export interface GatewayParts {
  readonly config: ConfigFile;
  readonly store: Store;
  readonly agent: Agent;
  readonly models: ModelCatalog;
  readonly log: Log;
  readonly logs: LogReader;
  readonly audit: Audit;
  readonly host: Host;
  readonly stateDir: string;
  /** The messaging networks that it could be on. */
  readonly networks: KnownNetworks;
  /** The certificate that the port shows now; `undefined` where it speaks no TLS. */
  readonly tls?: { readonly fingerprint: Fingerprint } | undefined;
  /** How clients prove themselves now. */
  readonly authMode: () => string;
  /** Where others than this machine reach the gateway, the best address first. */
  readonly urls: () => readonly GatewayUrl[];
  /** Resolves to a QR code of the text, as a `data:` URL of a PNG. */
  readonly drawQr: (text: string) => Promise<string>;
  /**
   * Does beforehand what the first message would have to wait for; called when the first network is
   * there. Never rejects.
   */
  readonly rehearse?: (signal: AbortSignal) => Promise<void>;
}

/** A connection as the kernel sees it. */
export interface Connection {
  readonly caller: Caller;
  /** Ends it; `reason` is told to the client. */
  close(code: number, reason: string): void;
}

/** The kernel, at work until disposed of. */
export interface Gateway extends AsyncDisposable {
  readonly bus: Bus;
  readonly dispatch: Dispatch;
  readonly pairing: Pairing;
  readonly setupCodes: SetupCodes;
  readonly settings: Settings;
  readonly version: string;
  /** Admits a connection whose handshake succeeded; dispose of the result when it ended. */
  connect(connection: Connection): Disposable;
  /** Tells a new connection who is here and how the gateway is. */
  greet(caller: Caller): void;
  /** Whether an event is for this caller. */
  concerns(caller: Caller, event: GatewayEvent): boolean;
  /** The part of `hello-ok` that is the kernel's to tell. */
  hello(protocol: Protocol): {
    readonly features: { readonly methods: readonly string[]; readonly events: readonly string[] };
    readonly snapshot: ReturnType<typeof snapshotOf>;
  };
  /** The messaging networks that it is on. */
  readonly networks: Networks;
  /** Brings what runs up to the configuration, which has changed; resolves when it is begun. */
  reconfigured(): Promise<void>;
  /** The model that answers by default, and why. */
  model(): Promise<ModelChoice>;
  /** Resolves when all that was changed outlives a loss of power; `undefined` if it does already. */
  kept(): Promise<void> | undefined;
  /** Tells every client that the gateway stops. */
  announceShutdown(reason: string): void;
  /** Stops what the agents do, keeping what they said; nothing new begins. */
  stopRuns(): Promise<void>;
}

/** Starts the kernel: takes up what the last run of the program left, and sets its clocks. */
export function createGateway(parts: GatewayParts): Gateway {
  const { config, store, agent, models, log, host } = parts;
  const startedAt = Date.now();
  const version = host.version;
  const bus = createBus(log);
  const settings = new Settings(() => config.config);
  const versions = { presence: 1, health: 1 };
  const stateVersion = () => ({ ...versions });
  const connections = new Map<string, Connection>();
  const subscriptions = new Subscriptions();
  const stop = new AbortController();
  /** Whoever writes first shall not wait longer than who writes later. */
  let rehearsal: Promise<void> | undefined;

  const presence = new Presence(host, {
    bus,
    version: stateVersion,
    bump: () => void versions.presence++,
  });
  const networks: Networks = createNetworks({
    known: parts.networks,
    store,
    settings,
    log,
    stateDir: parts.stateDir,
    commands: commandEntries(),
    receive: (message) => inbox.receive(message),
    ready(account) {
      inbox.resume(account);
      rehearsal ??= parts.rehearse?.(stop.signal);
    },
    changed: () => health.refresh(),
  });
  const health: Health = new Health({
    sessions: store.sessions,
    settings,
    bus,
    path: store.path,
    channels: () => channelReport(networks.supervisor, { now: Date.now() }),
    version: stateVersion,
    bump: () => void versions.health++,
  });
  const pairing = new Pairing(store.devices, {
    bus,
    log,
    invalidated: (deviceId, why) => {
      nodes.cut(deviceId);
      afterAnswer(() => { // a device that did it to itself gets its answer first
        for (const { caller, close } of connections.values()) {
          if (caller.deviceId === deviceId) close(4001, `client invalidated: ${why}`);
        }
        // With a new token it is the same device; without one, nobody wants what it began.
        if (why !== "device token rotated") void runs.abortOf(deviceId);
      });
    },
  });
  /** Does something behind the answer of the request that is being handled. */
  const afterAnswer = (act: () => void) => {
    if (store.isSynced) queueMicrotask(act);
    else store.synced().catch(() => {}).finally(() => setTimeout(act)); // it waits for the same
  };
  const nodes: Nodes = new Nodes(pairing, { bus, policy: () => settings.nodeCommands });
  const setupCodes = new SetupCodes(store.values, { pairing, nodes, bus, log });
  const systemEvents = new SystemEvents(store.values);
  const conversations: Conversations = new Conversations({
    store,
    settings,
    models,
    bus,
    runs: () => runs,
  });
  const runs: Runs = new Runs({
    store,
    agent,
    bus,
    settings,
    systemEvents,
    replies: networks.replies,
    log,
    changed: (key, reason) => conversations.changed(key, reason),
  });
  const heartbeats = new Heartbeats({ values: store.values, runs, bus, settings, log });
  const commands: CommandParts = {
    models,
    runs,
    settings,
    version,
    get: (key) => conversations.get(key),
    change: (key, changes) => conversations.change(key, changes),
    reset: (key) => conversations.reset(key),
    count: ({ id }) => store.transcripts.count(id),
  };
  const dmPairing = new DmPairing(store, { notices: networks.replies, log });
  const inbox = new Inbox({
    store,
    runs,
    settings,
    conversations,
    bus,
    commands,
    connections: {
      self: ({ channel, accountId }) =>
        networks.supervisor.account(channel, accountId)?.attendant?.vitals.self,
      channel: (account) => networks.supervisor.anyChannel(account),
    },
    pairing: dmPairing,
    notices: networks.replies,
    systemEvents,
    media: new MediaFolder(`${parts.stateDir}/media/inbound`),
    log,
  });

  const answer = createDispatch(methods, {
    ...agentHandlers({ agent, runs, settings, conversations }),
    ...chatHandlers({
      store,
      runs,
      settings,
      bus,
      conversations,
      commands,
    }),
    ...channelHandlers({
      supervisor: networks.supervisor,
      messages: (account) => inbox.report(account),
      config,
      reconfigured: () => networks.supervisor.follow(),
    }),
    ...configHandlers(config, { version }),
    ...deviceHandlers(pairing, {
      isConnected: (deviceId) =>
        connections.values().some(({ caller }) => caller.deviceId === deviceId),
      upgrades: new ScopeUpgrades(pairing, { bus }),
    }),
    ...dmPairingHandlers({
      pairing: dmPairing,
      config,
      accounts: () =>
        networks.supervisor.configured.flatMap(({ id, label }) =>
          networks.supervisor.accounts(id).map(({ account }) => ({ label, account }))
        ),
    }),
    ...listHandlers({ storePath: store.path }),
    ...messagingHandlers({
      messaging: networks.messaging,
      outbox: networks.outbox,
      mirror(sessionKey, text) {
        const session = conversations.ensure(settings.sessionKey(sessionKey));
        const at = Date.now();
        runs.append(session, injected(text, at), { at });
      },
    }),
    ...modelHandlers(models),
    ...nodeHandlers(nodes),
    ...sessionHandlers({ store, runs, settings, models, conversations, subscriptions }),
    ...setupHandlers(setupCodes, {
      settings,
      authMode: parts.authMode,
      urls: parts.urls,
      fingerprint: () => parts.tls?.fingerprint,
      drawQr: parts.drawQr,
    }),
    ...systemHandlers({
      version,
      store,
      settings,
      health,
      heartbeats,
      presence,
      systemEvents,
      conversations,
      logs: parts.logs,
      channelSummary: () => channelSummary(networks.supervisor),
    }),
    ...toolHandlers(agent, settings),
  });
  const dispatch = durable(audited(answer, { methods, audit: parts.audit }), store);

  const timers = [
    setInterval(() => bus.publish({ name: "tick", payload: { ts: Date.now() } }), TICK_MS),
    setInterval(
      unattended(() => health.refresh(), { log, failed: "How the gateway is could not be told" }),
      HEALTH_MS,
    ),
    setInterval(
      unattended(() => {
        runs.prune(Date.now());
        inbox.prune();
      }, { log, failed: "What is over could not be forgotten" }),
      PRUNE_MS,
    ),
  ];
  heartbeats.run(stop.signal);
  runs.recover();
  inbox.prune();
  networks.begin();

  return {
    bus,
    dispatch,
    networks,
    pairing,
    setupCodes,
    settings,
    version,

    connect(connection) {
      const { caller } = connection;
      using begun = new DisposableStack();
      connections.set(caller.connId, connection);
      begun.defer(() => {
        connections.delete(caller.connId);
        subscriptions.forget(caller.connId);
      });
      presence.connected(caller);
      begun.defer(() => presence.disconnected(caller));
      if (caller.role === "node") {
        begun.defer(() => {
          try {
            nodes.disconnected(caller);
          } catch (cause) {
            // It has left all the same, and nobody is there who could answer for it.
            log.error("Cannot note that a node left", { cause });
          }
        });
        nodes.connected(caller);
      }
      return begun.move();
    },

    greet({ connId, client }) {
      if (isShortLived(client)) return; // it comes for one answer
      const audience = { connIds: new Set([connId]) };
      bus.publish({
        name: "presence",
        payload: { presence: presence.list() },
        stateVersion: stateVersion(),
        audience,
      });
      bus.publish({
        name: "health",
        payload: health.get(),
        stateVersion: stateVersion(),
        audience,
      });
    },

    concerns: (caller, event) =>
      event.audience?.nodeId === undefined
        ? mayHear(caller, events[event.name]) && subscriptions.concerns(caller, event)
        : caller.role === "node" && caller.deviceId === event.audience.nodeId,

    hello: (protocol) => ({
      features: FEATURES[protocol],
      snapshot: snapshotOf({ presence, health, settings, stateVersion, startedAt }),
    }),

    reconfigured: () => networks.supervisor.follow(),

    model: () => conversations.defaultModel(),

    kept: () => store.isSynced ? undefined : store.synced(),

    announceShutdown(reason) {
      bus.publish({ name: "shutdown", payload: { reason, restartExpectedMs: null } });
    },

    async stopRuns() {
      await inbox[Symbol.asyncDispose]();
      await runs[Symbol.asyncDispose]();
    },

    async [Symbol.asyncDispose]() {
      stop.abort();
      for (const timer of timers) clearInterval(timer);
      presence[Symbol.dispose]();
      await inbox[Symbol.asyncDispose]();
      await runs[Symbol.asyncDispose]();
      await networks[Symbol.asyncDispose]();
      await rehearsal;
    },
  };
}

const FEATURES = {
  3: { methods: advertisedMethods(3), events: advertisedEvents(3) },
  4: { methods: advertisedMethods(4), events: advertisedEvents(4) },
} as const;

/** What a client knows from the start. */
function snapshotOf({ presence, health, settings, stateVersion, startedAt }: {
  presence: Presence;
  health: Health;
  settings: Settings;
  stateVersion: () => { presence: number; health: number };
  startedAt: number;
}) {
  const { defaultAgentId, mainKey } = settings.keys;
  const { scope, mainSessionKey } = settings;
  const now = Date.now();
  return {
    presence: presence.list(now),
    health: health.get(),
    stateVersion: stateVersion(),
    uptimeMs: now - startedAt,
    sessionDefaults: { defaultAgentId, mainKey, mainSessionKey, scope },
  };
}
