/** `openclaw devices` */
import type { DevicePairRequest, PairedDevice } from "../../schemas/devices.ts";
import type { ResultOf } from "../../schemas/mod.ts";
import type { GatewayClient, RequestOptions } from "../client/client.ts";
import { answer } from "./answer.ts";
import { type Call, command, type Group } from "./command.ts";
import { withGateway } from "./connect.ts";
import { Failure } from "./failure.ts";
import { UsageError } from "./flags.ts";
import { cut, oneLine, table } from "./text.ts";
import { relative } from "./time.ts";

const PAIRING = { scopes: ["operator.pairing"] } as const;
const DEVICE = { name: "device" } as const;
const REQUEST = { name: "request" } as const;
const ROLE = {
  kind: "text",
  value: "role",
  oneOf: ["operator", "node"],
  about: "Of the device's roles this one (operator)",
} as const;
/** Fewer characters of an id than this say nothing. */
const MIN_PREFIX = 4;

const list = command({
  about: "List the devices that ask to connect, and those that may",
  flags: {},
  connects: true,
  examples: [
    ["openclaw devices", "list them"],
    ["openclaw devices list --json", "with whole ids, for a program"],
  ],
  async run(call) {
    const result = await withGateway(call, PAIRING, devices);
    return answer(call, result, (result) => show(result, call));
  },
});

const approve = command({
  about: "Let a device connect",
  details: "Without a request it only shows the newest one; --latest approves that.",
  words: [{ ...REQUEST, optional: true }],
  flags: { latest: { kind: "switch", about: "The newest request" } },
  connects: true,
  examples: [
    ["openclaw devices approve 3f2a9c4e-…", "the one that a device shows or `devices list` lists"],
    ["openclaw devices approve --latest", "the newest one"],
  ],
  async run(call) {
    const result = await withGateway(call, PAIRING, async (gateway, options) => {
      const { pending } = await devices(gateway, options);
      const { requestId } = chosen(pending, { id: call.words[0], latest: call.flags.latest });
      return await gateway.request("device.pair.approve", { requestId }, options);
    });
    return answer(
      call,
      result,
      ({ device }) => `${nameOf(device)} may connect as ${rightsOf(device)}\n`,
    );
  },
});

const reject = command({
  about: "Turn a request down; the device can ask again",
  words: [REQUEST],
  flags: {},
  connects: true,
  examples: [["openclaw devices reject 3f2a9c4e-…", "turn one down"]],
  async run(call) {
    const result = await withGateway(call, PAIRING, async (gateway, options) => {
      const { pending } = await devices(gateway, options);
      const { requestId } = requestNamed(pending, call.words[0] ?? "");
      return await gateway.request("device.pair.reject", { requestId }, options);
    });
    return answer(
      call,
      result,
      ({ requestId }) => `Request ${oneLine(requestId)} is turned down\n`,
    );
  },
});

const remove = command({
  about: "Forget a device and cut it off",
  words: [DEVICE],
  flags: {},
  connects: true,
  examples: [["openclaw devices remove 9f86d081", "by its id, the start of it, or its label"]],
  async run(call) {
    const result = await forDevice(
      call,
      (gateway, { deviceId }, options) =>
        gateway.request("device.pair.remove", { deviceId }, options),
    );
    return answer(
      call,
      result,
      ({ deviceId }) => `${shortId(deviceId)} may not connect any more\n`,
    );
  },
});

const rename = command({
  about: "Give a device a label",
  words: [DEVICE, { name: "label" }],
  flags: {},
  connects: true,
  examples: [[`openclaw devices rename 9f86d081 "Anna's phone"`, "label one"]],
  async run(call) {
    const label = call.words[1] ?? "";
    const result = await forDevice(
      call,
      (gateway, { deviceId }, options) =>
        gateway.request("device.pair.rename", { deviceId, label }, options),
    );
    return answer(
      call,
      result,
      ({ deviceId, label }) => `${shortId(deviceId)} is now '${oneLine(label)}'\n`,
    );
  },
});

const rotate = command({
  about: "Replace a device's token; the old one ends at once",
  details: "Prints the new token where the gateway may show it to this client.",
  words: [DEVICE],
  flags: {
    role: ROLE,
    scope: { kind: "list", value: "scope", about: "What the new token allows; can be repeated" },
  },
  connects: true,
  examples: [["openclaw devices rotate 9f86d081", "after the old token was seen by somebody"]],
  async run(call) {
    const { role = "operator", scope } = call.flags;
    const scopes = scope.length === 0 ? undefined : [...scope];
    const result = await forDevice(
      call,
      (gateway, { deviceId }, options) =>
        gateway.request("device.token.rotate", { deviceId, role, scopes }, options),
    );
    return answer(
      call,
      result,
      ({ deviceId, token }) =>
        token === undefined
          ? `The token of ${shortId(deviceId)} is replaced; the device gets the new one itself\n`
          : `${oneLine(token)}\n`,
    );
  },
});

const revoke = command({
  about: "Take a device's token away; it must be approved again",
  words: [DEVICE],
  flags: { role: ROLE },
  connects: true,
  examples: [["openclaw devices revoke 9f86d081 --role node", "it may no longer be a node"]],
  async run(call) {
    const { role = "operator" } = call.flags;
    const result = await forDevice(
      call,
      (gateway, { deviceId }, options) =>
        gateway.request("device.token.revoke", { deviceId, role }, options),
    );
    return answer(
      call,
      result,
      ({ deviceId, role }) => `${shortId(deviceId)} may not connect as ${oneLine(role)} any more\n`,
    );
  },
});

export default {
  about: "Say which devices may connect",
  usual: "list",
  commands: { list, approve, reject, remove, rename, rotate, revoke },
} satisfies Group;

type Devices = ResultOf<"device.pair.list">;

function devices(gateway: GatewayClient, options: RequestOptions): Promise<Devices> {
  return gateway.request("device.pair.list", {}, options);
}

/** Asks something about the device that the first word names. */
function forDevice<T>(
  call: Call,
  ask: (gateway: GatewayClient, device: PairedDevice, options: RequestOptions) => Promise<T>,
): Promise<T> {
  return withGateway(call, PAIRING, async (gateway, options) => {
    const { paired } = await devices(gateway, options);
    return await ask(gateway, deviceNamed(paired, call.words[0] ?? ""), options);
  });
}

/** The request that the command line means. A guess is refused: it could be an attacker's. */
function chosen(
  pending: readonly DevicePairRequest[],
  { id, latest }: { id: string | undefined; latest: boolean },
): DevicePairRequest {
  if (id !== undefined) return requestNamed(pending, id);
  const newest = pending.toSorted((a, b) => b.ts - a.ts)[0];
  if (newest === undefined) throw new Failure("NOT_FOUND", "No device asks to connect");
  if (latest) return newest;
  throw new UsageError(
    `Which one? The newest is ${oneLine(newest.requestId)}, ${nameOf(newest)} from ` +
      `${oneLine(newest.remoteIp ?? "an unknown address")}, which asks for ${rightsOf(newest)}: ` +
      "give its id, or --latest",
  );
}

function requestNamed(pending: readonly DevicePairRequest[], word: string): DevicePairRequest {
  return only(pending.filter(({ requestId }) => isMeant(requestId, word)), {
    none: `No device asks to connect with the request '${word}'`,
    many: `More than one request starts with '${word}'`,
  });
}

function deviceNamed(paired: readonly PairedDevice[], word: string): PairedDevice {
  return only(paired.filter(({ deviceId, label }) => label === word || isMeant(deviceId, word)), {
    none: `There is no device '${word}'`,
    many: `More than one device is meant by '${word}'`,
  });
}

function isMeant(id: string, word: string): boolean {
  return id === word || (word.length >= MIN_PREFIX && id.startsWith(word));
}

function only<T>(found: readonly T[], { none, many }: { none: string; many: string }): T {
  const [first, second] = found;
  const hint = "list them with `openclaw devices`";
  if (first === undefined) throw new Failure("NOT_FOUND", none, { hint });
  if (second !== undefined) throw new Failure("AMBIGUOUS", many, { hint });
  return first;
}

function show({ pending, paired }: Devices, { paint, io }: Pick<Call, "paint" | "io">): string {
  const asking = pending.map((request) => [
    oneLine(request.requestId),
    cut(nameOf(request), 32),
    oneLine(request.remoteIp ?? "-"),
    rightsOf(request),
    relative(request.ts, io.now()),
  ]);
  const allowed = paired.map((device) => [
    shortId(device.deviceId),
    cut(nameOf(device), 32),
    oneLine(device.platform ?? "-"),
    rightsOf(device),
    device.connected ? paint.green("connected") : relative(device.lastSeenAtMs, io.now()),
  ]);
  if (asking.length + allowed.length === 0) return "No device asks to connect, and none may\n";
  return [
    ...(asking.length === 0
      ? []
      : [table(["ASKING", "NAME", "ADDRESS", "FOR", "SINCE"], asking, paint.dim)]),
    ...(allowed.length === 0
      ? []
      : [table(["PAIRED", "NAME", "PLATFORM", "MAY", "SEEN"], allowed, paint.dim)]),
  ].join("\n");
}

function nameOf(
  { label, displayName, clientId, deviceId }:
    & Pick<DevicePairRequest, "displayName" | "clientId" | "deviceId">
    & { readonly label?: string },
): string {
  return oneLine(label ?? displayName ?? clientId ?? shortId(deviceId));
}

function rightsOf(
  { role, roles = role === undefined ? [] : [role], scopes = [] }: Pick<
    DevicePairRequest,
    "role" | "roles" | "scopes"
  >,
): string {
  const short = scopes.map((scope) => oneLine(scope).replace(/^operator\./, ""));
  return [roles.map(oneLine).join("+"), short.join(",")].filter(Boolean).join(": ") || "nothing";
}

function shortId(deviceId: string): string {
  return oneLine(deviceId).slice(0, 12);
}
