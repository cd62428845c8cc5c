import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { FakeModels, HOST, ScriptedAgent } from "../../tests/kernel.ts";
import { openStore } from "../store/sqlite.ts";
import { rehearse } from "./rehearsal.ts";

function start(signal = new AbortController().signal) {
  const store = openStore(":memory:");
  const scratch = store.rehearsal();
  const agent = new ScriptedAgent();
  const parts = { agent, models: new FakeModels(), host: HOST, stateDir: "/state" };
  const config = { channels: { telegram: { enabled: true } } };
  return { store, scratch, agent, over: rehearse({ ...parts, config, store: scratch }, signal) };
}

Deno.test("a message is taken in, answered and sent, and nothing of it remains", async () => {
  const { store, scratch, agent, over } = start();
  const turn = await agent.turn();
  deepStrictEqual(turn.io.history().map(({ kind }) => kind), ["message"]);
  await turn.answers("Hello to you");
  strictEqual(await over, true);
  deepStrictEqual(scratch.outbox.list({}).map(({ state }) => state), ["sent"]);
  scratch[Symbol.dispose]();
  strictEqual(store.sessions.count({}), 0);
  deepStrictEqual(store.outbox.list({}), []);
  store[Symbol.dispose]();
});

Deno.test("a rehearsal ends with its signal, whatever its agent does", async () => {
  const over = new AbortController();
  const rehearsal = start(over.signal);
  const turn = await rehearsal.agent.turn();
  over.abort();
  strictEqual(await rehearsal.over, false);
  strictEqual(turn.signal.aborted, true);
  rehearsal.scratch[Symbol.dispose]();
  rehearsal.store[Symbol.dispose]();
});

Deno.test("a rehearsal ends where the store it is for is gone", async () => {
  const { store, scratch, agent, over } = start();
  await (await agent.turn()).answers("Hello to you");
  await over;
  store[Symbol.dispose]();
  scratch[Symbol.dispose]();
});
