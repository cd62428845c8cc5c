/** A model server on loopback that takes a fixed time for an answer, and says how long it really took. */

/** What the server noted of one answer. Times are of `performance.now()`. */
export interface Answered {
  /** From the request's arrival to the last byte handed over. */
  tookMs: number;
  /** When each token was handed over. */
  readonly tokenAt: number[];
}

/** How an answer is spoken. */
export interface Pace {
  readonly tokens: number;
  readonly tokenMs: number;
}

/** What a prompt must contain, followed by an id, for the answer to be noted. */
export const MARK = "bench-run-";

/** Speaks OpenAI's chat completions. Notes each answer under the last id that its prompt has. */
export function serveModel({ tokens, tokenMs }: Pace, noted: Map<string, Answered>) {
  return Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const arrived = performance.now();
    const ids = [...(await request.text()).matchAll(/bench-run-(\w+)/g)];
    const answer: Answered = { tookMs: 0, tokenAt: [] };
    noted.set(ids.at(-1)?.[1] ?? "", answer);
    let token = 0;
    return new Response(
      new ReadableStream<Uint8Array>({
        async pull(controller) {
          if (token === tokens) {
            controller.enqueue(encode(chunk({}, "stop") + USAGE + "data: [DONE]\n\n"));
            controller.close();
            answer.tookMs = performance.now() - arrived;
            return;
          }
          await new Promise((resolve) => setTimeout(resolve, tokenMs));
          const text = encode(chunk({ content: tokenText(token++) }));
          answer.tokenAt.push(performance.now());
          controller.enqueue(text);
        },
      }, { highWaterMark: 0 }),
      { headers: { "content-type": "text/event-stream" } },
    );
  });
}

/** How the n-th token reads. */
function tokenText(n: number): string {
  return `w${n} `;
}

/** The numbers of the tokens in a part of an answer. */
export function tokensIn(text: string): readonly number[] {
  return [...text.matchAll(/w(\d+) ?/g)].map(([, n]) => Number(n));
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

const ENVELOPE = { id: "c1", object: "chat.completion.chunk", created: 1, model: "bench" };
const USAGE = `data: ${
  JSON.stringify({
    ...ENVELOPE,
    choices: [],
    usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
  })
}\n\n`;

function chunk(delta: { content?: string }, finish: "stop" | null = null): string {
  const choices = [{ index: 0, delta: { role: "assistant", ...delta }, finish_reason: finish }];
  return `data: ${JSON.stringify({ ...ENVELOPE, choices })}\n\n`;
}
