/** A gateway under attack by a program on its own machine, and what must not have changed by it. */
import { ok, strictEqual } from "node:assert/strict";
import type { AuditEntry } from "../../src/audit.ts";
import type { DeviceKey } from "../../src/client/identity.ts";
import { signaturePayload } from "../../src/device.ts";
import {
  connectFrame,
  startGateway,
  type TestClient,
  type TestGateway,
  TOKEN,
} from "../gateway.ts";
import { RawClient } from "../raw_client.ts";

/** A gateway whose owner watches. */
export interface Besieged extends AsyncDisposable {
  readonly gateway: TestGateway;
  readonly owner: TestClient;
  /** Lines of the audit log, oldest first. */
  entries(): readonly AuditEntry[];
  /**
   * Does what an attacker does. Afterwards devices, nodes, conversations, configuration and secrets
   * are as before, and the audit log has a line that fits; the last of them is returned. (What is
   * tried again and again has a line of its own only once.)
   */
  withstands(
    attack: () => Promise<void>,
    trace: (entry: AuditEntry) => boolean,
  ): Promise<AuditEntry>;
}

export async function besiege(
  options: Parameters<typeof startGateway>[0] = {},
): Promise<Besieged> {
  const gateway = await startGateway(options);
  const owner = await gateway.connect();
  const entries = () => entriesOf(gateway);
  return {
    gateway,
    owner,
    entries,
    async withstands(attack, trace) {
      const before = await valuables(gateway, owner);
      await attack();
      strictEqual(await valuables(gateway, owner), before, "something changed");
      const found = entries().findLast(trace);
      ok(found, `nothing of it in the audit log: ${JSON.stringify(entries())}`);
      return found;
    },
    async [Symbol.asyncDispose]() {
      await owner[Symbol.asyncDispose]();
      await gateway[Symbol.asyncDispose]();
    },
  };
}

export function entriesOf({ stateDir }: Pick<TestGateway, "stateDir">): readonly AuditEntry[] {
  return Deno.readTextFileSync(`${stateDir}/logs/audit.jsonl`).trimEnd().split("\n")
    .map((line) => JSON.parse(line));
}

/** Everything that an attacker would like to change, as one text. */
async function valuables({ stateDir, running }: TestGateway, { request }: TestClient) {
  const devices = await request("device.pair.list", {});
  const nodes = await request("node.pair.list", {});
  const sessions = await request("sessions.list", {});
  const config = await Deno.readTextFile(`${stateDir}/openclaw.json`);
  return JSON.stringify([
    devices.pending,
    // To be seen is no harm.
    devices.paired.map(({ lastSeenAtMs: _seen, connected: _connected, ...device }) => ({
      ...device,
      tokens: device.tokens?.map(({ lastUsedAtMs: _used, ...token }) => token),
    })),
    nodes,
    sessions.sessions,
    config,
    running.auth,
  ]);
}

/** What a door said to somebody who knocked with a `connect` of theirs. */
export interface Answer {
  readonly ok: boolean;
  readonly payload?: {
    readonly auth?: {
      readonly method?: string;
      readonly scopes: readonly string[];
      readonly deviceToken?: string;
    };
  };
  readonly error?: {
    readonly message: string;
    readonly details?: { readonly code?: string; readonly reason?: string };
  };
}

/** Knocks with these headers; `params` may depend on the nonce of the challenge. */
export async function knock(
  url: string,
  params: (nonce: string) => Record<string, unknown> | Promise<Record<string, unknown>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  using client = await RawClient.open(url, headers);
  const { payload } = JSON.parse(await client.message());
  await client.text(connectFrame(await params(payload.nonce)));
  return JSON.parse(await client.message());
}

/** What the door answers, in a word: the method and scopes of who is in, or the code of why not. */
export function wordOf({ ok, payload, error }: Answer): string {
  if (ok) return `${payload?.auth?.method} [${payload?.auth?.scopes}]`;
  return error?.details?.code ?? error?.message ?? "";
}

/** What a device says, and what of it is signed; what is signed may be something else. */
export interface Claims {
  readonly nonce: string;
  readonly signedAt?: number;
  readonly clientId?: string;
  readonly clientMode?: string;
  readonly role?: string;
  readonly scopes?: readonly string[];
  readonly token?: string;
  readonly platform?: string;
}

/** A proof by a device's key, of whatever claims. */
export async function proofBy(
  key: DeviceKey,
  {
    nonce,
    signedAt = Date.now(),
    clientId = "cli",
    clientMode = "cli",
    role = "operator",
    scopes = [],
    token = TOKEN,
    platform = "linux",
  }: Claims,
) {
  const proof = { id: key.deviceId, signedAt, nonce };
  const claims = { clientId, clientMode, role, scopes, token, platform };
  const signature = await key.sign(signaturePayload("v3", proof, claims));
  return { ...proof, publicKey: key.publicKey, signature };
}

/** The status and body of the answer to a request whose bytes are these, one character a byte. */
export async function exchange(
  { url }: Pick<TestGateway, "url">,
  request: string,
): Promise<{ readonly status: number; readonly head: string; readonly body: string }> {
  const { hostname, port } = new URL(url);
  using wire = await Deno.connect({ hostname, port: Number(port) });
  await wire.write(Uint8Array.from(request, (letter) => letter.charCodeAt(0)));
  const buffer = new Uint8Array(65_536);
  let text = "";
  for (let count; !isWhole(text) && (count = await wire.read(buffer)) !== null;) {
    text += String.fromCharCode(...buffer.subarray(0, count));
  }
  const [head = "", ...rest] = text.split("\r\n\r\n");
  return { status: Number(head.split(" ")[1]), head, body: rest.join("\r\n\r\n") };

  /** A connection may stay open behind an answer. */
  function isWhole(answer: string): boolean {
    const end = answer.indexOf("\r\n\r\n") + 4;
    if (end < 4) return false;
    if (request.startsWith("HEAD ") || answer.startsWith("HTTP/1.1 101 ")) return true;
    const length = /^content-length: *(\d+)/im.exec(answer.slice(0, end))?.[1];
    return length !== undefined && answer.length >= end + Number(length);
  }
}

/** The head of a request, whose headers may come more than once. */
export function requestHead(
  method: string,
  path: string,
  headers: readonly (readonly [name: string, value: string])[],
): string {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return `${method} ${path} HTTP/1.1\r\n${lines}\r\n`;
}
