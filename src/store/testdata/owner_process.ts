/** Runs `owner.ts`; killed when disposed of. */
export class OwnerProcess implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #lines: AsyncGenerator<string>;

  constructor(path: string, { umask = 0o77, task = "hold" }: {
    umask?: number;
    task?: "hold" | "append";
  } = {}) {
    const program = new URL("owner.ts", import.meta.url).href;
    this.#process = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", program, path, umask.toString(8), task],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#lines = lines(this.#process.stdout);
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** The next line that it prints; `undefined` after its last. */
  async line(): Promise<string | undefined> {
    const { value, done } = await this.#lines.next();
    return done ? undefined : value;
  }

  /** Kills it as a power cut would, and waits until it is gone. */
  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.kill();
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // it has ended
    }
    while (await this.line() !== undefined);
    await this.#process.stdin.close().catch(() => {}); // the other end is gone
    await this.#process.status;
  }
}

/** Whole lines only: what a killed process left unfinished is dropped. */
async function* lines(bytes: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of bytes.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
}
