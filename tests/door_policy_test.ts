/** Who is let in as what: every way to prove oneself, from every place, as every kind of client. */
import { ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import type { ConnectAuth, ConnectParams } from "../schemas/connect.ts";
import { type PairedDevice, signaturePayload } from "../src/device.ts";
import { Attempts } from "../src/gateway/attempts.ts";
import type { AuthPolicy } from "../src/gateway/credentials.ts";
import { type Door, enter, Refusal } from "../src/server/handshake.ts";
import { type Arrived, createJudge } from "../src/server/locality.ts";
import { startKernel, type TestKernel } from "./kernel.ts";

const SECRET = "0123456789abcdef0123456789abcdef";
const PROXIES = {
  addresses: ["10.0.0.2"],
  secret: { header: "x-proof", value: "of the proxy" },
  allowLoopback: false,
};

const POLICIES: Readonly<Record<AuthPolicy["mode"], AuthPolicy>> = {
  none: { mode: "none", proxies: PROXIES },
  token: { mode: "token", secret: SECRET, proxies: PROXIES },
  password: { mode: "password", secret: SECRET, proxies: PROXIES },
  "trusted-proxy": {
    mode: "trusted-proxy",
    secret: SECRET,
    userHeader: "x-user",
    requiredHeaders: [],
    allowUsers: [],
    proxies: PROXIES,
  },
};

const HERE = { host: "127.0.0.1:18789" };
const PROXIED = { host: "chat.example.com", "x-forwarded-for": "203.0.113.9", "x-user": "ada" };
const PROOF = { "x-proof": "of the proxy" };

/** Where somebody comes from, and what may be concluded of it. */
interface Place {
  readonly headers: Readonly<Record<string, string>>;
  readonly peer: string;
  /** A program on this machine, or a page of this gateway's on it. */
  readonly isOwner: boolean;
  readonly isLocal: boolean;
  /** A trusted proxy speaks for them. */
  readonly isProxied?: true;
}

const PLACES: Readonly<Record<string, Place>> = {
  here: { headers: HERE, peer: "127.0.0.1", isOwner: true, isLocal: true },
  "our page, here": page("http://127.0.0.1:18789", { isOwner: true }),
  "another page, here": page("http://localhost:3000", { isOwner: false }),
  "a page that the owner lists": page("https://chat.example.com", { isOwner: false }),
  "the network": {
    headers: { host: "192.0.2.1:18789" },
    peer: "192.0.2.9",
    isOwner: false,
    isLocal: false,
  },
  "the network, by a local name": {
    headers: HERE,
    peer: "192.0.2.9",
    isOwner: false,
    isLocal: false,
  },
  "here, as if from a proxy": {
    headers: { ...HERE, "x-forwarded-for": "127.0.0.1", "x-user": "ada" },
    peer: "127.0.0.1",
    isOwner: false,
    isLocal: false,
  },
  "here, with the proxy's proof": {
    headers: { ...HERE, ...PROXIED, ...PROOF },
    peer: "127.0.0.1",
    isOwner: false,
    isLocal: false,
  },
  "the proxy's address, without its proof": {
    headers: PROXIED,
    peer: "10.0.0.2",
    isOwner: false,
    isLocal: false,
  },
  "the proxy": {
    headers: { ...PROXIED, ...PROOF },
    peer: "10.0.0.2",
    isOwner: false,
    isLocal: false,
    isProxied: true,
  },
  "the proxy, for itself": {
    headers: { ...PROXIED, ...PROOF, "x-forwarded-for": "127.0.0.1" },
    peer: "10.0.0.2",
    isOwner: false,
    isLocal: false,
    isProxied: true,
  },
};

function page(origin: string, { isOwner }: Pick<Place, "isOwner">): Place {
  return { headers: { ...HERE, origin }, peer: "127.0.0.1", isOwner, isLocal: true };
}

const CLIENTS = {
  cli: { id: "cli", mode: "cli" },
  page: { id: "openclaw-control-ui", mode: "webchat" },
  terminal: { id: "openclaw-tui", mode: "ui" },
} as const;

/** A device by how it stands here. */
const DEVICES = ["none", "stranger", "reader", "revoked"] as const;
type Standing = (typeof DEVICES)[number];

const SHOWN = [
  "nothing",
  "secret",
  "wrong",
  "own token",
  "another's token",
  "node's token",
] as const;
type Shown = (typeof SHOWN)[number];

interface Visit {
  readonly mode: AuthPolicy["mode"];
  readonly place: Place;
  readonly shown: Shown;
  readonly device: Standing;
  readonly role: "operator" | "node";
  readonly client: keyof typeof CLIENTS;
  readonly asks: string;
  readonly protocol: 3 | 4;
}

/** The rules of the door, a second time: `method [scopes]`, or the code of the refusal. */
function expected(visit: Visit): string {
  const { place, device, role, client, asks, protocol } = visit;
  if (client === "page" && place.headers.origin === undefined) {
    return protocol === 3 ? "no code" : "CONTROL_UI_ORIGIN_NOT_ALLOWED";
  }
  const vouched = vouchedBy(visit);
  if (device === "none") {
    if (role === "node") return "DEVICE_IDENTITY_REQUIRED";
    const isScreen = client === "page" || client === "terminal" && protocol === 4;
    if (isScreen && !isCode(vouched) && vouched !== "trusted-proxy") {
      return "CONTROL_UI_DEVICE_IDENTITY_REQUIRED";
    }
    if (isCode(vouched)) return vouched;
    return `${vouched} [${place.isOwner ? asks : ""}]`;
  }
  const isToken = role === "node"
    ? visit.shown === "node's token" && device !== "stranger"
    : visit.shown === "own token" && device === "reader";
  const method = !isCode(vouched) ? vouched : isToken ? "device-token" : vouched;
  if (isCode(method)) return method;
  const isKnown = device === "reader" && role === "operator";
  const held = isKnown && asks === "operator.read";
  const byWord = method === "none" || method === "token" || method === "password";
  const mends = device === "stranger" || isKnown; // another role, or one taken back, never by itself
  if (!held && !(place.isOwner && byWord && mends)) return "PAIRING_REQUIRED";
  return `${method} [${role === "node" ? "" : asks}]`;
}

/** By what somebody comes in before anything is known of their device, or the code of why not. */
function vouchedBy({ mode, place, shown, role }: Visit): string {
  const kind = mode === "password" ? "password" : "token";
  const asCode = kind.toUpperCase();
  const isDeviceToken = shown.endsWith("token");
  const byText = shown === "secret"
    ? kind
    : isDeviceToken
    ? "AUTH_DEVICE_TOKEN_MISMATCH"
    : shown === "wrong"
    ? `AUTH_${asCode}_MISMATCH`
    : `AUTH_${asCode}_MISSING`;
  switch (mode) {
    case "token":
    case "password":
      return byText;
    case "none":
      if (place.isLocal) return "none";
      return isDeviceToken ? byText : "AUTH_TOKEN_NOT_CONFIGURED";
    case "trusted-proxy":
      if (place.isLocal) return byText;
      if (place.isProxied === true && role === "operator") return "trusted-proxy";
      return isDeviceToken ? byText : "AUTH_UNAUTHORIZED";
  }
}

function isCode(text: string): boolean {
  return /^[A-Z]/.test(text);
}

Deno.test("who comes in, as what and with what, follows from what is proven and nothing else", async () => {
  await using kernel = startKernel();
  const house = new House(kernel);
  let combinations = 0;
  for (const visit of visits()) {
    const what = JSON.stringify(visit);
    strictEqual(house.tries(visit), expected(visit), what);
    combinations++;
  }
  ok(combinations >= 5_000, `only ${combinations} combinations`);
});

function* visits(): Generator<Visit> {
  for (const mode of Object.keys(POLICIES) as AuthPolicy["mode"][]) {
    for (const place of Object.values(PLACES)) {
      for (const shown of SHOWN) {
        for (const device of DEVICES) {
          for (
            const [role, client] of [
              ["operator", "cli"],
              ["operator", "page"],
              ["operator", "terminal"],
              ["node", "cli"],
            ] as const
          ) {
            if (device !== "none" && client === "terminal") continue; // then it is one like any
            if (device === "revoked" && client === "page") continue;
            for (const [asks, protocol] of [["operator.read", 4], ["operator.admin", 3]] as const) {
              yield { mode, place, shown, device, role, client, asks, protocol };
            }
          }
        }
      }
    }
  }
}

/** A kernel and its door, the same again for everybody who comes. */
class House {
  readonly #kernel: TestKernel;
  readonly #devices = {
    stranger: new Device(),
    reader: new Device(),
    revoked: new Device(),
  };
  #isTidy = false;

  constructor(kernel: TestKernel) {
    this.#kernel = kernel;
  }

  tries({ mode, place, shown, device, role, client, asks, protocol }: Visit): string {
    if (!this.#isTidy) this.#tidy();
    const policy = POLICIES[mode];
    const config = { gateway: { controlUi: { allowedOrigins: ["https://chat.example.com"] } } };
    const judge = createJudge({ config, policy, bindsLoopback: false, ownNames: () => [] });
    const arrived: Arrived = { peer: place.peer };
    const from = judge(new Headers(place.headers), arrived);
    if ("refused" in from) return from.refused;
    const nonce = crypto.randomUUID();
    const auth = authOf(shown);
    const params: ConnectParams = {
      minProtocol: protocol,
      maxProtocol: protocol,
      client: { ...CLIENTS[client], version: "1", platform: "linux" },
      role,
      scopes: [asks],
      ...(auth === undefined ? {} : { auth }),
    };
    const said = device === "none" ? params : this.#devices[device].proves(params, nonce);
    const door: Door = {
      gateway: this.#kernel.gateway,
      auth: () => policy,
      attempts: new Attempts(),
      paths: { configPath: "/state/openclaw.json", stateDir: "/state" },
      bootId: "boot-1",
    };
    try {
      const { caller } = enter(said, { ...from, connId: "conn", nonce }, door);
      this.#isTidy = false;
      return `${caller.method} [${[...caller.scopes]}]`;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const details = error.error.details as { readonly code?: string } | undefined;
      if (details?.code === "PAIRING_REQUIRED") this.#isTidy = false;
      return details?.code ?? "no code";
    }
  }

  #tidy(): void {
    const { devices } = this.#kernel.store;
    for (const { deviceId } of devices.paired()) devices.removeDevice(deviceId);
    for (const { requestId } of devices.pending()) devices.removeRequest(requestId);
    const { reader, revoked } = this.#devices;
    devices.saveDevice(reader.paired({ token: "own token" }));
    devices.saveDevice(revoked.paired({ token: "own token", revokedAtMs: 2 }));
    devices.saveDevice(new Device().paired({ token: "another's token" }));
    this.#isTidy = true;
  }
}

function authOf(shown: Shown): ConnectAuth | undefined {
  switch (shown) {
    case "nothing":
      return undefined;
    case "secret":
      return { token: SECRET };
    case "wrong":
      return { token: "wrong" };
    default:
      return { deviceToken: shown };
  }
}

/** A device with a key of its own. */
class Device {
  readonly #secret: KeyObject;
  readonly #raw: Uint8Array;

  constructor() {
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    this.#secret = privateKey;
    this.#raw = publicKey.export({ type: "spki", format: "der" }).subarray(12);
  }

  get id(): string {
    return createHash("sha256").update(this.#raw).digest("hex");
  }

  /** The same params with the proof over them. */
  proves(params: ConnectParams, nonce: string): ConnectParams {
    const proof = { id: this.id, signedAt: Date.now(), nonce };
    const { client, role = "operator", scopes = [], auth } = params;
    const text = signaturePayload("v3", proof, {
      clientId: client.id,
      clientMode: client.mode,
      role,
      scopes,
      token: auth?.token ?? auth?.deviceToken ?? "",
      platform: client.platform,
    });
    const signature = sign(null, Buffer.from(text), this.#secret).toString("base64url");
    const publicKey = Buffer.from(this.#raw).toString("base64url");
    return { ...params, device: { ...proof, publicKey, signature } };
  }

  /** As it is kept by who approved it to read, and it once was a node. */
  paired({ token, revokedAtMs }: { token: string; revokedAtMs?: number }): PairedDevice {
    const scopes = ["operator.read"];
    const revoked = revokedAtMs === undefined ? {} : { revokedAtMs };
    const kept = { scopes, createdAtMs: 1 };
    return {
      deviceId: this.id,
      publicKey: Buffer.from(this.#raw).toString("base64url"),
      roles: ["operator"],
      scopes,
      tokens: {
        operator: { ...kept, role: "operator", token, ...revoked },
        node: { ...kept, role: "node", token: "node's token" },
      },
      createdAtMs: 1,
      approvedAtMs: 1,
      approvedVia: "owner",
    };
  }
}
