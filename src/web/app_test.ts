import { deepStrictEqual, notStrictEqual, strictEqual } from "node:assert/strict";
import type { ConnectParams } from "../../schemas/connect.ts";
import type { ParamsOf } from "../../schemas/mod.ts";
import { FakeGateway, helloFor } from "../client/fake_gateway.ts";
import { addressOf, App, type Place, placeOf } from "./app.ts";
import { Credentials } from "./credentials.ts";
import { loadIdentity } from "./identity.ts";
import { MemoryKeep } from "./keep.ts";

Deno.test("every place has an address that leads back to it", () => {
  const places: readonly Place[] = [
    { at: "chat", key: undefined },
    { at: "chat", key: "agent:main:main" },
    { at: "chat", key: "agent:main:telegram:dm:a&b=c #1" },
    { at: "devices" },
  ];
  for (const place of places) {
    deepStrictEqual(placeOf(new URL(addressOf(place), "http://localhost")), place);
  }
});

Deno.test("an address that names no place leads to the main conversation", () => {
  for (const path of ["/", "/overview", "/chat", "/chat?session="]) {
    deepStrictEqual(placeOf(new URL(path, "http://localhost")), { at: "chat", key: undefined });
  }
});

Deno.test("a new conversation is begun once, until something is said in it", () => {
  const { app, addresses } = setUp();
  app.chats.get(app.key).change((main) => ({
    ...main,
    entries: [{ id: "m1", at: 1, role: "note", text: "something was said" }],
  }));
  app.begin();
  const { key } = app;
  app.begin();
  strictEqual(app.key, key);
  strictEqual(/^agent:main:web-[0-9a-f]{8}$/.test(key), true);
  app.goTo({ at: "devices" });
  strictEqual(app.key, key, "the conversation that was shown before");
  deepStrictEqual(addresses, [...Array(2).fill(addressOf({ at: "chat", key })), "/devices"]);
});

Deno.test("a conversation in which something waits to be sent is no unused one", () => {
  const { app } = setUp();
  app.begin();
  const { key } = app;
  app.chats.send(key, "as soon as there is a connection", []);
  app.begin();
  notStrictEqual(app.key, key);
});

Deno.test("who signs out leaves no message behind", () => {
  const { app, keep } = setUp();
  app.chats.send(app.key, "mine", []);
  strictEqual(keep.values.size, 1);
  app.signOut();
  deepStrictEqual([keep.values.size, app.chats.get(app.key).value.outgoing], [0, []]);
});

Deno.test("what is written before the gateway named the main conversation is said there", async () => {
  const said = Promise.withResolvers<unknown>();
  await using gateway = new FakeGateway({
    answers: {
      connect: (params: ConnectParams) => {
        const hello = helloFor(params);
        const sessionDefaults = {
          defaultAgentId: "work",
          mainKey: "main",
          mainSessionKey: "agent:work:main",
        };
        return { ...hello, snapshot: { ...hello.snapshot, sessionDefaults } };
      },
      "sessions.messages.subscribe": ({ key }: { key: string }) => ({ subscribed: true, key }),
      "chat.history": ({ sessionKey }: { sessionKey: string }) => ({ sessionKey, messages: [] }),
      "chat.send": (params: { idempotencyKey: string }) => {
        said.resolve(params);
        return { runId: params.idempotencyKey, status: "started" };
      },
    },
  });
  const { app } = setUp(gateway.url);
  const draft = app.draft(app.key);
  draft.change((draft) => ({ ...draft, text: "and this" }));
  // As somebody wrote who followed a link to it, before they went to the main conversation.
  app.draft("agent:work:main").change((draft) => ({ ...draft, text: "and more" }));
  app.chats.send(app.key, "early", []);
  const leaving = new AbortController();
  const running = app.link.run(leaving.signal);
  const { sessionKey, message } = await said.promise as ParamsOf<"chat.send">;
  deepStrictEqual([sessionKey, message], ["agent:work:main", "early"]);
  strictEqual(app.draft(app.key), draft);
  strictEqual(draft.value.text, "and more\nand this");
  leaving.abort();
  await running;
});

Deno.test("what a person asked for and can't have is told to them", async () => {
  const { app } = setUp();
  const done = await app.attempt("Renaming", () => Promise.reject(new Error("label in use")));
  strictEqual(done, false);
  const [notice] = app.notices.value;
  deepStrictEqual([notice?.text, notice?.isError], ["Renaming failed: label in use", true]);
  app.dismiss(notice?.id ?? 0);
  deepStrictEqual(app.notices.value, []);
});

Deno.test("who deletes a conversation leaves it, and stays where they went meanwhile", async () => {
  const deleted = Promise.withResolvers<unknown>();
  await using gateway = new FakeGateway({
    answers: {
      "sessions.delete": ({ key }: { key: string }) =>
        key === "agent:main:slow" ? deleted.promise : { ok: true, key, deleted: true },
    },
  });
  const { app } = setUp(gateway.url);
  const leaving = new AbortController();
  const connected = new Promise<void>((resolve) => app.hello.watch(resolve));
  const running = app.link.run(leaving.signal);
  await connected;
  app.goTo({ at: "chat", key: "agent:main:quick" });
  await app.remove("agent:main:quick");
  deepStrictEqual(app.place.value, { at: "chat", key: undefined });
  app.goTo({ at: "chat", key: "agent:main:slow" });
  const removed = app.remove("agent:main:slow");
  app.goTo({ at: "chat", key: "agent:main:other" });
  deleted.resolve({ ok: true, key: "agent:main:slow", deleted: true });
  await removed;
  deepStrictEqual(app.place.value, { at: "chat", key: "agent:main:other" });
  leaving.abort();
  await running;
});

Deno.test("a question is answered once, and a newer one takes its place", async () => {
  const { app } = setUp();
  const first = app.ask({ title: "One?", action: "Yes" });
  const second = app.ask({ title: "Two?", action: "Yes" });
  strictEqual(await first, undefined);
  app.question.value?.answer("");
  strictEqual(await second, "");
  strictEqual(app.question.value, undefined);
});

function setUp(url = "ws://localhost/") {
  const addresses: string[] = [];
  const keep = new MemoryKeep();
  const app = new App({
    url,
    client: { id: "webchat-ui", mode: "webchat", version: "0", platform: "web" },
    identity: loadIdentity(new MemoryKeep()),
    credentials: new Credentials(new MemoryKeep()),
  }, {
    place: { at: "chat", key: undefined },
    goTo: (place) => addresses.push(addressOf(place)),
    pace: (flush) => flush(),
    keep,
  });
  return { app, addresses, keep };
}
