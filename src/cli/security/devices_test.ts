import { deepStrictEqual } from "node:assert/strict";
import type { ResultOf } from "../../../schemas/mod.ts";
import { deviceFindings } from "./devices.ts";
import { remedy } from "./finding.ts";

const DAY = 86_400_000;
const NOW = 1000 * DAY;

type Paired = ResultOf<"device.pair.list">["paired"][number];

Deno.test("devices that come, from here or with few rights, are as they should be", () => {
  deepStrictEqual(
    found([
      device({ deviceId: "here", remoteIp: "127.0.0.1", scopes: ["operator.admin"] }),
      device({ deviceId: "there", remoteIp: "192.0.2.1", scopes: ["operator.read"] }),
      device({ deviceId: "revoked", remoteIp: "192.0.2.1", revokedAtMs: 5 }),
    ]),
    [],
  );
});

Deno.test("a device that did not come for three months is found, however it was last seen", () => {
  const old = { approvedAtMs: NOW - 200 * DAY };
  deepStrictEqual(
    found([
      device({ ...old, deviceId: "gone" }),
      device({ ...old, deviceId: "seen", lastSeenAtMs: NOW - 89 * DAY }),
      device({ ...old, deviceId: "used", lastUsedAtMs: NOW - DAY }),
    ]),
    [["devices.stale", "Ada (gone) was last here 200d ago", "openclaw devices remove gone"]],
  );
});

Deno.test("devices elsewhere with every right are one finding, and so are those that ask", () => {
  const away = { remoteIp: "192.0.2.1", scopes: ["operator.admin"] };
  const asks = { publicKey: "k", ts: NOW, roles: ["operator"], scopes: ["operator.admin"] };
  const findings = found(
    [device({ ...away, deviceId: "a" }), device({ ...away, deviceId: "b" })],
    [{ ...asks, requestId: "r1", deviceId: "c\x1b[2J" }],
  );
  deepStrictEqual(findings.map(([id, detail]) => [id, detail]), [
    ["devices.remote_admin", "Ada (a) at 192.0.2.1, Ada (b) at 192.0.2.1"],
    ["devices.pending", "c[2J wants operator.admin"],
  ]);
  deepStrictEqual(findings[1]?.[2], "openclaw devices reject r1");
});

function found(
  paired: readonly Paired[],
  pending: ResultOf<"device.pair.list">["pending"] = [],
): readonly (readonly [string, string, string])[] {
  return [...deviceFindings({ paired, pending }, NOW)].map(({ checkId, detail, mend }) =>
    [checkId, detail, mend === undefined ? "" : remedy(mend)] as const
  );
}

function device(
  { scopes = ["operator.admin"], revokedAtMs, lastUsedAtMs, ...more }:
    & Partial<Paired>
    & { revokedAtMs?: number; lastUsedAtMs?: number },
): Paired {
  return {
    deviceId: "d",
    publicKey: "k",
    displayName: "Ada",
    createdAtMs: 0,
    approvedAtMs: NOW,
    tokens: [{ role: "operator", scopes, createdAtMs: 0, revokedAtMs, lastUsedAtMs }],
    ...more,
  };
}
