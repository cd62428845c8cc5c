import { deepStrictEqual, match, rejects, strictEqual } from "node:assert/strict";
import { FakeChannel, FakeNetwork, fakeNetwork, placeOf } from "../../../tests/fakes/channel.ts";
import { startKernel, type TestKernel } from "../../../tests/kernel.ts";
import { checkConfig } from "../../config.ts";
import { openStore } from "../../store/sqlite.ts";

const CONFIG = { channels: { fake: { token: "t" } } };

/** A kernel on a network of fakes, connected. */
async function connected(
  { config = CONFIG, network = new FakeNetwork(), ...options }:
    & { config?: unknown; network?: FakeNetwork }
    & Omit<Parameters<typeof startKernel>[0] & object, "config"> = {},
): Promise<{ kernel: TestKernel; channels: Map<string, FakeChannel>; network: FakeNetwork }> {
  const channels = new Map<string, FakeChannel>();
  const kernel = startKernel({
    ...options,
    config: checkConfig(config).config,
    networks: ["fake", "other"].map((id) =>
      fakeNetwork(id, ({ accountId }) => {
        const channel = new FakeChannel({ id, accountId, network });
        channels.set(`${id}/${accountId}`, channel);
        return channel;
      })
    ),
  });
  await kernel.gateway.reconfigured();
  return { kernel, channels, network };
}

const send = { channel: "fake", to: "ada", message: "hello", idempotencyKey: "k1" };

Deno.test("send answers with what the network calls it", async () => {
  const { kernel, network } = await connected();
  await using _ = kernel;
  deepStrictEqual(await kernel.call("send", send), {
    runId: "k1",
    messageId: "m1",
    channel: "fake",
    accountId: "default",
    chatId: "ada",
  });
  deepStrictEqual(network.texts(), ["hello"]);
});

Deno.test("a repeated send is answered the same, also at once and after a restart", async () => {
  using store = openStore(":memory:");
  const network = new FakeNetwork();
  const first = await connected({ store, network });
  const [one, two] = await Promise.all([
    first.kernel.call("send", send),
    first.kernel.call("send", send),
  ]);
  deepStrictEqual(two, one);
  deepStrictEqual(await first.kernel.call("send", send), one);
  await first.kernel[Symbol.asyncDispose]();
  const second = await connected({ store, network });
  await using _ = second.kernel;
  deepStrictEqual(await second.kernel.call("send", send), one);
  strictEqual(network.shown.length, 1);
});

Deno.test("a long text becomes several messages, and the last one is named", async () => {
  const { kernel, network } = await connected();
  await using _ = kernel;
  const { messageId, messageIds } = await kernel.call("send", {
    ...send,
    message: "word ".repeat(50),
    replyToId: "m0",
    silent: true,
  });
  deepStrictEqual([messageId, messageIds], ["m3", ["m1", "m2", "m3"]]);
  deepStrictEqual(network.shown.map(({ message }) => [message.replyTo, message.isSilent]), [
    ["m0", true],
    [undefined, true],
    [undefined, true],
  ]);
});

Deno.test("the network may be left out where there is one, and the thread is kept", async () => {
  const { kernel, network } = await connected();
  await using _ = kernel;
  await kernel.call("send", {
    to: "fake:#room",
    message: "hi",
    threadId: "7",
    idempotencyKey: "k",
  });
  deepStrictEqual(network.shown[0]?.message.place, {
    channel: "fake",
    accountId: "default",
    kind: "group",
    chatId: "room",
    threadId: "7",
  });
});

Deno.test("what can't be meant is refused, in words", async () => {
  const { kernel } = await connected({
    config: { channels: { fake: { token: "t" }, other: { token: "t" } } },
  });
  await using _ = kernel;
  const refused = (params: object, message: RegExp | string) =>
    rejects(Promise.resolve(kernel.call("send", { ...send, ...params })), (error: Error) => {
      if (typeof message === "string") strictEqual(error.message, message);
      else match(error.message, message);
      return true;
    });
  await refused({ channel: undefined }, "Error: Channel is required (one of fake, other)");
  await refused({ channel: "pigeon" }, "unsupported channel: pigeon");
  await refused({ channel: "webchat" }, /^unsupported channel: webchat \(internal-only\)/);
  await refused({ accountId: "no" }, "Error: there is no account 'no' on fake; there is default");
  await refused({ to: "two words" }, "Error: 'two words' is no chat: write name or #name");
  await refused({ message: " " }, "invalid send params: text or media is required");
  await refused({ buffer: "***", message: "" }, "invalid send params: buffer is not base64");
  await refused(
    { mediaUrl: "/etc/passwd" },
    "Cannot send '/etc/passwd': there is no such file in the workspace or the media folder",
  );
  await refused(
    { mediaUrl: "http://127.0.0.1/x" },
    "Cannot fetch 127.0.0.1: it is in a private network",
  );
});

Deno.test("what the network refuses, or nobody knows of, is said", async () => {
  const { kernel, channels } = await connected();
  await using _ = kernel;
  const channel = channels.get("fake/default")!;
  channel.faults.push(() => ({ sent: false, reason: "rejected", detail: "chat not found" }));
  await rejects(Promise.resolve(kernel.call("send", send)), {
    code: "UNAVAILABLE",
    message: "the message was not sent: chat not found",
  });
  await rejects(Promise.resolve(kernel.call("send", send)), /chat not found/); // the same again
  strictEqual(channel.attempts.length, 1);
  channel.faults.push(() => ({ sent: false, reason: "unknown", detail: "line cut" }));
  await rejects(Promise.resolve(kernel.call("send", { ...send, idempotencyKey: "k2" })), {
    message: "nobody can tell whether it was sent: line cut",
  });
});

Deno.test("a caller that goes away does not take the message with it", async () => {
  const { kernel, channels, network } = await connected();
  await using _ = kernel;
  const gone = new AbortController();
  channels.get("fake/default")!.faults.push(() => {
    gone.abort();
    return undefined;
  });
  await rejects(
    Promise.resolve(kernel.call("send", send, { signal: gone.signal })),
    /still on its way/,
  );
  await network.showing(1);
});

Deno.test("a sent text is noted in the conversation that it belongs to", async () => {
  const { kernel } = await connected();
  await using _ = kernel;
  await kernel.call("send", { ...send, sessionKey: "main" });
  const { messages } = await kernel.call("chat.history", { sessionKey: "main" });
  deepStrictEqual(messages.map(({ role, content }) => [role, content]), [
    ["assistant", [{ type: "text", text: "hello" }]],
  ]);
});

Deno.test("a file goes with a short text as its caption, and is removed once it is sent", async () => {
  const stateDir = await Deno.makeTempDir();
  try {
    const { kernel, network } = await connected({ stateDir });
    await using _ = kernel;
    await kernel.call("send", { ...send, buffer: btoa("hello"), filename: "note.txt" });
    const { text, attachment } = network.shown[0]!.message;
    deepStrictEqual([text, attachment?.name, attachment?.mimeType, attachment?.size], [
      "hello",
      "note.txt",
      "text/plain",
      5,
    ]);
    const message = "x".repeat(80); // longer than a caption may be
    await kernel.call("send", { ...send, message, buffer: btoa("a"), idempotencyKey: "k2" });
    deepStrictEqual(
      network.shown.slice(1).map(({ message }) => [message.text, message.attachment?.kind]),
      [[message, undefined], ["", "file"]],
    );
  } finally {
    await Deno.remove(stateDir, { recursive: true });
  }
});

Deno.test("a send that comes to nothing leaves no file behind", async () => {
  const stateDir = await Deno.makeTempDir();
  try {
    const { kernel } = await connected({ stateDir });
    await using _ = kernel;
    const media = `${stateDir}/media`;
    await Deno.mkdir(media, { recursive: true });
    await Deno.writeTextFile(`${media}/a.txt`, "a");
    const left = () => [...Deno.readDirSync(`${media}/outbound`)].map(({ name }) => name);
    const refused = (params: object) =>
      rejects(Promise.resolve(kernel.call("send", { ...send, ...params })));
    await refused({ mediaUrls: [`${media}/a.txt`, `${media}/b.txt`] });
    deepStrictEqual(left(), []);
    await refused({ mediaUrl: `${media}/a.txt`, sessionKey: "agent:" });
    deepStrictEqual(left(), []);
  } finally {
    await Deno.remove(stateDir, { recursive: true });
  }
});

Deno.test("a poll is sent as one", async () => {
  const { kernel, network } = await connected();
  await using _ = kernel;
  await kernel.call("poll", {
    channel: "fake",
    to: "#room",
    question: "Lunch?",
    options: ["now", "later"],
    durationHours: 2,
    idempotencyKey: "k",
  });
  deepStrictEqual(network.shown[0]?.message.poll, {
    question: "Lunch?",
    options: ["now", "later"],
    durationSeconds: 7200,
  });
});

Deno.test("message.action does what its name says", async () => {
  const { kernel, channels, network } = await connected();
  await using _ = kernel;
  const act = (action: string, params: Record<string, unknown>) =>
    kernel.call("message.action", {
      channel: "fake",
      action,
      params: { to: "ada", ...params },
      idempotencyKey: `${action}${JSON.stringify(params)}`,
    });
  deepStrictEqual(await act("send", { message: "hi" }), {
    ok: true,
    action: "send",
    channel: "fake",
    accountId: "default",
    chatId: "ada",
    messageId: "m1",
    messageIds: ["m1"],
  });
  await act("poll", { pollQuestion: "?", pollOption: ["a", "b"], pollMulti: true });
  strictEqual(network.shown[1]?.message.poll?.maxSelections, 2);
  await act("react", { messageId: 1, emoji: "👍" });
  await act("react", { messageId: "m1", remove: true });
  await act("edit", { messageId: "m1", message: "ho" });
  await act("delete", { messageId: "m1" });
  deepStrictEqual(
    channels.get("fake/default")!.done.map(({ what, target, text }) => [
      what,
      target.messageId,
      text,
    ]),
    [["react", "1", "👍"], ["react", "m1", ""], ["edit", "m1", "ho"], ["delete", "m1", undefined]],
  );
  await rejects(Promise.resolve(act("dance", { messageId: "m1" })), /unsupported action 'dance'/);
  await rejects(Promise.resolve(act("edit", { message: "x" })), {
    message: "invalid message.action params: edit needs 'messageId'",
  });
});

Deno.test("what was not sent can be listed, sent again and dropped", async () => {
  const { kernel, channels } = await connected();
  await using _ = kernel;
  const channel = channels.get("fake/default")!;
  for (const key of ["k1", "k2"]) {
    channel.faults.push(() => ({ sent: false, reason: "rejected", detail: "too rude" }));
    await rejects(Promise.resolve(kernel.call("send", { ...send, idempotencyKey: key })));
  }
  const { entries, counts } = await kernel.call("outbox.list", {});
  deepStrictEqual(
    entries.map(({ state, text, chatId, fault, error }) => [state, text, chatId, fault, error]),
    [["dead", "hello", "ada", "rejected", "too rude"], [
      "dead",
      "hello",
      "ada",
      "rejected",
      "too rude",
    ]],
  );
  deepStrictEqual(counts, { accepted: 0, started: 0, unknown: 0, dead: 2 });
  const [one, two] = entries.map(({ id }) => id) as [string, string];
  strictEqual((await kernel.call("outbox.retry", { ids: [one] })).entries[0]?.state, "accepted");
  await channel.network.showing(1);
  await kernel.call("outbox.drop", { ids: [two] });
  await rejects(Promise.resolve(kernel.call("outbox.drop", { ids: [two] })), /There is no message/);
});

Deno.test("a preview is listed as what it is, and is not sent again", async () => {
  const { kernel, channels } = await connected();
  await using _ = kernel;
  channels.get("fake/default")!.faults.push(() => ({
    sent: false,
    reason: "rejected",
    detail: "too rude",
  }));
  const { outbox } = kernel.gateway.networks;
  const id = outbox.add({ place: placeOf("ada"), text: "One tw", isPreview: true });
  const edits = outbox.add({ place: placeOf("ada"), text: "One two three", edits: id });
  await outbox.ended(edits, { timeoutMs: 60_000 });
  const { entries, counts } = await kernel.call("outbox.list", { states: ["dead", "sent"] });
  deepStrictEqual(entries.map(({ kind, state }) => [kind, state]), [
    ["message", "sent"],
    ["preview", "dead"],
  ]);
  strictEqual(counts.dead, 0);
  await rejects(
    Promise.resolve().then(() => kernel.call("outbox.retry", { ids: [id] })),
    /it is a preview/,
  );
});

Deno.test("a network without what is wanted says so", async () => {
  const { kernel, channels } = await connected();
  await using _ = kernel;
  Object.assign(channels.get("fake/default")!, { react: undefined, hasPolls: undefined });
  const common = { channel: "fake", idempotencyKey: "k" };
  const params = { to: "ada", messageId: "m1", emoji: "👍" };
  await rejects(
    Promise.resolve(kernel.call("message.action", { ...common, action: "react", params })),
    { message: "Fake has no reactions" },
  );
  const poll = { ...common, to: "ada", question: "?", options: ["a", "b"] };
  await rejects(Promise.resolve(kernel.call("poll", poll)), { message: "Fake has no polls" });
});

Deno.test("an account that can't send says why", async () => {
  const { kernel } = await connected({ config: { channels: { fake: {} } } });
  await using _ = kernel;
  await rejects(Promise.resolve(kernel.call("send", send)), {
    code: "UNAVAILABLE",
    message: "fake account 'default' can't send: token is not set",
  });
});
