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

/**
 * Speaks OpenAI's chat completions. Notes each answer under the last id that its prompt has. It is
 * HTTP with as little of it as clients can do with: a token is on its way as soon as it is noted.
 */
export function serveModel(pace: Pace, noted: Map<string, Answered>): { readonly port: number } {
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  void (async () => {
    for await (const conn of listener) {
      void answerAll(conn, { pace, noted }).catch(() => {}).finally(() => conn.close());
    }
  })();
  return { port: listener.addr.port };
}

/** Answers one request after another, until the client leaves. */
async function answerAll(
  conn: Deno.TcpConn,
  { pace, noted }: { pace: Pace; noted: Map<string, Answered> },
): Promise<void> {
  conn.setNoDelay(true);
  for await (const body of bodies(conn)) {
    const arrived = performance.now();
    const ids = [...body.matchAll(/bench-run-(\w+)/g)];
    const answer: Answered = { tookMs: 0, tokenAt: [] };
    noted.set(ids.at(-1)?.[1] ?? "", answer);
    await write(conn, HEAD);
    for (let token = 0; token < pace.tokens; token++) {
      await new Promise((resolve) => setTimeout(resolve, pace.tokenMs));
      const text = inChunk(said({ content: tokenText(token) }));
      answer.tokenAt.push(performance.now());
      await write(conn, text);
    }
    await write(conn, inChunk(said({}, "stop") + USAGE + "data: [DONE]\n\n") + inChunk(""));
    answer.tookMs = performance.now() - arrived;
  }
}

/** The bodies of the requests of one connection; each byte is a letter. */
async function* bodies(conn: Deno.Conn): AsyncGenerator<string> {
  const latin = new TextDecoder("latin1");
  const buffer = new Uint8Array(65_536);
  let rest = "";
  for (let count; (count = await conn.read(buffer)) !== null;) {
    rest += latin.decode(buffer.subarray(0, count));
    const head = rest.slice(0, rest.indexOf("\r\n\r\n") + 4);
    if (head.length < 4) continue;
    const end = head.length + Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
    if (rest.length < end) continue;
    yield rest.slice(head.length, end);
    rest = rest.slice(end);
  }
}

async function write(conn: Deno.Conn, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

const HEAD =
  "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

/** A part of a chunked body; the empty one ends it. Its letters are ASCII. */
function inChunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}

/** How the n-th token reads. */
function tokenText(n: number): string {
  return `w${n} `;
}

/** The numbers of the tokens in a part of an answer. */
export function tokensIn(text: string): readonly number[] {
  return [...text.matchAll(/w(\d+) ?/g)].map(([, n]) => Number(n));
}

const ENVELOPE = { id: "c1", object: "chat.completion.chunk", created: 1, model: "bench" };
const USAGE = `data: ${
  JSON.stringify({
    ...ENVELOPE,
    choices: [],
    usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
  })
}\n\n`;

function said(delta: { content?: string }, finish: "stop" | null = null): string {
  const choices = [{ index: 0, delta: { role: "assistant", ...delta }, finish_reason: finish }];
  return `data: ${JSON.stringify({ ...ENVELOPE, choices })}\n\n`;
}
