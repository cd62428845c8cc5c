/** The wire between a client and a fake network: a TCP relay on loopback that fails as it is told. */

/** What the wire does from now on. All but `refuse` let the network hear us, but not us the network. */
export type LineFault =
  /** Nobody listens: what is open breaks, and nothing new opens. */
  | "refuse"
  /** What is open breaks, and what opens breaks as soon as the network answers. */
  | "cut"
  /** Answers never arrive, and nothing closes. */
  | "silence"
  /** Answers are noise. */
  | "garbage";

/** A port that leads to another one of this machine. */
export class Line implements AsyncDisposable {
  readonly port: number;
  readonly #target: number;
  readonly #open = new Set<Disposable>();
  readonly #relays = new Set<Promise<unknown>>();
  #listener: Deno.TcpListener | undefined;
  #fault: LineFault | undefined;

  /** `port` is only for whoever must come back at the same one. */
  constructor(target: number, port = 0) {
    this.#target = target;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port });
    this.port = this.#listener.addr.port;
    this.#track(this.#accept(this.#listener));
  }

  /** `undefined` mends it for whatever opens from now on; what was open when it failed, breaks. */
  set(fault: LineFault | undefined): void {
    const mends = fault === undefined && this.#fault !== undefined;
    this.#fault = fault;
    if (mends || fault === "refuse" || fault === "cut") this.cut();
    if (fault === "refuse") {
      this.#listener?.close();
      this.#listener = undefined;
    } else if (this.#listener === undefined) {
      this.#listener = Deno.listen({ hostname: "127.0.0.1", port: this.port });
      this.#track(this.#accept(this.#listener));
    }
  }

  /** Breaks whatever is open, once. */
  cut(): void {
    for (const connection of [...this.#open]) connection[Symbol.dispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener?.close();
    this.cut();
    while (this.#relays.size > 0) await Promise.all(this.#relays);
  }

  async #accept(listener: Deno.TcpListener): Promise<void> {
    for (;;) {
      let client: Deno.TcpConn;
      try {
        client = await listener.accept();
      } catch {
        return; // closed
      }
      this.#track(this.#relay(client));
    }
  }

  async #relay(client: Deno.TcpConn): Promise<void> {
    let network: Deno.TcpConn;
    try {
      network = await Deno.connect({ hostname: "127.0.0.1", port: this.#target });
    } catch {
      client.close();
      return;
    }
    client.setNoDelay();
    network.setNoDelay();
    const connection = {
      [Symbol.dispose]: () => {
        if (!this.#open.delete(connection)) return;
        client.close();
        network.close();
      },
    };
    this.#open.add(connection);
    await Promise.all([
      copy(client, network, (bytes) => bytes),
      copy(network, client, (bytes) => this.#distort(bytes, connection)),
    ]);
    connection[Symbol.dispose]();
  }

  /** What of the network's answer gets through. */
  #distort(bytes: Uint8Array, connection: Disposable): Uint8Array {
    if (this.#fault === "silence") return new Uint8Array();
    if (this.#fault === "garbage") return crypto.getRandomValues(new Uint8Array(64));
    if (this.#fault === "cut") connection[Symbol.dispose]();
    return bytes;
  }

  #track(work: Promise<unknown>): void {
    this.#relays.add(work);
    void work.finally(() => this.#relays.delete(work));
  }
}

/** Carries bytes until either end closes, then says so to the other. */
async function copy(
  from: Deno.TcpConn,
  to: Deno.TcpConn,
  distort: (bytes: Uint8Array) => Uint8Array,
): Promise<void> {
  const buffer = new Uint8Array(64 * 1024);
  try {
    for (let size = await from.read(buffer); size !== null; size = await from.read(buffer)) {
      let rest = distort(buffer.subarray(0, size));
      while (rest.length > 0) rest = rest.subarray(await to.write(rest));
    }
    await to.closeWrite();
  } catch {
    // one of the two is gone; the relay ends with it
  }
}
