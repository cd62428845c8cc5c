/** A conversation without a terminal: a line in is a message, its answer goes out. */
import { aborted } from "../../deadline.ts";
import type { Call } from "../command.ts";
import { Streamed } from "../streamed.ts";
import { oneLine } from "../text.ts";
import { toolCallLine, toolResultLine } from "../transcript.ts";
import { Conversation, type View } from "./conversation.ts";

/** Says each line of the input and prints the answer. Resolves to the exit code. */
export async function askLines(
  call: Call,
  options: { readonly session: string | undefined; readonly limit: number },
): Promise<number> {
  const { io, paint } = call;
  let streamed = new Streamed();
  let failed = false;
  let asked = false;
  let idle = Promise.withResolvers<void>();
  const fail = (problem: string) => {
    failed = true;
    io.err(`${paint.red("error:")} ${oneLine(problem)}\n`);
  };
  const view: View = {
    message: () => {},
    says: (text, delta) => io.out(streamed.next(text, delta)),
    toolStarts: (name, args) => io.err(toolCallLine(name, args, paint)),
    toolEnds: (name, result) => io.err(toolResultLine(name, result, paint)),
    ends: (problem) => {
      io.out(streamed.lineEnd);
      streamed = new Streamed();
      if (problem !== undefined) fail(problem);
    },
    note: (text) => io.err(`${paint.dim(`— ${oneLine(text)}`)}\n`),
    changed: ({ connected, working }) => {
      if (asked && !connected) fail("the answer did not come to its end");
      if (!working) idle.resolve();
    },
  };
  const conversation = new Conversation(call, { ...options, view });
  using interrupt = io.interrupt();
  const leaving = new AbortController();
  const ready = Promise.withResolvers<void>();
  const connected = conversation.run(leaving.signal, ready.resolve);
  const interrupted = aborted(interrupt.signal);
  /** Ends with the wait, at Ctrl-C, and if there is no way back to the gateway. */
  const unlessOver = <T>(wait: Promise<T>) => Promise.race([wait, connected, interrupted]);
  try {
    await unlessOver(ready.promise);
    const lines = linesOf(io.input());
    for (;;) {
      const next = await unlessOver(lines.next());
      if (interrupt.signal.aborted) return 130;
      if (!next || next.done) break;
      if (next.value.trim() === "") continue;
      idle = Promise.withResolvers();
      asked = true;
      await unlessOver(conversation.say(next.value));
      if (conversation.working) await unlessOver(idle.promise);
      asked = false;
      if (!interrupt.signal.aborted) continue;
      if (conversation.working) await conversation.abort();
      return 130;
    }
    return failed ? 1 : 0;
  } finally {
    leaving.abort();
    await connected;
  }
}

async function* linesOf(input: AsyncIterable<Uint8Array>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const bytes of input) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  if (rest !== "") yield rest;
}
