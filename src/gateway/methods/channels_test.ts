import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { FakeChannel, fakeNetwork } from "../../../tests/fakes/channel.ts";
import { startKernel, type TestKernel } from "../../../tests/kernel.ts";
import { ChannelError } from "../../channel.ts";
import { checkConfig } from "../../config.ts";

const CONFIG = {
  channels: {
    fake: { dmPolicy: "open", allowFrom: ["*"], accounts: { home: { name: "Home", token: "t1" } } },
    other: { enabled: false, token: "t2" },
  },
};

/** A kernel on networks of fakes, begun. */
async function begun(
  config: unknown = CONFIG,
  prepare: (channel: FakeChannel) => void = () => {},
): Promise<TestKernel> {
  const kernel = startKernel({
    config: checkConfig(config).config,
    networks: ["fake", "other"].map((id) =>
      fakeNetwork(id, ({ accountId }) => {
        const channel = new FakeChannel({ id, accountId });
        prepare(channel);
        return channel;
      })
    ),
  });
  await kernel.gateway.reconfigured();
  return kernel;
}

/** Resolves to the account's snapshot once it fits; asked again when it is told that one has changed. */
async function account(
  kernel: TestKernel,
  fits: (snapshot: Record<string, unknown>) => boolean,
  channel = "fake",
): Promise<Record<string, unknown>> {
  for (;;) {
    const { channelAccounts } = await kernel.call("channels.status", {});
    const snapshot = channelAccounts[channel]?.[0] as Record<string, unknown> | undefined;
    if (snapshot !== undefined && fits(snapshot)) return snapshot;
    await kernel.events.next("health");
  }
}

Deno.test("channels.status tells of every account, those that are off too", async () => {
  await using kernel = await begun();
  const snapshot = await account(kernel, ({ connected }) => connected === true);
  for (const name of ["lastConnectedAt", "lastStartAt", "lastTransportActivityAt"]) {
    strictEqual(typeof snapshot[name], "number", name);
  }
  const { lastConnectedAt: _c, lastStartAt: _s, lastTransportActivityAt: _t, ...rest } = snapshot;
  deepStrictEqual(rest, {
    accountId: "home",
    name: "Home",
    enabled: true,
    dmPolicy: "open",
    allowFrom: ["*"],
    configured: true,
    running: true,
    connected: true,
    healthState: "healthy",
    reconnectAttempts: 0,
    lastError: null,
    lastStopAt: null,
    lastInboundAt: null,
    lastOutboundAt: null,
    tokenSource: "config",
    messages: { received: 0, duplicates: 0, admitted: 0, skipped: {} },
    self: { id: "1", username: "fake_bot" },
  });
  const status = await kernel.call("channels.status", {});
  deepStrictEqual(
    [status.channelOrder, status.channelLabels, status.channelDefaultAccountId],
    [["fake", "other"], { fake: "Fake", other: "Other" }, { fake: "home", other: "default" }],
  );
  const [off] = status.channelAccounts.other ?? [];
  deepStrictEqual([off?.enabled, off?.running, off?.connected], [false, false, false]);
  deepStrictEqual(status.statusIssues, []);
  const only = await kernel.call("channels.status", { channel: "other" });
  deepStrictEqual(only.channelOrder, ["other"]);
});

Deno.test("health and status tell of the networks as well", async () => {
  await using kernel = await begun();
  await account(kernel, ({ connected }) => connected === true);
  const health = await kernel.call("health", { probe: true });
  deepStrictEqual(health.channelOrder, ["fake", "other"]);
  const { channelSummary } = await kernel.call("status", {});
  deepStrictEqual(channelSummary, ["Fake (Home): connected as @fake_bot", "Other: off"]);
});

Deno.test("everybody hears when a network is lost", async () => {
  const lost = Promise.withResolvers<void>();
  await using kernel = await begun(CONFIG, (channel) => {
    channel.onRun = async (inbox) => {
      inbox.status({ kind: "connected", self: { id: "1" } });
      await lost.promise;
      throw new ChannelError("auth", "the token was revoked");
    };
  });
  await account(kernel, ({ connected }) => connected === true);
  lost.resolve();
  await kernel.events.next("health", ({ channels }) => {
    const { lastError } = channels.fake as { lastError?: string };
    return lastError === "the token was revoked";
  });
  const { statusIssues } = await kernel.call("channels.status", {});
  deepStrictEqual(statusIssues, [{
    channel: "fake",
    accountId: "home",
    kind: "auth",
    message: "the token was revoked",
    fix: "set a new token; it is then begun anew by itself",
  }]);
});

Deno.test("a probe asks the networks who we are, and takes no longer than it may", async () => {
  await using kernel = await begun();
  await account(kernel, ({ connected }) => connected === true);
  const { channelAccounts } = await kernel.call("channels.status", { probe: true });
  const { probe, lastProbeAt } = channelAccounts.fake?.[0] ?? {};
  const { ok: isOk, bot, elapsedMs } = probe as { ok: boolean; bot: unknown; elapsedMs: unknown };
  deepStrictEqual([isOk, bot, typeof elapsedMs, typeof lastProbeAt], [
    true,
    { id: "1", username: "fake_bot" },
    "number",
    "number",
  ]);
});

Deno.test("a probe tells what the network refuses, and a network that is silent", async () => {
  await using refused = await begun(CONFIG, (channel) => {
    channel.onProbe = () => Promise.reject(new ChannelError("auth", "401: Unauthorized"));
  });
  await using silent = await begun(CONFIG, (channel) => {
    channel.onProbe = () => new Promise(() => {});
  });
  for (
    const [kernel, expected] of [
      [refused, "401: Unauthorized"],
      [silent, "no answer within 1000 ms"],
    ] as const
  ) {
    await account(kernel, ({ running }) => running === true);
    const status = await kernel.call("channels.status", { probe: true, timeoutMs: 1 });
    const { ok: isOk, error } = status.channelAccounts.fake?.[0]?.probe as {
      ok: boolean;
      error: string;
    };
    deepStrictEqual([isOk, error], [false, expected]);
  }
});

Deno.test("an account is stopped and started by hand", async () => {
  await using kernel = await begun();
  await account(kernel, ({ connected }) => connected === true);
  deepStrictEqual(await kernel.call("channels.stop", { channel: "fake", accountId: "home" }), {
    channel: "fake",
    accountId: "home",
    stopped: true,
  });
  await account(kernel, ({ running }) => running === false);
  deepStrictEqual(await kernel.call("channels.start", { channel: "fake" }), {
    channel: "fake",
    accountId: "home",
    started: true,
  });
  await account(kernel, ({ connected }) => connected === true);
  strictEqual((await kernel.call("channels.start", { channel: "other" })).started, false);
  await rejects(Promise.resolve(kernel.call("channels.start", { channel: "pigeon" })), {
    message: "invalid channels.start channel",
  });
  await rejects(
    Promise.resolve(kernel.call("channels.stop", { channel: "fake", accountId: "no" })),
    { message: "there is no account 'no' on fake" },
  );
});

Deno.test("logging out takes the token out of the configuration, and ends the account", async () => {
  await using kernel = await begun();
  await account(kernel, ({ connected }) => connected === true);
  deepStrictEqual(await kernel.call("channels.logout", { channel: "fake", accountId: "home" }), {
    channel: "fake",
    accountId: "home",
    cleared: true,
    loggedOut: true,
  });
  ok(!kernel.config.text?.includes("t1"));
  const snapshot = await account(
    kernel,
    ({ configured, lastError }) => configured === false && lastError !== "it is not running",
  );
  deepStrictEqual([snapshot.lastError, snapshot.tokenSource], ["token is not set", "none"]);
  const again = await kernel.call("channels.logout", { channel: "fake", accountId: "home" });
  strictEqual(again.cleared, false);
});

Deno.test("channels.logout finds an account however it is spelled", async () => {
  const accounts = { Home: { token: "t1" } };
  await using kernel = await begun({ channels: { fake: { dmPolicy: "pairing", accounts } } });
  const result = await kernel.call("channels.logout", { channel: "fake", accountId: "home" });
  deepStrictEqual([result.cleared, result.loggedOut], [true, true]);
  ok(!kernel.config.text?.includes("t1"));
});
