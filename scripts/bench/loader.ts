/** The load generator, seen from the process that gives it orders. */
import { fileURLToPath } from "node:url";
import type { Orders } from "./load.ts";

type OrderOf<N extends keyof Orders> = Parameters<Orders[N]>[0];
type ResultOf<N extends keyof Orders> = Awaited<ReturnType<Orders[N]>>;

/** No order may take longer. */
const PATIENCE_MS = 120_000;

/** A load generator. Orders are done one at a time. Disposing of it ends it. */
export class Loader implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #orders: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #answers: ReadableStreamDefaultReader<string>;
  #rest = "";

  constructor() {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-net", fileURLToPath(new URL("load.ts", import.meta.url))],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#orders = this.#child.stdin.getWriter();
    this.#answers = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /**
   * Rejects when the generator ended instead, or when it takes too long and is ended; what it had
   * to say is on standard error then.
   */
  async do<N extends keyof Orders>(
    name: N,
    ...[order]: OrderOf<N> extends undefined ? [] : [order: OrderOf<N>]
  ): Promise<ResultOf<N>> {
    const overdue = setTimeout(() => this.#child.kill("SIGKILL"), PATIENCE_MS);
    await this.#orders.write(new TextEncoder().encode(JSON.stringify({ name, order }) + "\n"));
    while (!this.#rest.includes("\n")) {
      const { value, done } = await this.#answers.read();
      if (done) {
        clearTimeout(overdue);
        throw new Error(`The load generator ended in '${name}'`);
      }
      this.#rest += value;
    }
    clearTimeout(overdue);
    const end = this.#rest.indexOf("\n");
    const { result } = JSON.parse(this.#rest.slice(0, end));
    this.#rest = this.#rest.slice(end + 1);
    return result;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#orders.close().catch(() => {}); // it has ended before
    await this.#child.status;
    await this.#answers.cancel();
  }
}
