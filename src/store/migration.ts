/** How a file's schema is told, and brought to the one that this program knows. */
import type { Database } from "./database.ts";

/** Marks a file as ours, in the field of SQLite's header that is meant for it: "oclw". */
const APPLICATION_ID = 0x6f636c77;

/**
 * The version of the file's schema: how many migrations it has seen. Throws for a file of a newer
 * program and for one that is not ours. Only reads.
 */
export function schemaVersion(database: Database, known: number): number {
  const { application, version, tables } = database.one<
    { application: number; version: number; tables: number }
  >(`SELECT
      (SELECT application_id FROM pragma_application_id) AS application,
      (SELECT user_version FROM pragma_user_version) AS version,
      (SELECT count(*) FROM sqlite_schema) AS tables`);
  const isEmpty = application === 0 && version === 0 && tables === 0;
  if (!isEmpty && application !== APPLICATION_ID) {
    throw new Error("it is the database of another program");
  }
  if (version > known) {
    throw new Error(
      `a newer program wrote it: its schema has version ${version}, ` +
        `this program knows versions up to ${known}`,
    );
  }
  return version;
}

/** Runs the migrations after `version`, each in one transaction, so that a crash repeats none. */
export function migrate(database: Database, version: number, migrations: readonly string[]): void {
  for (const [index, script] of migrations.entries()) {
    if (index < version) continue;
    database.transaction(() => {
      database.script(script);
      database.script(
        `PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${index + 1}`,
      );
    });
  }
}
