import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import type { ChatMessage } from "../../schemas/message.ts";
import { FakeGateway, type FakeGatewayOptions, type Peer, Refuse } from "../client/fake_gateway.ts";
import { run } from "./cli.ts";
import { FakeIo } from "./fake_io.ts";

const KEY = "agent:main:main";

interface Send {
  readonly message: string;
  readonly idempotencyKey: string;
}

const message = (role: ChatMessage["role"], content: string, seq: number): ChatMessage => ({
  role,
  content,
  timestamp: seq,
  __openclaw: { seq },
});

/** A gateway with one conversation, in which the agent repeats what it hears. */
function echoing(
  { history = () => [], answers = {} }: {
    history?: () => readonly ChatMessage[];
    answers?: FakeGatewayOptions["answers"];
  } = {},
): FakeGateway {
  return new FakeGateway({
    answers: {
      "sessions.messages.subscribe": ({ key }: { key: string }) => ({
        subscribed: true,
        key: key.startsWith("agent:") ? key : `agent:main:${key}`,
      }),
      "sessions.messages.unsubscribe": ({ key }: { key: string }) => ({ subscribed: false, key }),
      "chat.history": ({ sessionKey }: { sessionKey: string }) => ({
        sessionKey,
        sessionId: sessionKey,
        messages: sessionKey === KEY ? history() : [],
      }),
      "chat.send": ({ message, idempotencyKey }: Send, peer: Peer) => {
        says(peer, idempotencyKey, message.slice(0, 3), message.slice(0, 3));
        says(peer, idempotencyKey, message, message.slice(3));
        ends(peer, idempotencyKey, message);
        return { runId: idempotencyKey, status: "started" };
      },
      ...answers,
    },
  });
}

function chat(peer: Peer, runId: string, payload: Record<string, unknown>) {
  peer.event("chat", { runId, sessionKey: KEY, seq: 1, ...payload });
}

const content = (text: string) => ({
  message: { role: "assistant", content: [{ type: "text", text }], timestamp: 1 },
});

function says(peer: Peer, runId: string, text: string, deltaText: string) {
  chat(peer, runId, { state: "delta", deltaText, ...content(text) });
}

function ends(peer: Peer, runId: string, text: string) {
  chat(peer, runId, { state: "final", ...content(text) });
}

/** A person at a terminal: types, and looks at what stands there. */
class Person {
  readonly io: FakeIo;
  readonly code: Promise<number>;
  #keys: (text: string) => void = () => {};

  constructor(gateway: FakeGateway, ...argv: readonly string[]) {
    const { readable, writable } = new TransformStream<string, string>();
    const writer = writable.getWriter();
    this.#keys = (text) => void writer.write(text);
    this.io = new FakeIo({
      env: { OPENCLAW_STATE_DIR: "/nowhere", NO_COLOR: "1" },
      terminal: true,
      input: readable,
    });
    const connection = ["--url", gateway.url, "--token", "t"];
    this.code = run(["chat", ...argv, ...connection], this.io)
      .finally(() => writer.close().catch(() => {})); // whoever left has closed it
  }

  type(keys: string): void {
    this.#keys(keys);
  }

  async sees(text: string): Promise<void> {
    await this.io.printed(text);
    this.io.stdout = "";
  }
}

Deno.test("chat answers line by line where there is no terminal", async () => {
  await using gateway = echoing();
  const io = new FakeIo({
    env: { OPENCLAW_STATE_DIR: "/nowhere" },
    input: ["first question\n\nsec", "ond"],
  });
  const code = await run(["chat", "--url", gateway.url, "--token", "t"], io);
  deepStrictEqual([code, io.stdout, io.stderr], [0, "first question\nsecond\n", ""]);
  const sent = gateway.requests.filter(({ method }) => method === "chat.send");
  deepStrictEqual(sent.map(({ params }) => Object(params).sessionKey), [KEY, KEY]);
});

Deno.test("chat without a terminal exits with 1 if a run failed", async () => {
  await using gateway = echoing({
    answers: {
      "chat.send": ({ idempotencyKey }: Send, peer: Peer) => {
        chat(peer, idempotencyKey, { state: "error", errorMessage: "no model" });
        return { runId: idempotencyKey, status: "started" };
      },
    },
  });
  const io = new FakeIo({ env: { OPENCLAW_STATE_DIR: "/nowhere" }, input: ["hi\n"] });
  strictEqual(await run(["chat", "--url", gateway.url, "--token", "t"], io), 1);
  strictEqual(io.stderr, "error: no model\n");
});

Deno.test("chat without a terminal exits with 1 if an answer was cut off with the connection", async () => {
  await using gateway = echoing({
    answers: {
      "chat.send": ({ idempotencyKey: runId }: Send, peer: Peer) => {
        says(peer, runId, "half an", "half an");
        return { runId, status: "started" };
      },
    },
  });
  const io = new FakeIo({ env: { OPENCLAW_STATE_DIR: "/nowhere" }, input: ["hi\n"] });
  const code = run(["chat", "--url", gateway.url, "--token", "t"], io);
  await io.printed("half an");
  gateway.drop();
  strictEqual(await code, 1);
  match(io.stderr, /error: the answer did not come to its end/);
});

Deno.test("chat without a terminal leaves at Ctrl-C while it waits for a line", async () => {
  await using gateway = echoing();
  const { readable } = new TransformStream<string>();
  const silent = {
    async *[Symbol.asyncIterator]() {
      io.pressInterrupt();
      yield* readable;
    },
  };
  const io = new FakeIo({ env: { OPENCLAW_STATE_DIR: "/nowhere" }, input: silent });
  strictEqual(await run(["chat", "--url", gateway.url, "--token", "t"], io), 130);
});

Deno.test("chat shows what was said before, what is said, and leaves at Ctrl-C", async () => {
  const history = () => [message("user", "earlier", 1), message("assistant", "indeed", 2)];
  await using gateway = echoing({ history });
  const person = new Person(gateway, "--limit", "7");
  await person.sees("you\nearlier\n");
  person.type("hello there\r");
  await person.sees("you\nhello there\n");
  await person.sees("hello there");
  person.type("\x03");
  strictEqual(await person.code, 0);
  const asked = gateway.requests.find(({ method }) => method === "chat.history");
  deepStrictEqual(asked?.params, { sessionKey: KEY, limit: 7 });
});

Deno.test("Ctrl-C stops the agent first, and clears the line second", async () => {
  const stopped = Promise.withResolvers<unknown>();
  await using gateway = echoing({
    answers: {
      "chat.send": async ({ idempotencyKey: runId }: Send, peer: Peer) => {
        says(peer, runId, "for ever", "for ever");
        stopped.promise.then(() => chat(peer, runId, { state: "aborted", ...content("for ever") }));
        return await Promise.resolve({ runId, status: "started" });
      },
      "chat.abort": (params: unknown) => {
        stopped.resolve(params);
        return { ok: true, aborted: true, runIds: [] };
      },
    },
  });
  const person = new Person(gateway);
  await person.sees("> ");
  person.type("go\r");
  await person.sees("at work…");
  person.type("next\x03");
  await person.sees("stopped\n");
  deepStrictEqual(await stopped.promise, { sessionKey: KEY });
  person.type("\x03");
  person.type("\x03");
  strictEqual(await person.code, 0);
});

Deno.test("chat shows tools at work, and what others say", async () => {
  await using gateway = echoing({
    answers: {
      "chat.send": ({ idempotencyKey: runId }: Send, peer: Peer) => {
        const tool = (data: object) =>
          peer.event("agent", { runId, sessionKey: KEY, stream: "tool", seq: 1, ts: 1, data });
        tool({ phase: "start", name: "read", toolCallId: "1", args: { path: "/a" } });
        const result = { content: [{ type: "text", text: "the file" }] };
        tool({ phase: "result", name: "read", toolCallId: "1", isError: false, result });
        const own = { ...message("user", "go", 1), idempotencyKey: `${runId}:user` };
        peer.event("session.message", { sessionKey: KEY, message: own, messageSeq: 1 });
        const other = message("user", "from my phone", 2);
        peer.event("session.message", { sessionKey: KEY, message: other, messageSeq: 2 });
        peer.event("session.message", { sessionKey: "agent:x:y", message: other, messageSeq: 1 });
        ends(peer, runId, "all done");
        return { runId, status: "started" };
      },
    },
  });
  const person = new Person(gateway);
  await person.sees("> ");
  person.type("go\r");
  await person.io.printed("all done");
  // deno-lint-ignore no-control-regex
  const screen = person.io.stdout.replace(/\x1b\[[0-9]*[A-Z]|\r/g, "");
  match(screen, /⚙ read path=\/a\n/);
  match(screen, /↳ read: the file\n/);
  strictEqual(screen.split("you\nfrom my phone\n").length, 2);
  strictEqual(screen.split("you\ngo\n").length, 2);
  person.type("/quit\r");
  strictEqual(await person.code, 0);
});

Deno.test("chat connects again, and shows what it missed once", async () => {
  const said = [message("user", "before", 1)];
  await using gateway = echoing({ history: () => said });
  const person = new Person(gateway);
  await person.sees("before\n");
  said.push(message("assistant", "while you were away", 2));
  gateway.drop();
  await person.io.printed("while you were away\n");
  match(person.io.stdout, /the connection is lost, connecting again…/);
  ok(!person.io.stdout.includes("before"));
  person.type("\x04");
  strictEqual(await person.code, 0);
});

Deno.test("chat goes on in another session, and lists them", async () => {
  await using gateway = echoing({
    answers: { "sessions.list": () => ({ sessions: [{ key: "agent:main:other", label: "O" }] }) },
  });
  const person = new Person(gateway);
  await person.sees("> ");
  person.type("/sessions\r");
  await person.sees("agent:main:other O\n");
  person.type("/session other\r");
  await person.sees("— other\n");
  person.type("hello\r");
  await person.sees("you\nhello\n");
  person.type("/exit\r");
  strictEqual(await person.code, 0);
  const sent = gateway.requests.find(({ method }) => method === "chat.send");
  strictEqual(Object(sent?.params).sessionKey, "agent:main:other");
});

Deno.test("what can't be said is told, and the chat goes on", async () => {
  await using gateway = echoing({
    answers: {
      "chat.send": () => {
        throw new Refuse({ code: "FORBIDDEN", message: "not you" });
      },
    },
  });
  const person = new Person(gateway);
  await person.sees("> ");
  person.type("hello\r");
  await person.sees("error: not you\n");
  person.type("\x03");
  strictEqual(await person.code, 0);
});

Deno.test("a chat that can't begin fails like any command", async () => {
  await using gateway = new FakeGateway({
    answers: {
      connect: () => {
        throw new Refuse({ code: "INVALID_REQUEST", message: "no" });
      },
    },
  });
  const person = new Person(gateway);
  strictEqual(await person.code, 1);
  match(person.io.stderr, /error: The gateway at .* refused: no/);
});
