/** Somebody who has messages sent, and asks again until they hear how it went. */
import { ConnectionError, GatewayClient, GatewayRefusal } from "../../src/client/client.ts";
import { TOKEN } from "../gateway_process.ts";
import type { Sent } from "./judge.ts";

/** How long to wait before asking again, in milliseconds. */
const AGAIN_MS = 100;
/** The gateway itself says what it knows within 30 s. */
const ANSWER_MS = 40_000;
/** Before it was accepted there was no way to the network, or no word from it. */
const NOT_YET = /can't send|is off|Cannot |not begun|answered|reach/i;
const MAX_REFUSALS = 50;

export class Operator implements AsyncDisposable {
  readonly #url: string;
  readonly #stop = new AbortController();
  readonly #asking = new Set<Promise<void>>();
  #client: Promise<GatewayClient> | undefined;

  constructor(url: string) {
    this.#url = url;
  }

  /** Has something sent; `order.heard` says how it went. */
  send(order: Sent, { to, text }: { to: string; text: string }): void {
    const asking = this.#ask(order, { to, text }).finally(() => this.#asking.delete(asking));
    this.#asking.add(asking);
  }

  /** How many messages there are in each state. */
  async outbox() {
    const client = await this.#connected();
    return await client.request("outbox.list", { limit: 1000 }, { timeoutMs: ANSWER_MS });
  }

  /** Networks that the gateway is not on. */
  async disconnected(): Promise<readonly string[]> {
    const client = await this.#connected();
    const { channelAccounts } = await client.request("channels.status", {}, {
      timeoutMs: ANSWER_MS,
    });
    return Object.entries(channelAccounts).flatMap(([id, accounts]) =>
      accounts.every(({ connected }) => connected) ? [] : id
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await (await this.#client?.catch(() => undefined))?.[Symbol.asyncDispose]();
    await Promise.all(this.#asking);
  }

  /** Under the same key each time: it is one order. */
  async #ask(order: Sent, { to, text }: { to: string; text: string }): Promise<void> {
    const channel = order.network.id;
    const params = { channel, to, message: text, idempotencyKey: order.id };
    for (let refusals = 0; !this.#stop.signal.aborted;) {
      try {
        const client = await this.#connected();
        await client.request("send", params, { timeoutMs: ANSWER_MS, signal: this.#stop.signal });
        order.heard = "sent";
        return;
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        if (error instanceof GatewayRefusal) {
          const isOpen = error.retryable || NOT_YET.test(error.message);
          if (!isOpen || ++refusals > MAX_REFUSALS) {
            order.heard = { refusal: error.message };
            return;
          }
        } else if (!(error instanceof ConnectionError)) throw error;
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    }
  }

  #connected(): Promise<GatewayClient> {
    this.#client ??= GatewayClient.connect({
      url: this.#url,
      client: { id: "cli", mode: "cli", version: "1", platform: Deno.build.os },
      scopes: ["operator.admin"],
      auth: { token: TOKEN },
      timeoutMs: 5_000,
      signal: this.#stop.signal,
      onClose: () => this.#client = undefined,
    }).catch((error) => {
      this.#client = undefined;
      throw error;
    });
    return this.#client;
  }
}
