/** A look at a store that nobody has open. */
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import type { PairedDevice, PairingRequest } from "../device.ts";
import { fromJson } from "./database.ts";
import { SCHEMA_VERSION } from "./sqlite.ts";

export interface Glance {
  /** The schema of the file, and the one that this program knows. */
  readonly version: number;
  readonly known: number;
  readonly paired: readonly PairedDevice[];
  readonly pending: readonly PairingRequest[];
}

/**
 * What a file says of devices. It is not opened as a store: no lock is taken, nothing is written,
 * and what a crash left in its log is not seen. Throws for a file that can't be read, as while
 * somebody writes it, and `Deno.errors.NotFound` where there is none.
 */
export function glanceAt(path: string): Glance {
  Deno.statSync(path);
  const url = pathToFileURL(path);
  url.search = "?immutable=1";
  const database = new DatabaseSync(url.href, { readOnly: true });
  try {
    const column = (sql: string, name: string) =>
      database.prepare(sql).all().map((row) => String(row[name]));
    const [version = ""] = column("PRAGMA user_version", "user_version");
    return {
      version: Number(version),
      known: SCHEMA_VERSION,
      paired: column("SELECT device FROM devices", "device")
        .map((text) => fromJson<PairedDevice>(text, { table: "devices", key: "?" })),
      pending: column("SELECT request FROM pairing_requests", "request")
        .map((text) => fromJson<PairingRequest>(text, { table: "pairing_requests", key: "?" })),
    };
  } finally {
    database.close();
  }
}
