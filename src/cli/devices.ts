/** `openclaw devices` */
import type { DevicePairRequest, PairedDevice } from "../../schemas/devices.ts";
import type { ResultOf } from "../../schemas/mod.ts";
import { answer } from "./answer.ts";
import { type Call, command, type Group } from "./command.ts";
import { withGateway } from "./connect.ts";
import { Failure } from "./failure.ts";
import { UsageError } from "./flags.ts";
import type { Offline } from "./offline.ts";
import { resolveTarget } from "./target.ts";
import { cut, oneLine, table } from "./text.ts";
import { relative } from "./time.ts";

const PAIRING = { scopes: ["operator.pairing"] } as const;
const OFFLINE = {
  offline: { kind: "switch", about: "Without a gateway, on the state folder itself" },
} as const;
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

const OFFLINE_DETAILS =
  "Where no gateway runs on this machine it works on the state folder itself, for whoever may\n" +
  "write there: its owner always gets back in.";

const list = command({
  about: "List the devices that ask to connect, and those that may",
  details: OFFLINE_DETAILS,
  flags: OFFLINE,
  connects: true,
  examples: [
    ["openclaw devices", "list them"],
    ["openclaw devices list --json", "with whole ids, for a program"],
    ["openclaw devices list --offline", "while no gateway runs"],
  ],
  async run(call) {
    const result = await withDevices(call, devices);
    return answer(call, result, (result) => show(result, call));
  },
});

const approve = command({
  about: "Let a device connect",
  details: "Without a request it approves the only one; where there are more, it says which.\n" +
    OFFLINE_DETAILS,
  words: [{ ...REQUEST, optional: true }],
  flags: { latest: { kind: "switch", about: "The newest request" }, ...OFFLINE },
  connects: true,
  examples: [
    ["openclaw devices approve", "the only one that asks"],
    ["openclaw devices approve 3f2a9c4e-…", "the one that a device shows or `devices list` lists"],
    ["openclaw devices approve --latest", "the newest one"],
  ],
  async run(call) {
    const result = await withDevices(call, async (desk) => {
      const { pending } = await devices(desk);
      const { requestId } = chosen(pending, { id: call.words[0], latest: call.flags.latest });
      return await desk.request("device.pair.approve", { requestId });
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
  flags: OFFLINE,
  connects: true,
  examples: [["openclaw devices reject 3f2a9c4e-…", "turn one down"]],
  async run(call) {
    const result = await withDevices(call, async (desk) => {
      const { pending } = await devices(desk);
      const { requestId } = requestNamed(pending, call.words[0] ?? "");
      return await desk.request("device.pair.reject", { requestId });
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
  flags: OFFLINE,
  connects: true,
  examples: [["openclaw devices remove 9f86d081", "by its id, the start of it, or its label"]],
  async run(call) {
    const result = await forDevice(
      call,
      (desk, { deviceId }) => desk.request("device.pair.remove", { deviceId }),
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
  flags: OFFLINE,
  connects: true,
  examples: [[`openclaw devices rename 9f86d081 "Anna's phone"`, "label one"]],
  async run(call) {
    const label = call.words[1] ?? "";
    const result = await forDevice(
      call,
      (desk, { deviceId }) => desk.request("device.pair.rename", { deviceId, label }),
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
  details: "The new token is shown to the device alone, never to anybody else.",
  words: [DEVICE],
  flags: {
    role: ROLE,
    scope: { kind: "list", value: "scope", about: "What the new token allows; can be repeated" },
    ...OFFLINE,
  },
  connects: true,
  examples: [["openclaw devices rotate 9f86d081", "after the old token was seen by somebody"]],
  async run(call) {
    const { role = "operator", scope } = call.flags;
    const scopes = scope.length === 0 ? undefined : [...scope];
    const result = await forDevice(
      call,
      (desk, { deviceId }) => desk.request("device.token.rotate", { deviceId, role, scopes }),
    );
    return answer(
      call,
      result,
      ({ deviceId, token }) =>
        token === undefined
          ? `The token of ${shortId(deviceId)} is replaced. The device gets the new one when it ` +
            "shows the gateway's own secret, or a setup code (openclaw qr)\n"
          : `${oneLine(token)}\n`,
    );
  },
});

const revoke = command({
  about: "Take a device's token away; it must be approved again",
  words: [DEVICE],
  flags: { role: ROLE, ...OFFLINE },
  connects: true,
  examples: [["openclaw devices revoke 9f86d081 --role node", "it may no longer be a node"]],
  async run(call) {
    const { role = "operator" } = call.flags;
    const result = await forDevice(
      call,
      (desk, { deviceId }) => desk.request("device.token.revoke", { deviceId, role }),
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

/** Whoever answers for the devices: a gateway, or its state where none runs. */
type Desk = Pick<Offline, "request">;

function devices(desk: Desk): Promise<Devices> {
  return desk.request("device.pair.list", {});
}

type DeviceCall = Call<typeof OFFLINE>;

/** Asks something about the device that the first word names. */
function forDevice<T>(
  call: DeviceCall,
  ask: (desk: Desk, device: PairedDevice) => Promise<T>,
): Promise<T> {
  return withDevices(call, async (desk) => {
    const { paired } = await devices(desk);
    return await ask(desk, deviceNamed(paired, call.words[0] ?? ""));
  });
}

/** Asks the gateway; where this machine's own is not there to be asked, works on its state. */
async function withDevices<T>(call: DeviceCall, use: (desk: Desk) => Promise<T>): Promise<T> {
  if (call.flags.offline) {
    const given = Object.entries(call.connection).find(([, value]) => value !== undefined);
    if (given !== undefined) throw new UsageError(`--offline asks no gateway: leave --${given[0]}`);
    return await withState(call, use);
  }
  try {
    return await withGateway(
      call,
      PAIRING,
      (gateway, options) =>
        use({ request: (method, params) => gateway.request(method, params, options) }),
    );
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "UNREACHABLE") throw error;
    const { here } = await resolveTarget(call);
    if (!here) throw error;
    return await withState(call, use, error);
  }
}

/** `instead` is what is thrown where there is no state either. */
async function withState<T>(
  call: DeviceCall,
  use: (desk: Desk) => Promise<T>,
  instead?: Failure,
): Promise<T> {
  const { stateDir } = call.paths;
  // Loaded here, since a gateway is what a client command must not be made of.
  const { openOffline } = await import("./offline.ts");
  try {
    using state = openOffline(stateDir, call.io);
    call.io.err(`No gateway runs: working on the state folder ${stateDir} itself\n`);
    return await use(state);
  } catch (error) {
    throw instead !== undefined && error instanceof Failure && error.code === "NO_STATE"
      ? instead
      : error;
  }
}

/** The request that the command line means. Among several none is guessed: it could be a stranger's. */
function chosen(
  pending: readonly DevicePairRequest[],
  { id, latest }: { id: string | undefined; latest: boolean },
): DevicePairRequest {
  if (id !== undefined) return requestNamed(pending, id);
  const [newest, ...others] = pending.toSorted((a, b) => b.ts - a.ts);
  if (newest === undefined) throw new Failure("NOT_FOUND", "No device asks to connect");
  if (latest || others.length === 0) return newest;
  throw new UsageError(
    `${pending.length} devices ask. The newest is ${oneLine(newest.requestId)}, ${
      nameOf(newest)
    } from ` +
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
    reasonOf(request, paired),
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
      : [table(["ASKING", "NAME", "ADDRESS", "WHY", "FOR", "SINCE"], asking, paint.dim)]),
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

/** Why a device must be approved before it gets what it asks for. */
function reasonOf(request: DevicePairRequest, paired: readonly PairedDevice[]): string {
  const known = paired.find(({ deviceId }) => deviceId === request.deviceId);
  if (known === undefined) return "new device";
  const { roles = [], scopes = [], tokens = [] } = known;
  const asked = request.roles ?? [];
  const revoked = tokens.filter((token) => token.revokedAtMs !== undefined);
  if (revoked.some(({ role }) => asked.includes(role))) return "was revoked";
  if (asked.some((role) => !roles.includes(role))) return "another role";
  if (request.scopes?.some((scope) => !scopes.includes(scope))) return "wants more";
  return "calls itself another";
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
