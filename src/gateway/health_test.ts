import { deepStrictEqual, notStrictEqual, ok, strictEqual } from "node:assert/strict";
import { startKernel } from "../../tests/kernel.ts";

Deno.test("health tells the agents, their heartbeats and their newest sessions", async () => {
  await using kernel = startKernel({
    config: {
      agents: {
        defaults: { heartbeat: { every: "30m" } },
        list: [{ id: "main" }, { id: "work", name: "Work", heartbeat: { every: "off" } }],
      },
    },
  });
  for (let i = 1; i <= 6; i++) await kernel.call("sessions.patch", { key: `s${i}`, label: `${i}` });
  await kernel.call("sessions.patch", { key: "agent:work:main", label: "w" });
  const health = await kernel.call("health", { probe: true });
  deepStrictEqual([health.ok, health.defaultAgentId, health.heartbeatSeconds], [
    true,
    "main",
    1800,
  ]);
  deepStrictEqual(
    health.agents.map(({ agentId, isDefault, heartbeat, sessions }) => [
      agentId,
      isDefault,
      heartbeat.enabled,
      heartbeat.every,
      heartbeat.everyMs,
      sessions.count,
    ]),
    [
      ["main", true, true, "30m", 1_800_000, 6],
      ["work", false, false, "off", null, 1],
    ],
  );
  strictEqual(health.sessions.count, 7);
  deepStrictEqual(health.sessions.recent.map(({ key }) => key), [
    "agent:work:main",
    "agent:main:s6",
    "agent:main:s5",
    "agent:main:s4",
    "agent:main:s3",
  ]);
  ok(health.sessions.recent.every(({ age }) => (age ?? -1) >= 0));
});

Deno.test("a snapshot serves everybody until somebody asks for a fresh one", async () => {
  await using kernel = startKernel();
  const { snapshot } = kernel.gateway.hello(4);
  const health = await kernel.call("health", {});
  strictEqual(snapshot.health, health);
  deepStrictEqual(snapshot.stateVersion, { presence: 1, health: 2 });
  const fresh = await kernel.call("health", { probe: true });
  notStrictEqual(fresh, health);
  strictEqual(await kernel.call("health", {}), fresh);
  strictEqual(kernel.gateway.hello(4).snapshot.stateVersion.health, 3);
});
