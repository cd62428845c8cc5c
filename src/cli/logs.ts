/** `openclaw logs` */
import type { GatewayClient, RequestOptions } from "../client/client.ts";
import { ConnectionError } from "../client/client.ts";
import { pause } from "../deadline.ts";
import { type Call, command } from "./command.ts";
import { connect, withGateway } from "./connect.ts";
import { at } from "./config_file.ts";
import { Failure } from "./failure.ts";
import type { Paint } from "./paint.ts";
import { oneLine, printableJson } from "./text.ts";
import { moment } from "./time.ts";

const READ = { scopes: ["operator.read"] } as const;
/** The most that a gateway reads at a time. */
export const MAX_BYTES = 1_000_000;
/** How often `--follow` looks for more, in milliseconds. */
const FOLLOW_MS = 500;
/** How long to wait before each new attempt to reach a lost gateway, the last for ever. */
const BACK_OFF_MS = [500, 1_000, 2_000, 5_000, 10_000];

export default command({
  about: "Read the gateway's log",
  details: "With --json each line is printed as the gateway wrote it, a JSON object.",
  flags: {
    limit: { kind: "number", value: "count", min: 1, max: 5000, about: "The newest lines (200)" },
    follow: { kind: "switch", short: "f", about: "Go on with lines as they are written" },
    utc: { kind: "switch", about: "Print times in UTC, not in this machine's zone" },
  },
  connects: true,
  examples: [
    ["openclaw logs", "read the last lines"],
    ["openclaw logs --follow", "watch it"],
    ["openclaw logs --limit 1000 --json | jq 'select(.level==\"error\")'", "look for errors"],
  ],
  async run(call) {
    const { limit = 200, follow } = call.flags;
    const print = (lines: readonly string[]) =>
      call.io.out(
        lines.map((line) => `${call.json ? printableJson(line) : lineText(line, call)}\n`).join(""),
      );
    if (!follow) {
      const read = (gateway: GatewayClient, options: RequestOptions) =>
        gateway.request("logs.tail", { limit, maxBytes: MAX_BYTES }, options);
      const page = await withGateway(call, READ, read);
      if (page.lines.length < limit) noteCut(page, call);
      print(page.lines);
      return 0;
    }
    using interrupt = call.io.interrupt();
    await followLog(call, { limit, print, signal: interrupt.signal });
    return 0;
  },
});

/** Says that the log has lines before these which the gateway did not tell. */
export function noteCut(
  { truncated }: { readonly truncated?: boolean },
  { io, paint }: Pick<Call, "io" | "paint">,
): void {
  if (truncated) io.err(`${paint.dim("… lines were passed over")}\n`);
}

/** Reads on until the signal aborts; a gateway that goes away is waited for. */
async function followLog(
  call: Call,
  { limit, print, signal }: {
    limit: number;
    print: (lines: readonly string[]) => void;
    signal: AbortSignal;
  },
): Promise<void> {
  let cursor: number | undefined;
  for (let attempt = 0; !signal.aborted;) {
    try {
      await using gateway = await connect(call, { ...READ, signal });
      for (;;) {
        const page = await gateway.request("logs.tail", { limit, cursor, maxBytes: MAX_BYTES }, {
          signal,
        });
        if (cursor !== undefined || page.lines.length < limit) noteCut(page, call);
        if (page.reset) call.io.err(`${call.paint.dim("… a new log begins")}\n`);
        print(page.lines);
        cursor = page.cursor;
        attempt = 0;
        await pause(FOLLOW_MS, signal);
      }
    } catch (error) {
      if (signal.aborted) return;
      if (cursor === undefined || !isLoss(error)) throw error;
      if (attempt === 0) {
        call.io.err(`${call.paint.dim("… the gateway is gone, waiting for it")}\n`);
      }
      await pause(BACK_OFF_MS[Math.min(attempt++, BACK_OFF_MS.length - 1)] ?? 0, signal);
    }
  }
}

function isLoss(error: unknown): boolean {
  return error instanceof ConnectionError ||
    error instanceof Failure && error.cause instanceof ConnectionError;
}

/** `12:03:44 warn  server  A client was too slow connId=…` */
export function lineText(
  line: string,
  { flags: { utc }, paint }: { flags: { utc: boolean }; paint: Paint },
): string {
  const entry = parse(line);
  const message = at(entry, "message");
  if (typeof message !== "string") return oneLine(line);
  const { time, level, part, message: _message, ...fields } = entry ?? {};
  const rest = Object.entries(fields).map(([name, value]) =>
    `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`
  );
  return [
    paint.dim(moment(time, utc)),
    levelText(String(level ?? "info"), paint),
    paint.dim(oneLine(String(part ?? "-")).padEnd(8)),
    oneLine(message),
    paint.dim(oneLine(rest.join(" "))),
  ].join(" ").trimEnd();
}

function parse(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return Object(JSON.parse(line));
  } catch {
    return undefined;
  }
}

function levelText(level: string, paint: Paint): string {
  const text = oneLine(level).padEnd(5);
  return level === "error"
    ? paint.red(text)
    : level === "warn"
    ? paint.yellow(text)
    : paint.dim(text);
}
