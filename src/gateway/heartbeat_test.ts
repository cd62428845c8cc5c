import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { RecordedLog, Recorder, ScriptedAgent } from "../../tests/kernel.ts";
import type { Config } from "../config.ts";
import { openStore } from "../store/sqlite.ts";
import { createBus } from "./bus.ts";
import { HEARTBEAT_PROMPT, parseEvery } from "./health.ts";
import { Heartbeats, isAcknowledgement } from "./heartbeat.ts";
import { Runs } from "./runs.ts";
import { Settings } from "./settings.ts";
import { SystemEvents } from "./system_events.ts";

const EVERY_HOUR: Config = { agents: { defaults: { heartbeat: { every: "1h" } } } };
const HOUR = 3_600_000;

Deno.test("an interval is a number with a unit; minutes where there is none", () => {
  const table: readonly [string | undefined, number | undefined][] = [
    ["30m", 1_800_000],
    ["2h", 7_200_000],
    ["90s", 90_000],
    ["1d", 86_400_000],
    ["500ms", 500],
    ["1.5 h", 5_400_000],
    [" 10 ", 600_000],
    ["0", undefined],
    ["0m", undefined],
    ["", undefined],
    ["off", undefined],
    ["-5m", undefined],
    ["5 weeks", undefined],
    [undefined, undefined],
  ];
  for (const [text, ms] of table) strictEqual(parseEvery(text), ms, `${text}`);
});

Deno.test("an answer that only says that all is well is told from one that says more", () => {
  for (
    const text of [
      "",
      "  \n",
      "HEARTBEAT_OK",
      " HEARTBEAT_OK. Nothing new.",
      "All quiet. HEARTBEAT_OK",
      "NO_REPLY",
      `HEARTBEAT_OK ${"x".repeat(299)}`,
    ]
  ) ok(isAcknowledgement(text), text);
  for (
    const text of [
      "The door is open",
      "HEARTBEAT_OKAY",
      "Not HEARTBEAT_OK at all",
      `HEARTBEAT_OK ${"x".repeat(301)}`,
    ]
  ) ok(!isAcknowledgement(text), text);
});

Deno.test("an agent is woken when its time has come, and told of only when it has to say something", async () => {
  await using house = open(EVERY_HOUR);
  await house.look(0);
  await house.look(HOUR - 1);
  strictEqual(house.agent.unclaimed, 0);
  for (
    const [hours, answer, status] of [
      [1, "The door is open", "sent"],
      [2, "HEARTBEAT_OK", "ok-token"],
      [3, "", "ok-empty"],
    ] as const
  ) {
    const looked = house.look(hours * HOUR);
    const turn = await house.agent.turn();
    const [entry] = turn.io.history().slice(-1);
    strictEqual(entry?.kind === "message" && entry.message.content, HEARTBEAT_PROMPT);
    strictEqual(turn.request.sessionKey, "agent:main:main");
    await turn.answers(answer);
    await looked;
    strictEqual(house.heartbeats.last?.status, status);
  }
  const told = house.events.of("heartbeat");
  deepStrictEqual(told.map(({ status, preview, silent }) => [status, preview, silent]), [
    ["sent", "The door is open", undefined],
    ["ok-token", undefined, true],
    ["ok-empty", undefined, true],
  ]);
});

Deno.test("a heartbeat that fails is told as such", async () => {
  await using house = open(EVERY_HOUR);
  await house.look(0);
  const looked = house.look(HOUR);
  await (await house.agent.turn()).ends({ status: "error", kind: "auth", error: "no key" });
  await looked;
  const { status, reason, indicatorType } = house.heartbeats.last ?? {};
  deepStrictEqual([status, reason, indicatorType], ["failed", "no key", "error"]);
});

Deno.test("an agent at work is not woken", async () => {
  await using house = open(EVERY_HOUR);
  await house.look(0);
  const first = house.look(HOUR);
  const turn = await house.agent.turn();
  await house.look(2 * HOUR);
  const { status, reason } = house.heartbeats.last ?? {};
  deepStrictEqual([status, reason], ["skipped", "busy"]);
  await turn.ends();
  await first;
});

Deno.test("without an interval, or switched off, nobody is woken", async () => {
  await using silent = open({});
  await silent.look(0);
  await silent.look(1000 * HOUR);
  strictEqual(silent.heartbeats.last, null);

  await using house = open(EVERY_HOUR);
  await house.look(0);
  house.heartbeats.enabled = false;
  await house.look(HOUR);
  house.heartbeats.enabled = true;
  await house.look(HOUR + 1);
  strictEqual(house.agent.unclaimed, 0);
  strictEqual(house.heartbeats.last, null);
});

Deno.test("nobody sleeps longer than the interval, be it shortened or the clock set back", async () => {
  let every = "1d";
  await using house = open({
    agents: {
      defaults: {
        get heartbeat() {
          return { every };
        },
      },
    },
  });
  await house.look(100 * HOUR);
  every = "1h";
  await house.look(100 * HOUR);
  const wakes = async (now: number) => {
    const looked = house.look(now);
    await (await house.agent.turn()).answers("HEARTBEAT_OK");
    await looked;
  };
  await wakes(101 * HOUR);
  await house.look(10 * HOUR); // it was set back
  await wakes(11 * HOUR);
});

Deno.test("each agent has its own interval", async () => {
  await using house = open({
    agents: {
      defaults: { heartbeat: { every: "1h" } },
      list: [{ id: "slow", heartbeat: { every: "1d" } }, { id: "usual", heartbeat: {} }],
    },
  });
  await house.look(0);
  const looked = house.look(HOUR);
  const turn = await house.agent.turn();
  strictEqual(turn.request.agentId, "usual");
  await turn.answers("HEARTBEAT_OK");
  await looked;
  strictEqual(house.agent.unclaimed, 0);
});

Deno.test("who waits for a heartbeat does not outlive the program", async () => {
  await using house = open(EVERY_HOUR);
  await house.look(0);
  const looked = house.look(HOUR);
  const turn = await house.agent.turn();
  house.stop.abort();
  await looked;
  strictEqual(house.heartbeats.last, null);
  await turn.ends();
});

/** Heartbeats with a clock that the test turns. */
function open(config: Config) {
  const store = openStore(":memory:");
  const log = new RecordedLog();
  const bus = createBus(log);
  const agent = new ScriptedAgent();
  const settings = new Settings(() => config);
  const systemEvents = new SystemEvents(store.values);
  const runs = new Runs({ store, agent, bus, settings, systemEvents, log, changed() {} });
  const heartbeats = new Heartbeats({ values: store.values, runs, bus, settings, log });
  const stop = new AbortController();
  return {
    agent,
    heartbeats,
    stop,
    events: new Recorder(bus),
    look: (now: number) => heartbeats.look(stop.signal, now),
    async [Symbol.asyncDispose]() {
      await runs[Symbol.asyncDispose]();
      store[Symbol.dispose]();
    },
  };
}
