import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { Audit, AuditEntry } from "../audit.ts";
import type { Log } from "../log.ts";
import { openAudit } from "./audit_file.ts";
import { Secrets } from "./secrets.ts";

Deno.test("an entry is a line as soon as it is recorded", () =>
  inHouse(({ audit, lines }) => {
    audit.record({
      action: "device.pair.approve",
      allowed: true,
      target: "d1",
      who: { connId: "c", role: "operator", remoteIp: "127.0.0.1", clientId: "cli" },
    });
    deepStrictEqual(lines(), [{
      ts: 1000,
      action: "device.pair.approve",
      allowed: true,
      target: "d1",
      who: { remoteIp: "127.0.0.1", role: "operator", clientId: "cli", connId: "c" },
    }]);
  }));

Deno.test("each deed has its line; refusals and connections that are alike are counted", () =>
  inHouse(({ audit, lines, end }) => {
    for (let i = 0; i < 3; i++) {
      audit.record({ action: "config.set", allowed: true });
      audit.record({ action: "connect", allowed: true, who: { remoteIp: "127.0.0.1" } });
      audit.record({ action: "connect", allowed: false, reason: "AUTH_TOKEN_MISMATCH" });
    }
    const short = () =>
      lines().map(({ action, allowed, count }) => [action, allowed, count ?? 0] as const);
    deepStrictEqual(short(), [
      ["config.set", true, 0],
      ["connect", true, 0],
      ["connect", false, 0],
      ["config.set", true, 0],
      ["config.set", true, 0],
    ]);
    end();
    deepStrictEqual(short().slice(5), [["connect", false, 2], ["connect", true, 2]]);
  }));

Deno.test("a flood of refusals takes little room", () =>
  inHouse(({ audit, lines, path }) => {
    for (let i = 0; i < 20_000; i++) {
      const remoteIp = `198.51.${i % 100}.${i % 7}`;
      audit.record({ action: `GET /${i}`, allowed: false, who: { remoteIp } });
    }
    ok(lines().length < 500);
    ok(Deno.statSync(path).size < 100_000);
  }));

Deno.test("what clients chose is short, on one line, and nothing that a terminal obeys", () =>
  inHouse(({ audit, path, lines }) => {
    const clientId = `x\n{"forged":true}\x1b[2J${"y ".repeat(5000)}`;
    audit.record({ action: "a\r\nb", allowed: false, reason: clientId, who: { clientId } });
    strictEqual(Deno.readTextFileSync(path).split("\n").length, 2);
    const [entry] = lines();
    strictEqual(entry?.action, "a b");
    // deno-lint-ignore no-control-regex
    ok(!/[\x00-\x1f]/.test(`${entry?.reason}${entry?.who?.clientId}`));
    ok(Deno.statSync(path).size < 1000);
  }));

Deno.test("a secret in a wrong place is not written down", () =>
  inHouse(({ audit, path, secrets }) => {
    const own = "correct horse battery";
    secrets.add(own);
    const token = "Zm9vYmFyLXRoaXMtaXMtYS1kZXZpY2UtdG9rZW4_0123";
    audit.record({ action: token, allowed: false, reason: "UNKNOWN_METHOD" });
    audit.record({ action: `GET /hooks/${token}`, allowed: false, reason: own });
    audit.record({ action: "connect", allowed: false, who: { clientId: token } });
    const text = Deno.readTextFileSync(path);
    ok(!text.includes(token) && !text.includes(own), text);
    ok(text.includes("GET /hooks/***"));
  }));

Deno.test("full files are put aside, and all of them are for their owner only", () =>
  inHouse(({ audit, path }) => {
    for (let i = 0; i < 50; i++) audit.record({ action: "config.set", allowed: true });
    for (const age of ["", ".1", ".2"]) {
      ok(Deno.statSync(`${path}${age}`).size <= 500);
      if (Deno.build.os !== "windows") {
        strictEqual(Deno.statSync(`${path}${age}`).mode! & 0o777, 0o600);
      }
    }
  }, { maxBytes: 500, keep: 2 }));

Deno.test("a record that can't be written is reported once and stops nobody", () =>
  inHouse(({ audit, path, errors }) => {
    Deno.mkdirSync(`${path}.1`); // where the full file should go
    Deno.writeTextFileSync(`${path}.1/x`, "");
    for (let i = 0; i < 50; i++) audit.record({ action: "config.set", allowed: true });
    deepStrictEqual(errors, ["The audit log can't be written"]);
  }, { maxBytes: 500, keep: 1 }));

interface House {
  readonly path: string;
  readonly audit: Audit;
  readonly secrets: Secrets;
  readonly errors: readonly string[];
  lines(): readonly AuditEntry[];
  /** Closes the file before the house is gone. */
  end(): void;
}

/** An audit log in a folder of its own. */
function inHouse(
  use: (house: House) => void,
  limits?: { readonly maxBytes: number; readonly keep: number },
): void {
  const folder = Deno.makeTempDirSync({ prefix: "openclaw-audit-" });
  const path = `${folder}/audit.jsonl`;
  const secrets = new Secrets();
  const errors: string[] = [];
  const quiet = () => {};
  const log: Log = {
    error: (message) => void errors.push(message),
    warn: quiet,
    info: quiet,
    debug: quiet,
    part: () => log,
  };
  const audit = openAudit(path, { log, hide: secrets.hide, limits, now: () => 1000 });
  let isOpen = true;
  const end = () => {
    if (isOpen) audit[Symbol.dispose]();
    isOpen = false;
  };
  try {
    const lines = () =>
      Deno.readTextFileSync(path).trimEnd().split("\n").map((line) => JSON.parse(line));
    use({ path, audit, secrets, errors, lines, end });
  } finally {
    end();
    Deno.removeSync(folder, { recursive: true });
  }
}
