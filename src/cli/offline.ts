/**
 * The devices of a gateway that does not run: asked as the gateway would be, on its store. Who may
 * write the state folder is its owner; nothing else is asked of them.
 */
import type { HandlersFor } from "../../schemas/contract.ts";
import type * as contract from "../../schemas/devices.ts";
import { methods, type ParamsOf, type ResultOf } from "../../schemas/mod.ts";
import type { Call, Caller } from "../caller.ts";
import { audited } from "../gateway/audited.ts";
import { createBus } from "../gateway/bus.ts";
import { createDispatch } from "../gateway/dispatch.ts";
import { deviceHandlers } from "../gateway/methods/devices.ts";
import { Pairing, wireDevice, wireRequest } from "../gateway/pairing.ts";
import { ScopeUpgrades } from "../gateway/scope_upgrades.ts";
import type { Store } from "../store.ts";
import { glanceAt } from "../store/glance.ts";
import { openStore, StoreBusyError, StoreFileError } from "../store/sqlite.ts";
import { AUDIT_FILE, openAudit } from "./audit_file.ts";
import { Failure } from "./failure.ts";
import type { Io } from "./io.ts";
import { openLog } from "./log_file.ts";
import { VERSION } from "./version.ts";

/** What can be asked without a gateway. */
export type OfflineMethod = keyof HandlersFor<typeof contract, Call>;

/** The state, held until disposed of: meanwhile no gateway can start on it. */
export interface Offline extends Disposable {
  /** Resolves when the answer is on the disk itself. */
  request<M extends OfflineMethod>(method: M, params: ParamsOf<M>): Promise<ResultOf<M>>;
}

/** Throws a `Failure` where there is no state, or a gateway works on it. */
export function openOffline(stateDir: string, io: Pick<Io, "err" | "now">): Offline {
  using parts = new DisposableStack();
  const store = parts.use(take(`${stateDir}/openclaw.sqlite`));
  Deno.mkdirSync(`${stateDir}/logs`, { recursive: true, mode: 0o700 });
  const { log } = parts.use(openLog(`${stateDir}/logs/openclaw.log`, {
    level: "info",
    shown: "warn",
    print: (line) => io.err(`${line}\n`),
  }));
  const audit = parts.use(openAudit(`${stateDir}/${AUDIT_FILE}`, { log, now: io.now }));
  const bus = createBus(log);
  const now = io.now;
  const pairing = new Pairing(store.devices, { bus, log, invalidated() {}, now });
  const upgrades = new ScopeUpgrades(pairing, { bus, now });
  const handlers = deviceHandlers(pairing, { isConnected: () => false, upgrades });
  const dispatch = audited(createDispatch(methods, handlers), { methods, audit });
  const caller = ownerAt(now());
  const { signal } = new AbortController();
  const held = parts.move();
  return {
    async request<M extends OfflineMethod>(method: M, params: ParamsOf<M>) {
      const answer = await dispatch(method, params, { caller, signal, accept() {} });
      await store.synced();
      return answer as ResultOf<M>; // as the handlers' types say
    },
    [Symbol.dispose]: () => held[Symbol.dispose](),
  };
}

/**
 * What the state says of its devices, in the words of `device.pair.list`. Takes and changes nothing;
 * throws where the state can't be read, and `Deno.errors.NotFound` where there is none.
 */
export function glanceAtDevices(stateDir: string) {
  const { paired, pending, ...schema } = glanceAt(`${stateDir}/openclaw.sqlite`);
  return { ...schema, paired: paired.map(wireDevice), pending: pending.map(wireRequest) };
}

/** Never makes a store: where there is none, there is nothing to ask about. */
function take(path: string): Store & Disposable {
  try {
    Deno.statSync(path);
    return openStore(path, { holder: { pid: Deno.pid, startedAt: Date.now() } });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new Failure("NO_STATE", `There is no state of a gateway at '${path}'`, {
        hint: "name its folder with OPENCLAW_STATE_DIR, or its profile with --profile",
        cause: error,
      });
    }
    if (error instanceof StoreFileError) {
      throw new Failure("STORE_UNUSABLE", error.message, { cause: error });
    }
    if (!(error instanceof StoreBusyError)) throw error;
    throw new Failure("ALREADY_RUNNING", error.message, {
      hint: "ask that gateway (without --offline, with its --url), or stop it first",
      cause: error,
    });
  }
}

function ownerAt(now: number): Caller {
  return {
    connId: "offline",
    protocol: 4,
    role: "operator",
    scopes: new Set(["operator.admin"]),
    client: { id: "cli", mode: "cli", version: VERSION, platform: Deno.build.os },
    caps: new Set(),
    method: "none",
    remoteIp: "127.0.0.1",
    local: true,
    connectedAtMs: now,
  };
}
