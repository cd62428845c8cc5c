import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { advertisedEvents, advertisedMethods, events, isMethodName, methods } from "./mod.ts";

Deno.test("every declaration of every file here is collected", async () => {
  const declared: string[] = [];
  for (const { name } of Deno.readDirSync(import.meta.dirname!)) {
    if (!name.endsWith(".ts") || name.endsWith("_test.ts") || name === "mod.ts") continue;
    const exported = Object.values<{ kind?: string; name?: string }>(await import(`./${name}`));
    for (const { kind, name } of exported) {
      if (kind === "method" || kind === "event") declared.push(`${kind} ${name}`);
    }
  }
  const collected = [...Object.values(methods), ...Object.values(events)]
    .map(({ kind, name }) => `${kind} ${name}`);
  deepStrictEqual(collected.sort(), declared.sort());
});

Deno.test("a declaration is found by its wire name and by nothing else", () => {
  strictEqual(methods["chat.send"].name, "chat.send");
  strictEqual(events["chat"].kind, "event");
  for (const name of ["__proto__", "constructor", "toString", "chat", ""]) {
    ok(!isMethodName(name), name);
  }
});

Deno.test("hello-ok names what its version has", () => {
  ok(advertisedMethods(3).includes("sessions.list"));
  ok(!advertisedMethods(3).includes("sessions.subscribe"));
  ok(advertisedMethods(4).includes("sessions.subscribe"));
  ok(!advertisedMethods(4).includes("chat.inject"));
  ok(!advertisedEvents(3).includes("session.message"));
  ok(advertisedEvents(4).includes("session.message"));
});

Deno.test("version 3 is offered nothing that needs a scope it does not have", () => {
  const later = new Set(["operator.questions", "operator.talk", "operator.talk.secrets"]);
  deepStrictEqual(advertisedMethods(3).filter((name) => later.has(methods[name].access[3])), []);
});
