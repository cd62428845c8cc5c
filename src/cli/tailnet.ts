/** The gateway's place in its tailnet: found, published there, and taken back at the end. */
import type { Log } from "../log.ts";
import type { Env } from "./paths.ts";
import { Tailscale } from "./tailscale.ts";

/** How long to wait before another try, in milliseconds. */
const RETRY_MS = 30_000;

/** Asks Tailscale nothing before it is opened, or somebody comes from the tailnet. */
export class Tailnet implements AsyncDisposable {
  readonly #env: Env;
  readonly #log: Log;
  readonly #retryMs: number;
  #names: readonly string[] = [];
  readonly #asking = new Set<Promise<unknown>>();
  readonly #stop = new AbortController();
  #program: Promise<Tailscale> | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #trying: Promise<void> = Promise.resolve();
  #takeBack: (() => Promise<void>) | undefined;

  constructor(env: Env, { log, retryMs = RETRY_MS }: { log: Log; retryMs?: number }) {
    this.#env = env;
    this.#log = log.part("tailnet");
    this.#retryMs = retryMs;
  }

  /** This machine's name in the tailnet's DNS; empty as long as it is not known. */
  get names(): readonly string[] {
    return this.#names;
  }

  /** The login of the person whose device has an address. Never rejects. */
  whois(address: string): Promise<string | undefined> {
    const answer = this.#tailscale().then(
      (tailscale) => tailscale.whois(address, this.#stop.signal),
      () => undefined, // not installed: nobody is known
    ).finally(() => this.#asking.delete(answer));
    this.#asking.add(answer);
    return answer;
  }

  /**
   * Finds the machine's name, and publishes `target` under it if `mode` says so. What fails is
   * warned of and tried again until it works: the daemon may start after us. Resolves after the
   * first try; never rejects.
   */
  open({ mode, target, resetOnExit }: {
    readonly mode: "off" | "serve" | "funnel";
    /** What Tailscale shall forward to, as its command line takes it. */
    readonly target: string;
    readonly resetOnExit: boolean;
  }): Promise<void> {
    return this.#trying = this.#try(async () => {
      const tailscale = await this.#tailscale();
      const { name } = await tailscale.self();
      if (mode !== "off") {
        await tailscale.publish(mode, target);
        if (resetOnExit) this.#takeBack = () => tailscale.withdraw(mode);
        this.#log.info("Published in the tailnet", { url: `https://${name}/`, mode });
      }
      this.#names = [name];
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#retry);
    await Promise.all([this.#trying, ...this.#asking]);
    clearTimeout(this.#retry);
    try {
      await this.#takeBack?.();
    } catch (cause) {
      this.#log.warn("What Tailscale serves could not be taken back", { cause });
    }
  }

  async #try(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      this.#log.warn(`${reason}; the gateway is not in the tailnet yet`, { cause });
      this.#retry = setTimeout(() => this.#trying = this.#try(work), this.#retryMs);
    }
  }

  #tailscale(): Promise<Tailscale> {
    const found = this.#program ??= Tailscale.find(this.#env);
    found.catch(() => this.#program = undefined); // it may be installed later
    return found;
  }
}
