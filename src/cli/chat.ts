/** `openclaw chat` */
import { Conversation } from "./chat/conversation.ts";
import type { Wish } from "./chat/editor.ts";
import { KeyReader, MARK_PASTES, UNMARK_PASTES } from "./chat/keys.ts";
import { askLines } from "./chat/lines.ts";
import { Room } from "./chat/room.ts";
import { type Call, command } from "./command.ts";
import { failureAsText } from "./failure.ts";
import { UsageError } from "./flags.ts";

export default command({
  about: "Talk with the agent in the terminal",
  details:
    "Ctrl-C stops the agent; when it is not at work, it leaves. /help lists the commands. Where\n" +
    "input or output is no terminal, each line of the input is a message.",
  flags: {
    session: { kind: "text", value: "key", about: "Which session (the main one)" },
    limit: {
      kind: "number",
      value: "count",
      min: 1,
      max: 200,
      about: "Earlier messages to show (20)",
    },
  },
  connects: true,
  examples: [
    ["openclaw chat", "talk in the main session"],
    ["openclaw chat --session work", "talk in a session of its own"],
    ["openclaw chat --session work < questions.txt", "ask line by line"],
  ],
  async run(call) {
    if (call.json) throw new UsageError("chat has no --json: use openclaw agent --json");
    const { flags: { session, limit = 20 }, io: { terminal } } = call;
    const options = { session, limit };
    return terminal.in && terminal.out ? await talk(call, options) : await askLines(call, options);
  },
});

const LEAVING: ReadonlySet<string> = new Set(["/quit", "/exit"]);

/** Between a person and the agent, on a terminal. Resolves to the exit code. */
async function talk(
  call: Call,
  options: { readonly session: string | undefined; readonly limit: number },
): Promise<number> {
  const { io, paint } = call;
  const leaving = new AbortController();
  const leave = () => leaving.abort();
  const room = new Room(call);
  const conversation = new Conversation(call, { ...options, view: room });
  let submitted = Promise.resolve();

  async function obey(wish: Wish): Promise<void> {
    if (wish.wish === "leave") return leave();
    if (wish.wish === "redraw") return room.draw();
    if (wish.wish === "submit") {
      if (LEAVING.has(wish.text)) return leave();
      // One after another: what follows a /session belongs to that session.
      const turn = submitted.then(() => room.submit(wish.text, conversation));
      submitted = turn.catch(() => {}); // told by the one who reads the keys
      return await turn;
    }
    if (conversation.working) return await conversation.abort();
    if (wish.wish === "escape") return;
    if (room.editor.text === "") return leave();
    room.editor.clear();
  }

  async function readKeys(): Promise<void> {
    const reader = new KeyReader();
    for await (const bytes of io.input()) {
      for (const key of reader.read(bytes)) {
        const wish = room.editor.press(key);
        if (wish === undefined) continue;
        obey(wish).catch((error) => room.print(failureAsText(error, paint.red)));
      }
      if (leaving.signal.aborted) return;
      room.draw();
    }
  }

  using _raw = io.raw();
  io.out(MARK_PASTES);
  room.draw();
  const running = conversation.run(leaving.signal);
  try {
    await Promise.race([running, readKeys()]);
    return 0;
  } finally {
    leave();
    await Promise.allSettled([running]);
    room.leave();
    io.out(UNMARK_PASTES);
  }
}
