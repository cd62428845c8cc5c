import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { callerOf, startKernel, type TestKernel } from "../../tests/kernel.ts";
import type { Caller } from "../caller.ts";
import type { GatewayEvent } from "../event.ts";

Deno.test("the list of sessions is told to those who asked for it", async () => {
  await using kernel = startKernel();
  const [asked, other] = [callerOf({ scopes: ["operator.read"] }), callerOf()];
  deepStrictEqual(await kernel.call("sessions.subscribe", {}, { caller: asked }), {
    subscribed: true,
  });
  await kernel.call("sessions.patch", { key: "main", label: "home" });
  const event = newest(kernel, "sessions.changed");
  deepStrictEqual(hearers(kernel, event, { asked, other }), ["asked"]);
  await kernel.call("sessions.unsubscribe", {}, { caller: asked });
  deepStrictEqual(hearers(kernel, event, { asked, other }), []);
});

Deno.test("the messages of a session are told to those who follow it, or all", async () => {
  await using kernel = startKernel();
  const [follower, elsewhere, all, other] = [callerOf(), callerOf(), callerOf(), callerOf()];
  const follow = (key: string, caller: Caller) =>
    kernel.call("sessions.messages.subscribe", { key }, { caller });
  deepStrictEqual(await follow("main", follower), { subscribed: true, key: "agent:main:main" });
  await follow("notes", elsewhere);
  await kernel.call("sessions.subscribe", {}, { caller: all });
  await send(kernel);
  const event = newest(kernel, "session.message");
  deepStrictEqual(hearers(kernel, event, { follower, elsewhere, all, other }), ["follower", "all"]);
  await kernel.call("sessions.messages.unsubscribe", { key: "main" }, { caller: follower });
  deepStrictEqual(hearers(kernel, event, { follower }), []);
});

Deno.test("chat is told to all who may read, but for those who want it session by session", async () => {
  await using kernel = startKernel();
  const caps = ["session-scoped-events"];
  const everything = callerOf({ scopes: ["operator.read"] });
  const nothing = callerOf({ scopes: ["operator.pairing"] });
  const [picky, follower] = [callerOf({ caps }), callerOf({ caps })];
  await kernel.call("sessions.messages.subscribe", { key: "main" }, { caller: follower });
  await kernel.call("sessions.subscribe", {}, { caller: picky });
  await send(kernel);
  for (const name of ["chat", "agent", "session.message"] as const) {
    const heard = hearers(kernel, newest(kernel, name), { nothing, picky, follower });
    deepStrictEqual(heard, ["follower"], name);
  }
  ok(kernel.gateway.concerns(everything, newest(kernel, "chat")));
  const changed = newest(kernel, "sessions.changed");
  deepStrictEqual(hearers(kernel, changed, { picky, follower }), ["picky", "follower"]);
});

Deno.test("version 3 hears chat, and none of the events that it does not have", async () => {
  await using kernel = startKernel();
  const caller = callerOf({ protocol: 3, scopes: ["operator.admin"] });
  await send(kernel);
  ok(kernel.gateway.concerns(caller, newest(kernel, "chat")));
  ok(!kernel.gateway.concerns(caller, newest(kernel, "session.message")));
  ok(!kernel.gateway.concerns(caller, newest(kernel, "sessions.changed")));
});

Deno.test("requests of devices are told to those who may answer them", async () => {
  await using kernel = startKernel();
  const arrival = {
    deviceId: "d",
    publicKey: "k",
    role: "operator",
    scopes: [],
    silent: false,
  } as const;
  kernel.gateway.pairing.admit(arrival);
  const event = newest(kernel, "device.pair.requested");
  const [owner, writer] = [
    callerOf({ scopes: ["operator.pairing"] }),
    callerOf({
      scopes: ["operator.write"],
    }),
  ];
  deepStrictEqual(hearers(kernel, event, { owner, writer, node: callerOf({ role: "node" }) }), [
    "owner",
  ]);
});

Deno.test("a connection that ended follows nothing any more", async () => {
  await using kernel = startKernel();
  const caller = callerOf({ client: { mode: "backend" } });
  const connection = kernel.gateway.connect({ caller, close() {} });
  await kernel.call("sessions.subscribe", {}, { caller });
  await kernel.call("sessions.messages.subscribe", { key: "main" }, { caller });
  await send(kernel);
  strictEqual(kernel.gateway.concerns(caller, newest(kernel, "session.message")), true);
  connection[Symbol.dispose]();
  strictEqual(kernel.gateway.concerns(caller, newest(kernel, "session.message")), false);
});

async function send(kernel: TestKernel): Promise<void> {
  await kernel.call("chat.send", { sessionKey: "main", message: "hi", idempotencyKey: "r1" });
  await (await kernel.agent.turn()).answers("hello");
  await kernel.events.next("sessions.changed", ({ reason }) => reason === "run-end");
}

function newest({ events }: TestKernel, name: GatewayEvent["name"]): GatewayEvent {
  const event = events.all.findLast((event) => event.name === name);
  ok(event !== undefined, `no ${name} was published`);
  return event;
}

function hearers(
  { gateway }: TestKernel,
  event: GatewayEvent,
  callers: Readonly<Record<string, Caller>>,
): readonly string[] {
  return Object.keys(callers).filter((name) => gateway.concerns(callers[name]!, event));
}
