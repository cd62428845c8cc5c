/** Devices that may connect and perhaps should not. */
import type { ResultOf } from "../../../schemas/mod.ts";
import { oneLine } from "../text.ts";
import { relative } from "../time.ts";
import { listed } from "./credentials.ts";
import { type Finding, quoted } from "./finding.ts";

/** A device that did not come for this long is not used any more, in milliseconds. */
const STALE_MS = 90 * 86_400_000;

type Devices = Pick<ResultOf<"device.pair.list">, "pending" | "paired">;

/** Looks at who is paired, and who asks to be. */
export function* deviceFindings({ pending, paired }: Devices, now: number): Iterable<Finding> {
  for (const device of paired) {
    const seen = lastSeen(device);
    if (now - seen > STALE_MS) {
      yield {
        checkId: "devices.stale",
        severity: "warn",
        title: "A device that is not used may still connect",
        detail: `${nameOf(device)} was last here ${relative(seen, now)}`,
        mend: { by: "hand", how: `openclaw devices remove ${quoted(device.deviceId)}` },
      };
    }
  }
  const remote = paired.filter((device) => isAdmin(device) && isRemote(device.remoteIp));
  if (remote.length > 0) {
    yield {
      checkId: "devices.remote_admin",
      severity: "warn",
      title: "Devices elsewhere have every right",
      detail: listed(
        remote.map((device) => `${nameOf(device)} at ${oneLine(device.remoteIp ?? "")}`),
      ),
      mend: {
        by: "hand",
        how:
          "openclaw devices list; remove those that are not yours, and let the others ask for less",
      },
    };
  }
  const [newest] = pending;
  if (newest !== undefined) {
    yield {
      checkId: "devices.pending",
      severity: "info",
      title: "Devices ask to connect",
      detail: listed(
        pending.map((request) =>
          `${nameOf(request)} wants ${request.scopes?.join(" ") || request.role || "in"}`
        ),
      ),
      mend: { by: "hand", how: `openclaw devices reject ${quoted(newest.requestId)}` },
    };
  }
}

type Paired = Devices["paired"][number];

function lastSeen({ lastSeenAtMs = 0, approvedAtMs, tokens = [] }: Paired): number {
  const used = tokens.map(({ lastUsedAtMs = 0 }) => lastUsedAtMs);
  return Math.max(lastSeenAtMs, approvedAtMs, ...used);
}

/** Whether it has a token that is good for everything. */
function isAdmin({ tokens = [] }: Paired): boolean {
  return tokens.some(({ scopes, revokedAtMs }) =>
    revokedAtMs === undefined && scopes.includes("operator.admin")
  );
}

function isRemote(remoteIp: string | undefined): boolean {
  return remoteIp !== undefined && !/^(::ffff:)?127\.|^::1$/.test(remoteIp);
}

function nameOf({ label, displayName, deviceId }: {
  readonly label?: string;
  readonly displayName?: string;
  readonly deviceId: string;
}): string {
  const name = oneLine(label ?? displayName ?? "");
  const short = oneLine(deviceId).slice(0, 12);
  return name === "" ? short : `${name} (${short})`;
}
