/** Named values, in SQLite. */
import type { KeyValues } from "../store.ts";
import { type Database, fromJson, toJson } from "./database.ts";

export class SqliteValues implements KeyValues {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  get(name: string): unknown {
    const row = this.#database.get<{ value: string }>(
      "SELECT value FROM named_values WHERE name = ?",
      name,
    );
    return row && fromJson<unknown>(row.value, { table: "named_values", key: name });
  }

  set(name: string, value: unknown): void {
    this.#database.run(
      "INSERT INTO named_values VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
      name,
      toJson(value),
    );
  }

  delete(name: string): boolean {
    return this.#database.run("DELETE FROM named_values WHERE name = ?", name) > 0;
  }
}
