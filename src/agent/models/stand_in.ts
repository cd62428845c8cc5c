/** What models answer where nobody is asked: one letter, in the words of each wire format. */
import type { Api } from "./lazy.ts";

/** A server that says one letter, whatever it is asked, and is not there. */
export function standInFor(api: Api): typeof fetch {
  const headers = {
    "content-type": api === "ollama" ? "application/x-ndjson" : "text/event-stream",
  };
  return () => Promise.resolve(new Response(ANSWERS[api], { headers }));
}

const LETTER = ".";

const ANSWERS: Readonly<Record<Api, string>> = {
  "anthropic-messages": events([
    {
      type: "message_start",
      message: {
        type: "message",
        id: "",
        role: "assistant",
        model: "",
        content: [],
        usage: { input_tokens: 0, output_tokens: 0 },
      },
    },
    { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
    { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: LETTER } },
    { type: "content_block_stop", index: 0 },
    { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 0 } },
    { type: "message_stop" },
  ]),
  "openai-responses": events([
    { type: "response.created", response: { id: "", created_at: 0, model: "" } },
    { type: "response.output_item.added", output_index: 0, item: { type: "message", id: "" } },
    { type: "response.output_text.delta", item_id: "", delta: LETTER },
    {
      type: "response.completed",
      response: { usage: { input_tokens: 0, output_tokens: 0 } },
    },
  ]),
  "openai-completions": events([
    { id: "", choices: [{ index: 0, delta: { content: LETTER } }] },
    { id: "", choices: [{ index: 0, delta: {}, finish_reason: "stop" }] },
  ]) + "data: [DONE]\n\n",
  "ollama": [
    { message: { role: "assistant", content: LETTER }, done: false },
    { message: { role: "assistant", content: "" }, done: true, done_reason: "stop" },
  ].map((line) => `${JSON.stringify(line)}\n`).join(""),
};

/** Server-sent events, each under its own type if it has one. */
function events(all: readonly object[]): string {
  return all.map((event) => {
    const type = "type" in event ? `event: ${event.type}\n` : "";
    return `${type}data: ${JSON.stringify(event)}\n\n`;
  }).join("");
}
