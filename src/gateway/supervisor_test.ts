import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import {
  FakeChannel,
  fakeNetwork,
  inboundOf,
  placeOf,
  untilAborted,
} from "../../tests/fakes/channel.ts";
import { RecordedLog } from "../../tests/kernel.ts";
import { ChannelError, type Inbox } from "../channel.ts";
import { checkConfig, type Config } from "../config.ts";
import type { InboundMessage } from "../message.ts";
import type { KeyValues } from "../store.ts";
import { openStore } from "../store/sqlite.ts";
import { Supervisor } from "./supervisor.ts";

function configOf(channels: unknown): Config {
  return checkConfig({ channels }).config;
}

const ONE = configOf({ fake: { token: "t1" } });
const TWO = configOf({ fake: { accounts: { home: { token: "t1" }, work: { token: "t2" } } } });

/** A supervisor, and every channel that it ever made. */
class World implements AsyncDisposable {
  config: Config;
  now = 1_000_000;
  readonly made: {
    readonly accountId: string;
    readonly settings: unknown;
    readonly values: KeyValues;
    readonly channel: FakeChannel;
  }[] = [];
  readonly received: InboundMessage[] = [];
  readonly ready: string[] = [];
  readonly log = new RecordedLog();
  readonly supervisor: Supervisor;
  readonly store = openStore(":memory:");
  /** So often what waits for an account can't be taken up. */
  deafTimes = 0;
  /** What is done to each new channel before it is used. */
  prepare: (channel: FakeChannel) => void = () => {};
  #news = Promise.withResolvers<void>();

  constructor(config: Config) {
    this.config = config;
    this.supervisor = new Supervisor({
      networks: [fakeNetwork("fake", ({ accountId, settings, values }) => {
        const channel = new FakeChannel({ accountId, capabilities: { silentAfterMs: 10_000 } });
        this.prepare(channel);
        this.made.push({ accountId, settings, values, channel });
        return channel;
      })],
      config: () => this.config,
      secrets: {
        env: {},
        readFile: (path) => {
          throw new Error(`no file ${path}`);
        },
      },
      values: this.store.values,
      log: this.log,
      receive: (message) => {
        this.received.push(message);
        return Promise.resolve();
      },
      ready: ({ accountId }) => {
        this.ready.push(accountId);
        if (this.ready.length <= this.deafTimes) throw new Error("the disk is full");
      },
      changed: () => this.#news.resolve(),
      timing: { firstWaitMs: 1, longestWaitMs: 2, stopMs: 5 },
      now: () => this.now,
      random: () => 0.5,
    });
  }

  get channel(): FakeChannel {
    const last = this.made.at(-1);
    ok(last);
    return last.channel;
  }

  /** Resolves once it is so; asked when it is told that an account has changed. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      this.#news = Promise.withResolvers();
      await this.#news.promise;
    }
  }

  health(accountId = "default"): string | undefined {
    return this.supervisor.account("fake", accountId)?.attendant?.health.health;
  }

  why(accountId = "default"): string | undefined {
    return this.supervisor.account("fake", accountId)?.attendant?.health.why;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.supervisor[Symbol.asyncDispose]();
    this.store[Symbol.dispose]();
  }
}

async function begun(config: Config, prepare: World["prepare"] = () => {}): Promise<World> {
  const world = new World(config);
  world.prepare = prepare;
  await world.supervisor.follow();
  return world;
}

Deno.test("an account that is set up is connected, and its messages are taken", async () => {
  await using world = await begun(ONE);
  await world.until(() => world.health() === "ok");
  deepStrictEqual(world.made.map(({ settings }) => settings), [{ token: "t1" }]);
  strictEqual(world.supervisor.channel(placeOf("ada")), world.channel);
  ok(world.ready.length > 0);
  const message = inboundOf("hello");
  await world.channel.inbox?.receive(message);
  deepStrictEqual(world.received, [message]);
});

Deno.test("a network that is not configured is not loaded", async () => {
  let loads = 0;
  await using supervisor = new Supervisor({
    networks: [{ id: "fake", label: "Fake", load: () => Promise.reject(new Error(`${loads++}`)) }],
    config: () => (configOf({ fake: { enabled: false, token: "t" }, defaults: {} })),
    secrets: { env: {}, readFile: () => "" },
    values: { get: () => undefined, set: () => {}, delete: () => false },
    log: new RecordedLog(),
    receive: () => Promise.resolve(),
    ready: () => {},
    changed: () => {},
  });
  await supervisor.follow();
  strictEqual(loads, 0);
  const [standing] = supervisor.accounts("fake");
  deepStrictEqual([standing?.account.enabled, standing?.attendant], [false, undefined]);
});

Deno.test("a network that this version does not know is said once, and the others go on", async () => {
  await using world = await begun(configOf({ pigeon: {}, fake: { token: "t1" } }));
  await world.supervisor.follow();
  await world.until(() => world.health() === "ok");
  strictEqual(
    world.log.lines.filter(({ message }) => /'pigeon' is not known/.test(message)).length,
    1,
  );
});

Deno.test("a channel that throws is begun again, with longer and longer waits", async () => {
  let runs = 0;
  await using world = await begun(ONE, (channel) => {
    channel.onRun = () => Promise.reject(new Error(`crash ${++runs}`));
  });
  await world.until(() => runs >= 4);
  strictEqual(world.health(), "dead");
  match(world.why() ?? "", /^crash \d/);
  const waits = world.log.lines.filter(({ message }) => message === "The network is lost")
    .map(({ fields }) => fields.waitMs);
  deepStrictEqual(waits.slice(0, 3), [1, 2, 2]);
});

Deno.test("it is told when a network is lost, and when it is back", async () => {
  const lost = Promise.withResolvers<never>();
  await using world = await begun(ONE, (channel) => {
    channel.onRun = async (inbox, signal) => {
      inbox.status({ kind: "connected", self: { id: "1" } });
      await (channel.runs === 1 ? lost.promise : untilAborted(signal));
    };
  });
  await world.until(() => world.health() === "ok");
  lost.reject(new Error("the line was cut"));
  await world.until(() => world.why() === "the line was cut");
  await world.until(() => world.health() === "ok");
});

Deno.test("a channel that throws before it returns a promise is contained too", async () => {
  let runs = 0;
  await using world = await begun(ONE, (channel) => {
    channel.onRun = () => {
      runs++;
      throw new TypeError("bug");
    };
  });
  await world.until(() => runs >= 2);
});

Deno.test("a network's own word on when to come back is obeyed", async () => {
  await using world = await begun(ONE, (channel) => {
    channel.onRun = () =>
      Promise.reject(new ChannelError("network", "too many logins", { retryAfterMs: 3_600_000 }));
  });
  await world.until(() => world.log.lines.some(({ message }) => message === "The network is lost"));
  const { fields } = world.log.lines.find(({ message }) => message === "The network is lost")!;
  strictEqual(fields.waitMs, 3_600_000);
});

for (const reason of ["auth", "kicked", "config"] as const) {
  Deno.test(`'${reason}' is final until somebody helps, and says so`, async () => {
    await using world = await begun(ONE, (channel) => {
      channel.onRun = () => Promise.reject(new ChannelError(reason, "no more"));
    });
    await world.until(() => world.why() === "no more");
    deepStrictEqual([world.health(), world.channel.runs], ["dead", 1]);
    strictEqual(world.supervisor.channel(placeOf("ada")), undefined);
    ok(
      world.log.lines.some(({ level, message }) =>
        level === "error" && message === "Stopped until somebody helps: no more"
      ),
    );

    await world.supervisor.follow(); // nothing has changed
    strictEqual(world.made.length, 1);
    world.prepare = () => {};
    world.config = configOf({ fake: { token: "better" } });
    await world.supervisor.follow();
    await world.until(() => world.health() === "ok");
  });
}

Deno.test("a person can start an account that waits, and stop one that does not", async () => {
  await using world = await begun(ONE, (channel) => {
    channel.onRun = () => Promise.reject(new ChannelError("kicked", "another session"));
  });
  await world.until(() => world.why() === "another session");
  world.prepare = () => {};
  strictEqual(await world.supervisor.start("fake", "default"), true);
  await world.until(() => world.health() === "ok");

  strictEqual(await world.supervisor.stop("fake", "default"), true);
  strictEqual(await world.supervisor.stop("fake", "default"), false);
  await world.supervisor.follow();
  strictEqual(world.health(), undefined);
  await world.supervisor.start("fake", "default");
  await world.until(() => world.health() === "ok");
});

Deno.test("only the account whose settings changed is begun anew", async () => {
  await using world = await begun(TWO);
  await world.until(() => world.health("home") === "ok" && world.health("work") === "ok");
  const home = world.supervisor.channel(placeOf("ada", { accountId: "home" }));
  world.config = configOf({
    fake: { accounts: { home: { token: "t1" }, work: { token: "new" } } },
  });
  await world.supervisor.follow();
  await world.until(() => world.health("work") === "ok");
  strictEqual(world.supervisor.channel(placeOf("ada", { accountId: "home" })), home);
  deepStrictEqual(world.made.map(({ accountId }) => accountId), ["home", "work", "work"]);

  world.config = configOf({
    fake: { accounts: { home: { token: "t1" }, work: { enabled: false } } },
  });
  await world.supervisor.follow();
  strictEqual(world.health("work"), undefined);
  strictEqual(world.health("home"), "ok");
  world.config = {};
  await world.supervisor.follow();
  strictEqual(world.supervisor.channel(placeOf("ada", { accountId: "home" })), undefined);
});

Deno.test("the new one of an account begins only when the old one has ended", async () => {
  let alive = 0;
  let most = 0;
  const release = Promise.withResolvers<void>();
  await using world = await begun(ONE, (channel) => {
    channel.onRun = async (inbox, signal) => {
      most = Math.max(most, ++alive);
      inbox.status({ kind: "connected", self: { id: "1" } });
      await untilAborted(signal);
      if (world.made.length === 1) await release.promise;
      alive--;
    };
  });
  await world.until(() => world.health() === "ok");
  world.config = configOf({ fake: { token: "new" } });
  await world.supervisor.follow();
  release.resolve();
  await world.until(() => world.made.length === 2 && world.health() === "ok");
  strictEqual(most, 1);
});

Deno.test("a missing or unreadable secret is said, and is no reason to fail", async () => {
  await using world = await begun(configOf({
    fake: { accounts: { none: {}, hidden: { token: "${NOT_SET}" }, odd: { token: ["t"] } } },
  }));
  await world.until(() => world.health("odd") === "dead");
  strictEqual(world.why("none"), "token is not set");
  strictEqual(
    world.why("hidden"),
    "Cannot read channels.fake.accounts.hidden.token: NOT_SET is not set in the environment",
  );
  match(world.why("odd") ?? "", /^Cannot read channels\.fake\.accounts\.odd\.token/);
  strictEqual(world.made.length, 0);
});

Deno.test("a silent connection leaves 'ok' by itself, and is begun anew", async () => {
  await using world = await begun(ONE);
  await world.until(() => world.health() === "ok");
  world.now += 10_001;
  strictEqual(world.health(), "degraded");
  world.supervisor.look();
  strictEqual(world.channel.runs, 1);
  world.now += 20_000;
  strictEqual(world.health(), "dead");
  world.supervisor.look();
  await world.until(() => world.channel.runs === 2 && world.health() === "ok");
});

Deno.test("a connection that never comes about is begun anew too", async () => {
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  await using world = await begun(ONE, (channel) => {
    channel.onRun = (_inbox, signal) => {
      (channel.runs === 1 ? first : second).resolve();
      return untilAborted(signal);
    };
  });
  await first.promise;
  strictEqual(world.health(), "unproven");
  world.now += 30_001;
  world.supervisor.look();
  await second.promise;
});

Deno.test("a silence is noticed in time, also where the clock is set back", async () => {
  const second = Promise.withResolvers<void>();
  await using world = await begun(ONE, (channel) => {
    channel.onRun = (inbox, signal) => {
      if (channel.runs === 2) second.resolve();
      inbox.status({ kind: "connected", self: { id: "1" } });
      return untilAborted(signal);
    };
  });
  await world.until(() => world.health() === "ok");
  world.now -= 500_000;
  world.supervisor.look();
  strictEqual(world.health(), "ok");
  world.now += 10_001;
  strictEqual(world.health(), "degraded");
  world.now += 20_000;
  world.supervisor.look();
  await second.promise;
});

Deno.test("a channel that does not stop is left behind, and not heard any more", async () => {
  const inboxes: Inbox[] = [];
  const forever = Promise.withResolvers<void>();
  await using world = await begun(ONE, (channel) => {
    channel.onRun = (inbox) => {
      inboxes.push(inbox);
      inbox.status({ kind: "connected", self: { id: "1" } });
      return forever.promise;
    };
  });
  for (let revival = 1; revival <= 3; revival++) {
    await world.until(() => inboxes.length === revival && world.health() === "ok");
    world.now += 30_001;
    world.supervisor.look();
  }
  await world.until(() => world.why() === "it does not stop when it is told to");
  strictEqual(inboxes.length, 3);
  await rejects(inboxes[0]!.receive(inboundOf("ghost")), /the connection is over/);
  deepStrictEqual(world.received, []);
  forever.resolve();
});

Deno.test("an account is connected although what waits for it can't be taken up yet", async () => {
  await using world = new World(ONE);
  world.deafTimes = 1;
  await world.supervisor.follow();
  await world.until(() => ["ok", "dead"].includes(world.health() ?? ""));
  deepStrictEqual([world.health(), world.ready.length], ["ok", 2]); // it is asked for again
});

Deno.test("a channel that is left behind has a successor, though nothing can be taken up", async () => {
  const forever = Promise.withResolvers<void>();
  const successor = Promise.withResolvers<void>();
  let made = 0;
  await using world = await begun(ONE, (channel) => {
    made++;
    channel.onRun = async (inbox) => {
      if (made > 1) return successor.resolve();
      inbox.status({ kind: "connected", self: { id: "1" } });
      await forever.promise;
    };
  });
  await world.until(() => world.health() === "ok");
  world.deafTimes = Infinity;
  world.now += 30_001;
  world.supervisor.look();
  await successor.promise;
  forever.resolve();
});

Deno.test("a channel can't speak for another account", async () => {
  await using world = await begun(TWO);
  await world.until(() => world.health("work") === "ok");
  const stranger = inboundOf("hello", { place: placeOf("ada", { accountId: "home" }) });
  await rejects(world.channel.inbox!.receive(stranger), /Cannot receive a message of 'fake\/home'/);
});

Deno.test("a sick channel leaves the others alone", async () => {
  await using world = await begun(
    configOf({
      fake: { accounts: { well: { token: "1" }, crashes: { token: "2" }, hangs: { token: "3" } } },
    }),
    (channel) => {
      if (channel.accountId === "crashes") channel.onRun = () => Promise.reject(new Error("crash"));
      if (channel.accountId === "hangs") channel.onRun = () => new Promise(() => {});
    },
  );
  await world.until(() => world.health("well") === "ok" && world.health("crashes") === "dead");
  strictEqual(world.health("hangs"), "unproven");
  world.now += 10_001;
  strictEqual(world.health("hangs"), "dead");
});

Deno.test("what a channel keeps is its own", async () => {
  await using world = await begun(TWO);
  await world.until(() => world.health("work") === "ok");
  const [home, work] = world.made.map(({ values }) => values);
  home?.set("offset", 7);
  deepStrictEqual([home?.get("offset"), work?.get("offset")], [7, undefined]);
  strictEqual(home?.delete("offset"), true);
  strictEqual(home?.get("offset"), undefined);
});

Deno.test("a network may call us, and is answered by its account", async () => {
  await using world = await begun(ONE);
  await world.until(() => world.health() === "ok");
  const call = () => new Request("http://localhost/", { method: "POST", body: "news" });
  const answer = await world.supervisor.respond(call(), { channel: "fake", accountId: "default" });
  strictEqual(await answer?.text(), "got news");
  const spelled = world.supervisor.respond(call(), { channel: "fake", accountId: "Default" });
  strictEqual(await (await spelled)?.text(), "got news");
  strictEqual(world.supervisor.respond(call(), { channel: "fake", accountId: "no" }), undefined);
});
