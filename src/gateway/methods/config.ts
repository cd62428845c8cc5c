/** The configuration file, over the wire. */
import { createHash } from "node:crypto";
import JSON5 from "json5";
import type { HandlersFor } from "../../../schemas/contract.ts";
import type * as contract from "../../../schemas/config.ts";
import type { Call } from "../../caller.ts";
import { type ConfigFile, ConfigSchema, parseConfig, redact, restore } from "../../config.ts";
import { invalid } from "../../error.ts";
import { patched } from "../../patch.ts";

export function configHandlers(
  file: ConfigFile,
  { version }: { version: string },
): HandlersFor<typeof contract, Call> {
  /** Replaces the file by a value, after checking it whole. Resolves to what is told of it. */
  async function rewrite(edit: (before: string) => unknown, baseHash: string | undefined) {
    let written: unknown;
    let hash = "";
    await file.rewrite((before) => {
      requireHash(before, baseHash);
      written = edit(before ?? "");
      const text = `${JSON.stringify(written, null, 2)}\n`;
      const { issues } = parseConfig(text);
      if (issues.length > 0) throw invalid("invalid config", { issues });
      hash = hashOf(text);
      return text;
    });
    return { ok: true as const, path: file.path, hash, config: redact(written) };
  }

  return {
    "config.get": async () => {
      await file.catchUp();
      const text = file.text;
      const { value, issues, warnings } = parseConfig(text ?? "");
      const shown = redact(value ?? {});
      return {
        path: file.path,
        exists: text !== undefined,
        raw: text === undefined ? null : `${JSON.stringify(shown, null, 2)}\n`,
        parsed: shown,
        resolved: shown,
        valid: issues.length === 0,
        config: redact(file.config),
        ...(text === undefined ? {} : { hash: hashOf(text) }),
        issues,
        warnings,
        legacyIssues: [],
      };
    },

    "config.schema": () => ({
      schema: JSON.parse(JSON.stringify(ConfigSchema)),
      uiHints: {
        "gateway.auth.token": { label: "Gateway token", sensitive: true },
        "gateway.auth.password": { label: "Gateway password", sensitive: true },
        "agents.defaults.model.primary": { label: "Model", placeholder: "provider/model" },
      },
      version,
      generatedAt: new Date().toISOString(),
    }),

    "config.set": ({ raw, baseHash }) =>
      rewrite((before) => {
        const { value, issues } = parseConfig(raw);
        if (issues.length > 0) throw invalid("invalid config", { issues });
        // Beside a file with mistakes, what the gateway runs on is shown: that is behind masks, too.
        return restore(value, parseConfig(before).value, file.config);
      }, baseHash),

    "config.patch": ({ raw, baseHash, replacePaths }) =>
      rewrite((before) => {
        const { value, issues } = parseConfig(before);
        if (value === undefined) throw invalid("invalid config", { issues }); // nothing to patch
        return patched(value, restore(readPatch(raw), value), replacePaths);
      }, baseHash),
  };
}

/** Refuses to write over a text that the writer has not read. */
function requireHash(text: string | undefined, baseHash: string | undefined): void {
  if (text === undefined) return;
  if (baseHash === undefined) {
    throw invalid("config base hash required; re-run config.get and retry");
  }
  if (baseHash !== hashOf(text)) {
    throw invalid("config changed since last load; re-run config.get and retry");
  }
}

function readPatch(raw: string): unknown {
  try {
    return JSON5.parse(raw);
  } catch (error) {
    throw invalid(`config patch is not JSON5: ${error instanceof Error ? error.message : error}`);
  }
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
