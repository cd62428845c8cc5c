/** `Deno.serve` behind the guard, where only this process can reach it. */

type Served = Deno.HttpServer<Deno.NetAddr | Deno.UnixAddr>;

export interface InnerOptions {
  readonly handler: Deno.ServeHandler;
  readonly log: (line: string) => void;
  /** On loopback instead of a Unix socket; there every user of the machine could connect. */
  readonly onLoopback?: boolean;
}

/**
 * Listens on a Unix socket in a folder of our own; on Windows, which has none, on loopback.
 * `Deno.serve` gives up for good when it can't accept, which a lack of file descriptors is enough
 * for. Then the next connection gets a new one, and those that are open stay as they are.
 */
export class InnerServer {
  readonly #handler: Deno.ServeHandler;
  readonly #log: (line: string) => void;
  readonly #folder: string | undefined;
  #served: Served | undefined;
  #count = 0;

  constructor({ handler, log, onLoopback = Deno.build.os === "windows" }: InnerOptions) {
    this.#handler = handler;
    this.#log = log;
    this.#folder = onLoopback ? undefined : Deno.makeTempDirSync({ prefix: "openclaw-" }); // 0700
    this.#served = this.#serve();
  }

  /** Opens a connection to it. */
  async connect(): Promise<Deno.Conn> {
    this.#served ??= this.#serve();
    const { addr } = this.#served;
    if ("path" in addr) {
      return await Deno.connect({ transport: "unix", path: addr.path });
    }
    const conn = await Deno.connect({ hostname: addr.hostname, port: addr.port });
    conn.setNoDelay(true);
    return conn;
  }

  /** Lets answers under way finish; resolves when all connections are gone. Never rejects. */
  async shutdown(): Promise<void> {
    await this.#served?.shutdown().catch(() => {}); // it is on its way out in any case
  }

  /** Removes what it left on the disk. */
  async remove(): Promise<void> {
    if (this.#folder === undefined) return;
    await Deno.remove(this.#folder, { recursive: true }).catch((error) =>
      this.#log(`Cannot remove '${this.#folder}': ${error}`)
    );
  }

  #serve(): Served {
    const where = this.#folder === undefined
      ? { hostname: "127.0.0.1", port: 0 }
      : { path: `${this.#folder}/${++this.#count}` };
    const served: Served = Deno.serve({ ...where, onListen() {} }, this.#handler);
    served.finished.catch((error) => {
      this.#log(`The inner server gave up: ${error}`);
      if (this.#served === served) this.#served = undefined;
    });
    return served;
  }
}
