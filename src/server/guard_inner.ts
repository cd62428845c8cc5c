/** `Deno.serve` behind the guard, where only this process can reach it. */

type Served = Deno.HttpServer<Deno.NetAddr | Deno.UnixAddr>;

export interface InnerOptions {
  readonly handler: Deno.ServeHandler;
  readonly log: (line: string) => void;
  /**
   * For its sockets and nothing else: what an earlier process left in it is removed, and at the end
   * the folder itself. By default, and where no socket can be opened in it, a temporary one.
   */
  readonly folder?: string;
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

  constructor({ handler, log, folder, onLoopback = Deno.build.os === "windows" }: InnerOptions) {
    this.#handler = handler;
    this.#log = log;
    this.#folder = onLoopback ? undefined : takeFolder(folder, log);
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
    // The one that gave up removes its path late, so that none is used twice.
    const path = this.#folder === undefined ? undefined : socketIn(this.#folder, ++this.#count);
    const where = path === undefined ? { hostname: "127.0.0.1", port: 0 } : { path };
    const served: Served = Deno.serve({ ...where, onListen() {} }, this.#handler);
    if (path !== undefined) Deno.chmodSync(path, 0o600);
    served.finished.catch((error) => {
      this.#log(`The inner server gave up: ${error}`);
      if (this.#served === served) this.#served = undefined;
    });
    return served;
  }
}

/** An empty folder that only we may enter, and that sockets can be opened in. */
function takeFolder(wanted: string | undefined, log: (line: string) => void): string {
  if (wanted !== undefined) {
    try {
      clear(wanted);
      Deno.mkdirSync(wanted, { mode: 0o700 });
      const path = socketIn(wanted, 999_999); // longer than any to come
      Deno.listen({ transport: "unix", path }).close();
      clear(path); // unless the end of the listener has
      return wanted;
    } catch (error) {
      // Systems allow a socket a hundred letters or so, and some file systems have none.
      log(`Cannot open a socket in '${wanted}': ${error}`);
      clear(wanted);
    }
  }
  return Deno.makeTempDirSync({ prefix: "openclaw-" }); // 0700
}

/** Removes what is there, if anything is. */
function clear(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function socketIn(folder: string, count: number): string {
  return `${folder}/${count}`;
}
