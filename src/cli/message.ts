/** `openclaw message` */
import type { ParamsOf, ResultOf } from "../../schemas/mod.ts";
import { answer } from "./answer.ts";
import { type Call, command, type Group } from "./command.ts";
import { withGateway } from "./connect.ts";
import { Failure } from "./failure.ts";
import { UsageError, type ValuesOf } from "./flags.ts";

const WRITE = { scopes: ["operator.write"] } as const;
/** A network may take longer than the gateway itself. Milliseconds. */
const ANSWER_MS = 40_000;
/** What fits into one request, in bytes: the file becomes a third longer on its way. */
const MAX_FILE_BYTES = 15 * 1024 * 1024;

const WHERE = {
  channel: { kind: "text", value: "id", about: "The network; needed where there are several" },
  to: { kind: "text", value: "chat", about: "An id, @name, #room, user:… or channel:…" },
  target: { kind: "text", value: "chat", about: "The same as --to" },
  account: { kind: "text", value: "id", about: "The account to send from" },
  "thread-id": { kind: "text", value: "id", about: "A thread or topic of the chat" },
  "dry-run": { kind: "switch", about: "Print what would be asked, and ask nothing" },
} as const;
/** The message that something is done to. */
const WHICH = {
  ...WHERE,
  channel: { kind: "text", value: "id", about: "The network" },
  "message-id": { kind: "text", value: "id", about: "The network's id of the message" },
} as const;

const send = command({
  about: "Send a text, or files, into a chat",
  flags: {
    ...WHERE,
    message: { kind: "text", value: "text", short: "m", about: "Markdown, of any length" },
    media: { kind: "list", value: "path", about: "A file of this machine, or a web address" },
    "reply-to": { kind: "text", value: "id", about: "The message that it answers" },
    silent: { kind: "switch", about: "Without a sound" },
  },
  connects: true,
  examples: [
    ['openclaw message send --to 12345 --message "Hello"', "where one network is set up"],
    ["openclaw message send --channel discord --to channel:123 --media cat.png", "a picture"],
    ['openclaw message send --channel slack --to "#ops" -m "Done" --thread-id 17.5', "in a thread"],
  ],
  async run(call) {
    const { message, media, silent } = call.flags;
    if (message === undefined && media.length === 0) {
      throw new UsageError("There is nothing to send: give --message or --media");
    }
    const replyTo = call.flags["reply-to"];
    const params: ParamsOf<"send"> = {
      ...where(call.flags),
      ...(message === undefined ? {} : { message }),
      ...await enclosed(media),
      ...(replyTo === undefined ? {} : { replyToId: replyTo }),
      ...(silent ? { silent } : {}),
      idempotencyKey: crypto.randomUUID(),
    };
    return await request(call, "send", params, sentText);
  },
});

const poll = command({
  about: "Ask the people of a chat to choose",
  flags: {
    ...WHERE,
    question: { kind: "text", value: "text", about: "What is asked" },
    option: { kind: "list", value: "text", about: "A choice; two or more" },
    multi: { kind: "switch", about: "Several may be chosen" },
    "duration-hours": { kind: "number", value: "hours", min: 1, about: "How long it is open" },
    silent: { kind: "switch", about: "Without a sound" },
  },
  connects: true,
  examples: [
    [
      'openclaw message poll --to "#room" --question "Lunch?" --option now --option later',
      "what shall it be?",
    ],
  ],
  async run(call) {
    const { question, option, multi, silent } = call.flags;
    const hours = call.flags["duration-hours"];
    if (question === undefined) throw new UsageError("'message poll' needs --question");
    if (option.length < 2) throw new UsageError("'message poll' needs --option twice or more");
    const params: ParamsOf<"poll"> = {
      ...where(call.flags),
      question,
      options: [...option],
      ...(multi ? { maxSelections: option.length } : {}),
      ...(hours === undefined ? {} : { durationHours: hours }),
      ...(silent ? { silent } : {}),
      idempotencyKey: crypto.randomUUID(),
    };
    return await request(call, "poll", params, sentText);
  },
});

const react = command({
  about: "React to a message, or take the reaction back",
  flags: {
    ...WHICH,
    emoji: { kind: "text", value: "emoji", about: "The reaction" },
    remove: { kind: "switch", about: "Take it back" },
  },
  connects: true,
  examples: [
    ["openclaw message react --channel telegram --to 12345 --message-id 17 --emoji 👍", "say yes"],
    [
      "openclaw message react --channel telegram --to 12345 --message-id 17 --remove",
      "say nothing",
    ],
  ],
  async run(call) {
    const { emoji, remove } = call.flags;
    if (emoji === undefined && !remove) throw new UsageError("'message react' needs --emoji");
    return await act(call, "react", remove ? { remove, emoji: emoji ?? "" } : { emoji });
  },
});

const edit = command({
  about: "Replace the text of a message of ours",
  flags: {
    ...WHICH,
    message: { kind: "text", value: "text", short: "m", about: "What it says from now on" },
  },
  connects: true,
  examples: [[
    'openclaw message edit --channel telegram --to 12345 --message-id 17 -m "Better"',
    "say it better",
  ]],
  async run(call) {
    const { message } = call.flags;
    if (message === undefined) throw new UsageError("'message edit' needs --message");
    return await act(call, "edit", { message });
  },
});

const remove = command({
  about: "Delete a message of ours",
  flags: WHICH,
  connects: true,
  examples: [[
    "openclaw message delete --channel telegram --to 12345 --message-id 17",
    "take it back",
  ]],
  run: (call) => act(call, "delete", {}),
});

export default {
  about: "Send into a chat, or change what is there",
  usual: "send",
  commands: { send, poll, react, edit, delete: remove },
} satisfies Group;

/** Where it goes. Throws a `UsageError` where that is not said. */
function where(flags: ValuesOf<typeof WHERE>) {
  const { channel, account } = flags;
  const threadId = flags["thread-id"];
  if (flags.to !== undefined && flags.target !== undefined && flags.to !== flags.target) {
    throw new UsageError("--to and --target are the same: give one");
  }
  const to = (flags.to ?? flags.target)?.trim();
  if (to === undefined || to === "") throw new UsageError("Say where it goes with --to");
  return {
    to,
    ...(channel === undefined ? {} : { channel }),
    ...(account === undefined ? {} : { accountId: account }),
    ...(threadId === undefined ? {} : { threadId }),
  };
}

async function act(
  call: Call<typeof WHICH>,
  action: string,
  more: Readonly<Record<string, unknown>>,
): Promise<number> {
  const messageId = call.flags["message-id"];
  if (messageId === undefined) throw new UsageError(`'message ${action}' needs --message-id`);
  const { channel, accountId, ...target } = where(call.flags);
  if (channel === undefined) throw new UsageError(`'message ${action}' needs --channel`);
  const params: ParamsOf<"message.action"> = {
    channel,
    ...(accountId === undefined ? {} : { accountId }),
    action,
    params: { ...target, messageId, ...more },
    idempotencyKey: crypto.randomUUID(),
  };
  return await request(call, "message.action", params, () => "Done\n");
}

async function request<M extends "send" | "poll" | "message.action">(
  call: Call<Pick<typeof WHERE, "dry-run">>,
  method: M,
  params: ParamsOf<M>,
  show: (result: ResultOf<M>) => string,
): Promise<number> {
  if (call.flags["dry-run"]) {
    return answer(
      call,
      { dryRun: true, method, params: shortened(params) },
      ({ params }) => `Would ask for ${method}:\n${JSON.stringify(params, null, 2)}\n`,
    );
  }
  const timeoutMs = call.connection.timeout ?? ANSWER_MS;
  const result = await withGateway(
    call,
    WRITE,
    (gateway) => gateway.request(method, params, { timeoutMs }),
  );
  return answer(call, result, show);
}

function sentText(
  { channel, chatId = "", messageId }: { channel: string; chatId?: string; messageId: string },
): string {
  return `Sent to ${channel} ${chatId} as message ${messageId}\n`;
}

/** A dry run shows what is meant, not all of a file. */
function shortened(params: object): object {
  return "buffer" in params && typeof params.buffer === "string"
    ? { ...params, buffer: `(${params.buffer.length} characters)` }
    : params;
}

/** The files, as a request can carry them: one of this machine, or any number of addresses. */
async function enclosed(
  media: readonly string[],
): Promise<Pick<ParamsOf<"send">, "mediaUrls" | "buffer" | "filename">> {
  const addresses = media.filter((source) => /^https?:\/\//i.test(source));
  const [path, ...others] = media.filter((source) => !addresses.includes(source));
  if (others.length > 0) throw new UsageError("One file of this machine can be sent at a time");
  return {
    ...(addresses.length === 0 ? {} : { mediaUrls: addresses }),
    ...(path === undefined ? {} : await readFile(path)),
  };
}

async function readFile(path: string): Promise<{ buffer: string; filename: string }> {
  const { size, isFile } = await Deno.stat(path);
  if (!isFile) throw new UsageError(`Cannot send '${path}': it is no file`);
  if (size > MAX_FILE_BYTES) {
    throw new Failure("TOO_LARGE", `Cannot send '${path}': it is larger than 15 MB`, {
      hint: "put it into the agent's workspace and ask the agent to send it",
    });
  }
  const { Buffer } = await import("node:buffer");
  const filename = path.split(/[/\\]/).at(-1) ?? "file";
  return { buffer: Buffer.from(await Deno.readFile(path)).toString("base64"), filename };
}
