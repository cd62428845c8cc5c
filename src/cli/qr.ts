/** `openclaw qr` */
import type { ResultOf } from "../../schemas/mod.ts";
import { GatewayRefusal } from "../client/client.ts";
import { answer } from "./answer.ts";
import { type Call, command } from "./command.ts";
import { withGateway } from "./connect.ts";
import { Failure } from "./failure.ts";
import { UsageError } from "./flags.ts";
import { resolveTarget } from "./target.ts";
import { oneLine } from "./text.ts";
import { duration } from "./time.ts";

const FLAGS = {
  "public-url": {
    kind: "text",
    value: "url",
    about: "The address by which the device reaches the gateway",
  },
  remote: { kind: "switch", about: "That address is gateway.remote.url of the configuration" },
  limited: { kind: "switch", about: "For using the agent, not for administering the gateway" },
  node: { kind: "switch", about: "For a node only" },
  "voice-node": { kind: "switch", about: "For a node that also talks with the agent" },
  legacy: {
    kind: "switch",
    about: "For apps that know no such codes: the code holds the gateway's own secret",
  },
  "setup-code-only": { kind: "switch", about: "Print only the code, to be typed or sent" },
  png: { kind: "text", value: "file", about: "Write the picture into a file as well" },
  "no-ascii": { kind: "switch", about: "Draw nothing on the terminal" },
} as const;

export default command({
  about: "Let a phone or a node in: show it a code that works for one device",
  details:
    "The code lets one device in within ten minutes. It holds no lasting secret, except with\n" +
    "--legacy: who finds it later finds nothing. `openclaw devices` takes rights back.",
  flags: FLAGS,
  connects: true,
  examples: [
    ["openclaw qr", "scan it with the app"],
    ["openclaw qr --public-url wss://gw.example.com", "for a gateway behind a proxy"],
    ["openclaw qr --limited --png code.png", "for somebody else's phone"],
    ["openclaw qr --node --setup-code-only", "for a headless node"],
  ],
  async run(call) {
    const { flags, json, io } = call;
    const made = await make(call);
    const setupCode = flags.legacy ? await legacyCode(made, call) : made.setupCode;
    if (flags.png !== undefined) {
      const { png } = await import("./qr_code.ts");
      await Deno.writeFile(flags.png, await png(setupCode), { mode: 0o600 });
    }
    if (flags["setup-code-only"] && !json) {
      io.out(`${oneLine(setupCode)}\n`);
      return 0;
    }
    const drawn = json || flags["no-ascii"] ? "" : `${await draw(setupCode, call)}\n`;
    return answer(call, { ...made, setupCode }, (made) => `${drawn}${describe(made, call)}`);
  },
});

type QrCall = Call<typeof FLAGS>;
type Made = ResultOf<"device.pair.setupCode">;

async function make(call: QrCall): Promise<Made> {
  const { flags } = call;
  const bootstrapProfile = profileOf(flags);
  const { url, loopback } = await resolveTarget(call);
  // Where a gateway far away is asked, others find it as well.
  const publicUrl = flags["public-url"] ?? (loopback || flags.remote ? undefined : url);
  try {
    return await withGateway(
      call,
      { scopes: ["operator.admin"] },
      (gateway, options) =>
        gateway.request("device.pair.setupCode", {
          includeQr: false,
          publicUrl,
          bootstrapProfile,
          ...(flags.remote ? { preferRemoteUrl: true } : {}),
        }, options),
    );
  } catch (error) {
    if (!(error instanceof GatewayRefusal) || error.reason !== "NOT_REACHABLE") throw error;
    throw new Failure(error.code, `Cannot make a setup code: ${error.message}`, {
      details: error.details,
      hint: "openclaw config set gateway.bind lan, then start it anew; " +
        "or openclaw qr --public-url wss://its.address",
      cause: error,
    });
  }
}

function profileOf(flags: QrCall["flags"]): "limited" | "node" | "voice-node" | undefined {
  const [first, second] = (["limited", "node", "voice-node"] as const).filter((name) =>
    flags[name]
  );
  if (second !== undefined) throw new UsageError(`--${first} and --${second} exclude each other`);
  return first;
}

/** A code of the form that apps of protocol 3 read. Whoever sees it has the gateway's secret. */
async function legacyCode({ gatewayUrl: url, auth: mode }: Made, call: QrCall): Promise<string> {
  const kind = mode === "password" ? "password" : "token"; // both may be known, and one lets in
  const { auth: { [kind]: secret } } = await resolveTarget(call);
  if (secret === undefined) {
    throw new Failure(
      "NO_SECRET",
      `Cannot make a code for old apps: the gateway's ${kind} is not known`,
      { hint: `give --${kind}` },
    );
  }
  call.io.err("This code holds the gateway's own secret: show it to nobody, and keep no picture\n");
  return base64Url(JSON.stringify({ url, [kind]: secret }));
}

function base64Url(text: string): string {
  const bytes = new TextEncoder().encode(text);
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_")
    .replace(/=+$/, "");
}

async function draw(setupCode: string, { paint }: QrCall): Promise<string> {
  const { ascii } = await import("./qr_code.ts");
  return ascii(setupCode, { colours: paint.bold("x") !== "x" });
}

function describe(
  { setupCode, gatewayUrl, urlSource, access, accessDowngraded, expiresAtMs }: Made,
  { flags, io, paint }: QrCall,
): string {
  const lines = [
    `Code     ${oneLine(setupCode)}`,
    `Gateway  ${oneLine(gatewayUrl)} (${oneLine(urlSource)})`,
  ];
  if (flags.legacy) return `${lines.join("\n")}\n`;
  lines.push(
    `Allows   ${ALLOWS[access]}`,
    `Works    for one device, within ${duration(expiresAtMs - io.now())}`,
  );
  if (access === "node") {
    lines.push(`Node     openclaw node run --pair oc-pair://${oneLine(setupCode)}`);
  }
  if (accessDowngraded) {
    lines.push(paint.yellow("No administration: what goes to this address can be read on the way"));
  }
  return `${lines.join("\n")}\n`;
}

const ALLOWS: Readonly<Record<Made["access"], string>> = {
  full: "everything, administering the gateway as well",
  limited: "using the agent, not administering the gateway",
  node: "being a node",
};
