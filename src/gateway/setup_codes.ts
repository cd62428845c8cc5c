/** Setup codes: each lets one new device in, within minutes, with what was chosen for it. */
import { Buffer } from "node:buffer";
import { createHash, randomBytes, randomUUID, timingSafeEqual } from "node:crypto";
import type { Role } from "../../schemas/contract.ts";
import type { SetupAccess, SetupCompletion } from "../../schemas/setup.ts";
import type { NodeSurface } from "../caller.ts";
import { covers, type DeviceDescription } from "../device.ts";
import type { Bus } from "../event.ts";
import type { Log } from "../log.ts";
import type { KeyValues } from "../store.ts";
import type { Nodes } from "./nodes.ts";
import type { Pairing } from "./pairing.ts";

/** How long a code can be used, in milliseconds. */
export const SETUP_CODE_TTL_MS = 600_000;
/** How long it can be asked who used a code, in milliseconds. */
const REMEMBERED_MS = 24 * 60 * 60_000;
/** Codes that can be open side by side; the oldest makes room. */
const MAX_OPEN = 32;

/** What a code is made for. */
export type BootstrapProfile = "full" | "limited" | "node" | "voice-node";

interface Profile {
  readonly access: SetupAccess;
  readonly roles: readonly Role[];
  readonly scopes: readonly string[];
  /** What the device declares as a node is approved with it. */
  readonly lends: boolean;
}

const LIMITED = [
  "operator.approvals",
  "operator.questions",
  "operator.read",
  "operator.talk.secrets",
  "operator.write",
] as const;

const PROFILES: Readonly<Record<BootstrapProfile, Profile>> = {
  full: {
    access: "full",
    roles: ["node", "operator"],
    scopes: ["operator.admin", ...LIMITED],
    lends: true,
  },
  limited: { access: "limited", roles: ["node", "operator"], scopes: LIMITED, lends: true },
  node: { access: "node", roles: ["node"], scopes: [], lends: false },
  "voice-node": {
    access: "limited",
    roles: ["node", "operator"],
    scopes: ["operator.read", "operator.talk"],
    lends: false,
  },
};

/** A code as it is kept: nobody can read the token out of it. */
interface KeptCode {
  readonly setupId: string;
  /** SHA-256 of the token, base64url. */
  readonly hash: string;
  readonly profile: BootstrapProfile;
  readonly expiresAtMs: number;
  readonly completion?: SetupCompletion;
}

/** A code as it is given away, once. */
export interface SetupCode {
  readonly setupId: string;
  /** 32 random bytes, base64url. */
  readonly token: string;
  readonly access: SetupAccess;
  readonly expiresAtMs: number;
}

/** A proven device that shows a code. */
export interface Newcomer extends DeviceDescription {
  readonly deviceId: string;
  readonly publicKey: string;
  readonly role: Role;
  readonly scopes: readonly string[];
  readonly surface: NodeSurface;
}

/** The codes, kept in the store: a restart neither ends them nor brings a used one back. */
export class SetupCodes {
  readonly #values: KeyValues;
  readonly #pairing: Pairing;
  readonly #nodes: Nodes;
  readonly #bus: Bus;
  readonly #log: Log;
  readonly #now: () => number;

  constructor(values: KeyValues, { pairing, nodes, bus, log, now = Date.now }: {
    pairing: Pairing;
    nodes: Nodes;
    bus: Bus;
    log: Log;
    now?: () => number;
  }) {
    this.#values = values;
    this.#pairing = pairing;
    this.#nodes = nodes;
    this.#bus = bus;
    this.#log = log.part("pairing");
    this.#now = now;
  }

  issue(profile: BootstrapProfile): SetupCode {
    const token = randomBytes(32).toString("base64url");
    const setupId = randomUUID();
    const expiresAtMs = this.#now() + SETUP_CODE_TTL_MS;
    const codes = this.#codes();
    const open = codes.filter(({ completion }) => completion === undefined);
    const done = codes.filter(({ completion }) => completion !== undefined);
    this.#keep([
      ...done,
      ...open.slice(-(MAX_OPEN - 1)),
      { setupId, hash: digest(token).toString("base64url"), profile, expiresAtMs },
    ]);
    return { setupId, token, access: PROFILES[profile].access, expiresAtMs };
  }

  /**
   * Uses a code up and pairs the device that shows it, with what the code gives. Returns whether it
   * did: `false` for a code that is unknown, void or used, or that gives less than is asked for. To
   * the device that used it a code is good until `settle`: the answer may not have reached it.
   */
  redeem(token: string, { role, scopes, surface, ...device }: Newcomer): boolean {
    const codes = this.#codes();
    const shown = digest(token);
    let found: KeptCode | undefined;
    for (const code of codes) { // all of them, so that the time tells nothing
      if (timingSafeEqual(Buffer.from(code.hash, "base64url"), shown)) found = code;
    }
    if (found === undefined) return false;
    const profile = PROFILES[found.profile];
    if (!profile.roles.includes(role) || !covers(profile.scopes, scopes)) return false;
    // What it was given then, somebody may have taken back since: nothing is given again.
    if (found.completion !== undefined) return this.#isOpenTo(device.deviceId, found);
    const { setupId } = found;
    const completion: SetupCompletion = {
      setupId,
      deviceId: device.deviceId,
      ...(device.displayName === undefined ? {} : { deviceName: device.displayName }),
      access: profile.access,
      ts: this.#now(),
    };
    // Used up first: whatever fails after this, nobody else can use it.
    this.#keep(codes.map((code) => code.setupId === setupId ? { ...code, completion } : code));
    this.#pairing.enroll({ ...device, role }, profile);
    if (role === "node" && profile.lends) this.#nodes.approveFirst(device.deviceId, surface);
    this.#log.info("A setup code was used", { setupId, deviceId: device.deviceId });
    this.#bus.publish({ name: "device.pair.setup.completed", payload: completion });
    return true;
  }

  /** The device has what a code gave it, as it shows its own token: the code is void for it, too. */
  settle(deviceId: string): void {
    const codes = this.#codes();
    if (!codes.some((code) => this.#isOpenTo(deviceId, code))) return;
    const expiresAtMs = this.#now();
    this.#keep(
      codes.map((code) => this.#isOpenTo(deviceId, code) ? { ...code, expiresAtMs } : code),
    );
  }

  /** Whether a code was used by this device, and may be shown by it again. */
  #isOpenTo(deviceId: string, { completion, expiresAtMs }: KeptCode): boolean {
    return completion?.deviceId === deviceId && this.#now() < expiresAtMs;
  }

  /** Who came in by a code; `undefined` until somebody did, and for a code that is unknown. */
  completion(setupId: string): SetupCompletion | undefined {
    return this.#codes().find((code) => code.setupId === setupId)?.completion;
  }

  /** Those that can be used, and those that were not long ago. */
  #codes(): readonly KeptCode[] {
    const now = this.#now();
    const codes = (this.#values.get(KEPT_AS) ?? []) as readonly KeptCode[]; // written by #keep
    return codes.filter(({ expiresAtMs, completion }) =>
      completion === undefined ? now < expiresAtMs : now - completion.ts < REMEMBERED_MS
    );
  }

  #keep(codes: readonly KeptCode[]): void {
    this.#values.set(KEPT_AS, codes);
  }
}

const KEPT_AS = "setup_codes";

function digest(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
