import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { invalid } from "../../error.ts";
import type { Messenger } from "../../messenger.ts";
import { messageTool } from "./message.ts";

/** Remembers what it was asked to do. */
function recorder(): { messenger: Messenger; asked: unknown[] } {
  const asked: unknown[] = [];
  const note = (what: string) => (request: unknown) => {
    asked.push([what, request]);
    return Promise.resolve();
  };
  const sent = (what: string) => (request: unknown) => {
    asked.push([what, request]);
    return Promise.resolve(["m1", "m2"]);
  };
  const messenger = {
    here: "telegram group chat Family",
    send: sent("send"),
    poll: sent("poll"),
    react: note("react"),
    edit: note("edit"),
    delete: note("delete"),
  };
  return { messenger, asked };
}

async function call(messenger: Messenger | undefined, args: Record<string, unknown>) {
  const context = { signal: new AbortController().signal, update: () => {} };
  const { content: [block], isError } = await messageTool(messenger, "/ws").run(args, context);
  return { text: block?.type === "text" ? block.text : "", isError: isError === true };
}

Deno.test("the tool says which chat it writes to", () => {
  match(messageTool(recorder().messenger, "/ws").description, /This chat is: telegram group chat/);
});

Deno.test("each action is handed on with what it needs", async () => {
  const { messenger, asked } = recorder();
  deepStrictEqual(
    await call(messenger, { action: "send", text: "hi", files: ["a.png", "/m/b"], silent: true }),
    { text: "Sent (messages m1, m2)", isError: false },
  );
  await call(messenger, { action: "poll", question: "?", options: ["a", "b"], to: "#room" });
  await call(messenger, { action: "react", emoji: "👍" });
  await call(messenger, { action: "edit", messageId: "m1", text: "ho" });
  strictEqual((await call(messenger, { action: "delete", messageId: "m1" })).text, "Done");
  deepStrictEqual(asked, [
    ["send", { text: "hi", files: ["/ws/a.png", "/m/b"], folder: "/ws", isSilent: true }],
    ["poll", { to: "#room", question: "?", options: ["a", "b"] }],
    ["react", { emoji: "👍" }],
    ["edit", { messageId: "m1", text: "ho" }],
    ["delete", { messageId: "m1" }],
  ]);
});

Deno.test("what can't be meant, or isn't allowed, is told to the model", async () => {
  const { messenger, asked } = recorder();
  for (
    const [args, reason] of [
      [{ action: "send" }, /nothing to send/],
      [{ action: "poll", question: "?", options: ["one"] }, /two 'options' or more/],
      [{ action: "edit", text: "x" }, /Say in 'messageId'/],
      [{ action: "dance" }, /arguments don't fit/],
    ] as const
  ) {
    const { text, isError } = await call(messenger, args);
    strictEqual(isError, true);
    match(text, reason);
  }
  deepStrictEqual(asked, []);
  const refusing = { ...messenger, react: () => Promise.reject(invalid("Only this chat")) };
  deepStrictEqual(await call(refusing, { action: "react", emoji: "👍" }), {
    text: "Only this chat",
    isError: true,
  });
  match((await call(undefined, { action: "send", text: "x" })).text, /in no chat/);
});
