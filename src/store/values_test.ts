import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { openDatabase } from "./database.ts";
import { init } from "./migrations/0001_init.ts";
import { SqliteValues } from "./values.ts";

Deno.test("a value is any JSON, under a name that can be reused and forgotten", () => {
  using database = openDatabase(":memory:", [init]);
  const values = new SqliteValues(database);
  strictEqual(values.get("name"), undefined);
  for (const value of [{ a: [1, null] }, "text", 0, false, null, []]) {
    values.set("name", value);
    deepStrictEqual(values.get("name"), value);
  }
  values.set("other", 1);
  strictEqual(values.delete("name"), true);
  strictEqual(values.delete("name"), false);
  strictEqual(values.get("name"), undefined);
  strictEqual(values.get("other"), 1);
});

Deno.test("what is no JSON is refused, and the old value stays", () => {
  using database = openDatabase(":memory:", [init]);
  const values = new SqliteValues(database);
  values.set("name", 1);
  throws(() => values.set("name", undefined), /Cannot store undefined/);
  throws(() => values.set("name", 1n), TypeError);
  strictEqual(values.get("name"), 1);
});
