/** A model that answers at once, with the ids that it was told: OpenAI's chat completions. */
import { Moments } from "./network.ts";

/** What of a conversation an answer is made of. */
interface Said {
  readonly role: string;
  readonly content: unknown;
}

/** Ids of messages, as people and operators write them. */
export const ID = /\b[mo]\d+x[0-9a-z]+\b/g;

/** When it is asked, when half of an answer is said, and when all of it is. */
export type ModelMoment = "asked" | "half answered" | "answered";

export class EchoModel implements AsyncDisposable {
  readonly moments = new Moments<ModelMoment>();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  /** How long the next answer waits in its middle, in milliseconds. */
  #pauses: number[] = [];

  constructor() {
    this.#server = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen() {}, onError: () => new Response() },
      (request) => this.#answer(request),
    );
  }

  get port(): number {
    return this.#server.addr.port;
  }

  /** The next answer stays half said for so long. */
  dawdle(ms: number): void {
    this.#pauses.push(ms);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }

  async #answer(request: Request): Promise<Response> {
    const { messages }: { messages: readonly Said[] } = await request.json();
    this.moments.happened("asked");
    const last = messages.findLastIndex(({ role }) => role === "assistant");
    const asked = messages.slice(last + 1).filter(({ role }) => role === "user");
    const ids = new Set(JSON.stringify(asked).match(ID));
    const ms = this.#pauses.shift() ?? 0;
    const parts = [
      chunk("echo "),
      chunk([...ids].join(" ")),
      chunk("", "stop"),
      "data: [DONE]\n\n",
    ];
    if (ms === 0) {
      setTimeout(() => this.moments.happened("answered"));
      return new Response(parts.join(""), { headers: STREAM });
    }
    const spoken = new ReadableStream<Uint8Array>({
      start: (controller) => {
        controller.enqueue(new TextEncoder().encode(parts[0]));
        this.moments.happened("half answered");
        setTimeout(() => {
          try {
            controller.enqueue(new TextEncoder().encode(parts.slice(1).join("")));
            controller.close();
            this.moments.happened("answered");
          } catch {
            // whoever asked is dead by now
          }
        }, ms);
      },
    });
    return new Response(spoken, { headers: STREAM });
  }
}

const STREAM = { "content-type": "text/event-stream" };

function chunk(content: string, finish: "stop" | null = null): string {
  const choices = [{ index: 0, delta: { role: "assistant", content }, finish_reason: finish }];
  const body = { id: "c1", object: "chat.completion.chunk", created: 1, model: "echo", choices };
  return `data: ${JSON.stringify(body)}\n\n`;
}
