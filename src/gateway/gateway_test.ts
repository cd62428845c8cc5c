import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { stopClock } from "../../tests/clock.ts";
import { callerOf, RecordedLog, startKernel } from "../../tests/kernel.ts";
import type { GatewayEvent } from "../event.ts";
import { openStore } from "../store/sqlite.ts";
import { createBus } from "./bus.ts";

Deno.test("a new connection is told who is here and how the gateway is, and nobody else is", async () => {
  await using kernel = startKernel();
  const [caller, other] = [
    callerOf({ client: { mode: "ui" } }),
    callerOf({ client: { mode: "ui" } }),
  ];
  using _connection = kernel.gateway.connect({ caller, close() {} });
  kernel.gateway.greet(caller);
  const [presence, health] = kernel.events.all;
  deepStrictEqual([presence?.name, health?.name], ["presence", "health"]);
  for (const event of [presence, health]) {
    ok(event !== undefined && kernel.gateway.concerns(caller, event));
    ok(!kernel.gateway.concerns(other, event));
  }
  strictEqual(presence?.stateVersion?.presence, 2);
  strictEqual(health?.stateVersion?.health, 2);
  strictEqual(kernel.events.of("presence")[0]?.presence.length, 2);
});

Deno.test("who comes for one answer is not greeted", async () => {
  await using kernel = startKernel();
  kernel.gateway.greet(callerOf({ client: { mode: "cli" } }));
  deepStrictEqual(kernel.events.all, []);
});

Deno.test("hello tells each version what it has", async () => {
  await using kernel = startKernel();
  const [three, four] = [kernel.gateway.hello(3).features, kernel.gateway.hello(4).features];
  ok(!three.methods.includes("sessions.subscribe") && four.methods.includes("sessions.subscribe"));
  ok(!three.events.includes("sessions.changed") && four.events.includes("sessions.changed"));
});

Deno.test("what is done at intervals outlives a store that fails", async () => {
  using kept = openStore(":memory:");
  let isBroken = false;
  const broken = <T extends object>(part: T): T =>
    new Proxy(part, {
      get(target, name) {
        if (isBroken) throw new Error("disk I/O error");
        const value = Reflect.get(target, name);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  const { sessions, runs, outbox, values } = kept;
  const store = {
    ...kept,
    sessions: broken(sessions),
    runs: broken(runs),
    outbox: broken(outbox),
    values: broken(values),
    transaction: <T>(change: () => T) => kept.transaction(change),
  };
  using clock = stopClock("setInterval", "clearInterval");
  await using kernel = startKernel({
    store,
    config: { agents: { defaults: { heartbeat: { every: "1h" } } } },
  });
  isBroken = true;
  await clock.tickAsync(3_600_000);
  isBroken = false;
  deepStrictEqual(
    new Set(kernel.log.lines.map(({ message }) => message)),
    new Set([
      "What was not sent in time could not be looked for",
      "How the gateway is could not be told",
      "How the networks are could not be told",
      "What is over could not be forgotten",
      "A heartbeat failed",
    ]),
  );
});

Deno.test("the end is told to everybody", async () => {
  await using kernel = startKernel();
  kernel.gateway.announceShutdown("gateway stopping");
  deepStrictEqual(kernel.events.of("shutdown"), [
    { reason: "gateway stopping", restartExpectedMs: null },
  ]);
  const [event] = kernel.events.all;
  for (
    const caller of [
      callerOf({ scopes: [] }),
      callerOf({ role: "node" }),
      callerOf({ protocol: 3 }),
    ]
  ) {
    ok(event !== undefined && kernel.gateway.concerns(caller, event));
  }
});

Deno.test("a change of the configuration counts from the next use on", async () => {
  await using kernel = startKernel();
  strictEqual(kernel.gateway.hello(4).snapshot.sessionDefaults.mainSessionKey, "agent:main:main");
  kernel.config.edit(`{ session: { mainKey: 'desk' }, agents: { list: [{ id: 'home' }] } }`);
  strictEqual(kernel.gateway.hello(4).snapshot.sessionDefaults.mainSessionKey, "agent:home:desk");
  const { key } = await kernel.call("sessions.patch", { key: "main" });
  strictEqual(key, "agent:home:desk");
});

Deno.test("a listener that fails is logged, and the others hear all the same", () => {
  const log = new RecordedLog();
  const bus = createBus(log);
  const heard: string[] = [];
  const failure = new Error("no ears");
  using _deaf = bus.subscribe(() => {
    throw failure;
  });
  const event: GatewayEvent = { name: "tick", payload: { ts: 1 } };
  {
    using _listener = bus.subscribe(({ name }) => heard.push(name));
    bus.publish(event);
  }
  bus.publish(event);
  deepStrictEqual(heard, ["tick"]);
  deepStrictEqual(log.lines.map(({ message, fields }) => [message, fields.cause]), [
    ["A listener failed on event 'tick'", failure],
    ["A listener failed on event 'tick'", failure],
  ]);
});
