import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { callerOf, startKernel, type TestKernel } from "../../../tests/kernel.ts";
import { aborted } from "../../deadline.ts";
import { openStore } from "../../store/sqlite.ts";
import type { Arrival } from "../pairing.ts";

const pairing = ["operator.pairing"];

Deno.test("device.pair.list shows who waits and who is paired, and no secret", async () => {
  await using kernel = startKernel();
  const { token } = pair(kernel, "phone", { scopes: ["operator.write"], displayName: "Phone" });
  ask(kernel, "tablet");
  const connection = kernel.gateway.connect({
    caller: callerOf({ deviceId: "phone" }),
    close() {},
  });
  const list = await kernel.call("device.pair.list", {});
  deepStrictEqual(list.pending.map(({ deviceId }) => deviceId), ["tablet"]);
  const [phone] = list.paired;
  deepStrictEqual([phone?.displayName, phone?.role, phone?.roles, phone?.connected], [
    "Phone",
    "operator",
    ["operator"],
    true,
  ]);
  deepStrictEqual(phone?.tokens?.[0]?.scopes, ["operator.write"]);
  ok(!JSON.stringify(list).includes(token));
  connection[Symbol.dispose]();
  strictEqual((await kernel.call("device.pair.list", {})).paired[0]?.connected, false);
});

Deno.test("device.pair.approve and reject answer a request", async () => {
  await using kernel = startKernel();
  const approved = ask(kernel, "phone");
  const { device } = await kernel.call("device.pair.approve", { requestId: approved });
  deepStrictEqual([device.deviceId, device.approvedVia], ["phone", "owner"]);
  const rejected = ask(kernel, "tablet");
  deepStrictEqual(await kernel.call("device.pair.reject", { requestId: rejected }), {
    requestId: rejected,
    deviceId: "tablet",
  });
  await rejects(kernel.call("device.pair.approve", { requestId: rejected }), /unknown requestId/);
});

Deno.test("nobody approves more than they hold", async () => {
  await using kernel = startKernel();
  const caller = callerOf({ scopes: [...pairing, "operator.write"] });
  const approve = (requestId: string) =>
    kernel.call("device.pair.approve", { requestId }, { caller });
  await approve(ask(kernel, "reader", { scopes: ["operator.read", "operator.pairing"] }));
  await rejects(
    approve(ask(kernel, "admin", { scopes: ["operator.admin"] })),
    /missing scope: operator\.admin/,
  );
  await rejects(
    approve(ask(kernel, "asker", { scopes: ["operator.read", "operator.approvals"] })),
    /missing scope: operator\.approvals/,
  );
  await rejects(
    approve(ask(kernel, "node", { role: "node", scopes: [] })),
    /missing scope: operator\.admin/,
  );
});

Deno.test("a request that once asked for another role is an admin's to approve", async () => {
  await using kernel = startKernel();
  ask(kernel, "sly", { role: "node", scopes: [] });
  const requestId = ask(kernel, "sly", { role: "operator", scopes: [] });
  const caller = callerOf({ scopes: pairing });
  await rejects(
    kernel.call("device.pair.approve", { requestId }, { caller }),
    /missing scope: operator\.admin/,
  );
  const { device } = await kernel.call("device.pair.approve", { requestId });
  deepStrictEqual(device.roles, ["node", "operator"]);
});

Deno.test("nobody but an admin touches a device that holds more than they do", async () => {
  await using kernel = startKernel();
  pair(kernel, "strong", { scopes: ["operator.admin"] });
  pair(kernel, "camera", { role: "node", scopes: [] });
  const caller = callerOf({ scopes: pairing });
  for (const deviceId of ["strong", "camera"]) {
    for (
      const call of [
        kernel.call("device.pair.remove", { deviceId }, { caller }),
        kernel.call("device.token.rotate", { deviceId, role: "operator" }, { caller }),
        kernel.call("device.token.revoke", { deviceId, role: "operator" }, { caller }),
      ]
    ) await rejects(call, /missing scope: operator\.admin/);
  }
  await kernel.call("device.pair.remove", { deviceId: "camera" });
  await rejects(kernel.call("device.pair.remove", { deviceId: "camera" }), /unknown deviceId/);
});

Deno.test("who came by a device token manages that device and no other, unless admin", async () => {
  await using kernel = startKernel();
  pair(kernel, "own", { scopes: pairing });
  pair(kernel, "other", { scopes: [] });
  const caller = callerOf({ deviceId: "own", method: "device-token", scopes: pairing });
  for (
    const call of [
      kernel.call("device.pair.remove", { deviceId: "other" }, { caller }),
      kernel.call("device.pair.rename", { deviceId: "other", label: "x" }, { caller }),
      kernel.call("device.token.rotate", { deviceId: "other", role: "operator" }, { caller }),
      kernel.call("device.token.revoke", { deviceId: "other", role: "operator" }, { caller }),
    ]
  ) await rejects(call, /missing scope: operator\.admin/);
  const label = await kernel.call("device.pair.rename", { deviceId: "own", label: " Desk " }, {
    caller,
  });
  strictEqual(label.label, "Desk");
  const admin = callerOf({ deviceId: "own", method: "device-token" });
  await kernel.call("device.pair.remove", { deviceId: "other" }, { caller: admin });
});

Deno.test("a new token is shown to who came by the old one, and to nobody else", async () => {
  await using kernel = startKernel();
  pair(kernel, "own", { scopes: pairing });
  const rotate = (caller: ReturnType<typeof callerOf>) =>
    kernel.call("device.token.rotate", { deviceId: "own", role: "operator" }, { caller });
  const own = await rotate(callerOf({ deviceId: "own", method: "device-token", scopes: pairing }));
  ok(own.token !== undefined && kernel.gateway.pairing.checkToken("own", own.token, "operator"));
  strictEqual(own.tokenDelivery, "in-band");
  for (
    const caller of [
      callerOf({ scopes: pairing }),
      callerOf(),
      callerOf({ deviceId: "own", scopes: pairing }),
      callerOf({ deviceId: "other", method: "device-token" }),
    ]
  ) {
    const { token, tokenDelivery } = await rotate(caller);
    deepStrictEqual([token, tokenDelivery], [undefined, "withheld-cross-device"]);
  }
  await rejects(
    kernel.call("device.token.rotate", { deviceId: "own", role: "robot" }),
    /unknown deviceId\/role/,
  );
});

Deno.test("a revoked token is not rotated back to life", async () => {
  await using kernel = startKernel();
  pair(kernel, "own", { scopes: ["operator.read"] });
  const params = { deviceId: "own", role: "operator" };
  await kernel.call("device.token.revoke", params);
  await rejects(kernel.call("device.token.rotate", params), /unknown deviceId\/role/);
});

Deno.test("a device that came by its token sees its own entries, unless it is an admin's", async () => {
  await using kernel = startKernel();
  pair(kernel, "own", { scopes: pairing });
  pair(kernel, "other", { scopes: [] });
  ask(kernel, "tablet");
  const own = ask(kernel, "own", { scopes: ["operator.admin"] });
  const seen = async (scopes: readonly string[]) => {
    const caller = callerOf({ deviceId: "own", method: "device-token", scopes });
    const list = await kernel.call("device.pair.list", {}, { caller });
    return [list.pending, list.paired].map((rows) => rows.map(({ deviceId }) => deviceId).sort());
  };
  deepStrictEqual(await seen(pairing), [["own"], ["own"]]);
  deepStrictEqual(await seen(["operator.admin"]), [["own", "tablet"], ["other", "own"]]);
  const caller = callerOf({ deviceId: "own", method: "device-token", scopes: pairing });
  const requestId = ask(kernel, "tablet");
  for (const method of ["device.pair.approve", "device.pair.reject"] as const) {
    await rejects(kernel.call(method, { requestId }, { caller }), /missing scope: operator\.admin/);
  }
  await rejects(
    kernel.call("device.pair.approve", { requestId: own }, { caller }),
    /missing scope: operator\.admin/,
  );
  await kernel.call("device.pair.reject", { requestId: own }, { caller });
});

Deno.test("what a removed or revoked device asked the agent to do is stopped; a rotated one goes on", async () => {
  const params = { deviceId: "phone", role: "operator" };
  for (
    const [method, given, stops] of [
      ["device.pair.remove", { deviceId: "phone" }, true],
      ["device.token.revoke", params, true],
      ["device.token.rotate", params, false],
    ] as const
  ) {
    await using kernel = startKernel();
    pair(kernel, "phone", { scopes: ["operator.write"] });
    const caller = callerOf({ deviceId: "phone", scopes: ["operator.write"] });
    const send = (idempotencyKey: string, by: typeof caller) =>
      kernel.call("chat.send", {
        sessionKey: by === caller ? "main" : "other",
        message: "go",
        idempotencyKey,
      }, { caller: by });
    await send("theirs", caller);
    const theirs = await kernel.agent.turn();
    await send("mine", callerOf());
    const mine = await kernel.agent.turn();
    await kernel.gateway.dispatch(method, given, by("admin"));
    await Promise.resolve();
    strictEqual(theirs.signal.aborted, stops, method);
    strictEqual(mine.signal.aborted, false, method);
    await mine.answers("done");
    if (!stops) await theirs.answers("done");
    await kernel.events.chat(stops ? "aborted" : "final", "theirs");
  }
});

Deno.test("what a device asked for before a restart is stopped with it, too", async () => {
  await using first = startKernel({ config: { agents: { defaults: { maxConcurrent: 1 } } } });
  pair(first, "phone", { scopes: ["operator.write"] });
  await first.call("chat.send", { sessionKey: "busy", message: "go", idempotencyKey: "mine" });
  await first.agent.turn();
  const caller = callerOf({ deviceId: "phone", scopes: ["operator.write"] });
  const params = { sessionKey: "main", message: "go", idempotencyKey: "theirs" };
  await first.call("chat.send", params, { caller });
  await using second = await first.restart();
  const turn = await second.agent.turn();
  await second.call("device.pair.remove", { deviceId: "phone" });
  await second.events.chat("aborted", "theirs");
  strictEqual(turn.signal.aborted, true);
});

Deno.test("what a removed device began a session with, or has summarised, is stopped too", async () => {
  for (const method of ["sessions.create", "sessions.compact"] as const) {
    await using kernel = startKernel();
    pair(kernel, "phone", { scopes: ["operator.admin"] });
    await kernel.call("sessions.create", { key: "main" });
    const params = method === "sessions.create" ? { message: "go" } : { key: "main" };
    const answer = kernel.call(method, params, { caller: callerOf({ deviceId: "phone" }) });
    const turn = await kernel.agent.turn();
    await kernel.call("device.pair.remove", { deviceId: "phone" });
    await kernel.events.chat("aborted");
    strictEqual(turn.signal.aborted, true, method);
    await answer;
  }
});

Deno.test("a device is removed also where what it has waiting can't be stopped", async () => {
  using kept = openStore(":memory:");
  const finish = () => {
    throw new Error("database or disk is full");
  };
  let isFull = false;
  const runs = new Proxy(kept.runs, {
    get: (target, name: keyof typeof kept.runs) =>
      isFull && name === "finish" ? finish : target[name].bind(target),
  });
  const transaction = <T>(change: () => T) => kept.transaction(change);
  await using kernel = startKernel({
    store: { ...kept, runs, transaction },
    config: { messages: { queue: { mode: "followup" } } },
  });
  pair(kernel, "phone", { scopes: ["operator.write"] });
  const caller = callerOf({ deviceId: "phone", scopes: ["operator.write"] });
  for (const idempotencyKey of ["r1", "r2"]) {
    await kernel.call("chat.send", { sessionKey: "main", message: "go", idempotencyKey }, {
      caller,
    });
  }
  const turn = await kernel.agent.turn();
  isFull = true;
  await kernel.call("device.pair.remove", { deviceId: "phone" });
  await aborted(turn.signal);
  isFull = false;
  await kernel.events.chat("aborted", "r2");
});

Deno.test("rotating, revoking and removing end the device's connections, after the answer", async () => {
  const params = { deviceId: "own", role: "operator" };
  for (
    const [method, call] of [
      [
        "device token rotated",
        (kernel: TestKernel) => kernel.gateway.dispatch("device.token.rotate", params, by("own")),
      ],
      [
        "device token revoked",
        (kernel: TestKernel) => kernel.gateway.dispatch("device.token.revoke", params, by("own")),
      ],
      [
        "device removed",
        (kernel: TestKernel) =>
          kernel.gateway.dispatch("device.pair.remove", { deviceId: "own" }, by("own")),
      ],
    ] as const
  ) {
    await using kernel = startKernel();
    pair(kernel, "own", { scopes: pairing });
    const closed: string[] = [];
    const connect = (deviceId: string) =>
      kernel.gateway.connect({
        caller: callerOf({ deviceId, client: { mode: "backend" } }),
        close: (code, reason) => closed.push(`${deviceId} ${code} ${reason}`),
      });
    using _own = connect("own");
    using _other = connect("other");
    const answer = call(kernel);
    ok(!(answer instanceof Promise), "the answer is sent in the same breath");
    deepStrictEqual(closed, []);
    await Promise.resolve();
    deepStrictEqual(closed, [`own 4001 client invalidated: ${method}`]);
  }
});

function by(deviceId: string) {
  const caller = deviceId === "admin"
    ? callerOf()
    : callerOf({ deviceId, method: "device-token", scopes: pairing });
  return { caller, signal: new AbortController().signal, accept: () => {} };
}

function arrive(kernel: TestKernel, deviceId: string, change: Partial<Arrival>) {
  const arrival = {
    deviceId,
    publicKey: `key of ${deviceId}`,
    role: "operator",
    scopes: [],
  } as const;
  return kernel.gateway.pairing.admit({ ...arrival, silent: false, ...change });
}

/** Leaves a request; returns its id. */
function ask(kernel: TestKernel, deviceId: string, change: Partial<Arrival> = {}): string {
  const refused = arrive(kernel, deviceId, change);
  ok("request" in refused);
  return refused.request.requestId;
}

function pair(kernel: TestKernel, deviceId: string, change: Partial<Arrival>): { token: string } {
  const admitted = arrive(kernel, deviceId, { ...change, silent: true });
  ok("token" in admitted);
  return { token: admitted.token.token };
}
