/** The connection to the gateway, kept up for as long as the page is open. */
import { ConnectionError, GatewayClient, GatewayRefusal, type Identity } from "../client/client.ts";
import type { ClientInfo, HelloOk } from "../../schemas/connect.ts";
import type { EventFrame } from "../../schemas/frames.ts";
import type { MethodName, ParamsOf, ResultOf } from "../../schemas/mod.ts";
import { Cell } from "./cell.ts";
import type { Credential, Credentials } from "./credentials.ts";
import { judge, type Verdict } from "./refusal.ts";

/** What the page asks the gateway to allow it. */
export const SCOPES = ["operator.read", "operator.write", "operator.admin", "operator.pairing"];

/** Where the connection stands. */
export type LinkState =
  | { readonly is: "connecting" }
  | { readonly is: "connected"; readonly hello: HelloOk }
  /** It will try again at `retryAt`, epoch milliseconds. */
  | { readonly is: "waiting"; readonly why: string; readonly retryAt: number }
  | { readonly is: "asking"; readonly secret: "token" | "password"; readonly problem?: string }
  | { readonly is: "pairing"; readonly requestId: string | undefined; readonly why: string }
  | { readonly is: "refused"; readonly title: string; readonly why: string };

/** What the rest of the page needs of the connection. */
export interface Requests {
  /** Rejects at once while there is no connection. */
  request<M extends MethodName>(method: M, params: ParamsOf<M>): Promise<ResultOf<M>>;
}

export interface LinkOptions {
  readonly url: string;
  readonly client: ClientInfo;
  readonly identity: Identity;
  readonly credentials: Credentials;
  /** A connection is up; whatever was heard before may be out of date. */
  readonly onHello: (hello: HelloOk) => void;
  readonly onEvent: (event: EventFrame) => void;
  /** Events were lost on a connection that is still up. */
  readonly onGap: () => void;
}

/** No answer to a request is worth waiting longer for, in milliseconds. */
const REQUEST_TIMEOUT_MS = 30_000;
/** A connection that lasted so long was a good one, and the next attempt a first one. */
const STEADY_MS = 5_000;
/** How long to wait before each attempt, the last one for ever, in milliseconds. */
const BACK_OFF_MS = [500, 1_000, 2_000, 4_000, 8_000, 15_000];
/** How often to look whether the owner has approved this browser, in milliseconds. */
const PAIRING_POLL_MS = 3_000;

/** Keeps one connection up, and says what it takes when it can't. */
export class Link implements Requests {
  readonly state: Cell<LinkState> = new Cell<LinkState>({ is: "connecting" });
  readonly #options: LinkOptions;
  #client: GatewayClient | undefined;
  #wake: () => void = () => {};

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  /** Connects, again and again. Ends when the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    signal.addEventListener("abort", () => this.#wake(), { once: true });
    for (let attempt = 0; !signal.aborted; attempt++) {
      const start = Date.now();
      const shown = this.#options.credentials.current;
      const verdict = await this.#connect(shown, signal);
      if (signal.aborted) return;
      // Somebody signed in or out meanwhile, and didn't mean that one any more.
      if (verdict === "outdated") continue;
      if (Date.now() - start > STEADY_MS) attempt = 0;
      await this.#rest(this.#settle(verdict, attempt));
      if (this.state.value.is !== "pairing") this.state.set({ is: "connecting" });
    }
  }

  /** Whether there is anything to show at the door. */
  get hasCredential(): boolean {
    return this.#options.credentials.current !== undefined;
  }

  /** Doesn't wait for the next attempt. */
  retry(): void {
    this.#wake();
  }

  signIn(credential: Credential): void {
    this.#options.credentials.use(credential);
    this.#wake();
  }

  /** Forgets the credential and asks for one. */
  signOut(): void {
    this.#options.credentials.forget();
    this.#client?.close(1000, "signed out");
    this.#wake();
  }

  async request<M extends MethodName>(method: M, params: ParamsOf<M>): Promise<ResultOf<M>> {
    if (this.#client === undefined) {
      throw new ConnectionError("closed", "There is no connection to the gateway");
    }
    // A message may be large and its way slow: it takes as long as the connection lasts.
    const options = method === "chat.send" ? {} : { timeoutMs: REQUEST_TIMEOUT_MS };
    return await this.#client.request(method, params, options);
  }

  /** One connection, from the attempt to its end. Resolves to what to make of that. */
  async #connect(
    shown: Credential | undefined,
    signal: AbortSignal,
  ): Promise<Verdict | "outdated"> {
    const { url, client, identity, credentials, onEvent, onGap, onHello } = this.#options;
    try {
      const connection = await GatewayClient.connect({
        url,
        client,
        identity,
        scopes: SCOPES,
        caps: ["tool-events"],
        auth: shown && { [shown.kind]: shown.secret },
        onEvent,
        onGap,
        signal,
      });
      const { hello } = connection;
      if (credentials.current !== shown) {
        connection.close(1000, "signed out");
        return "outdated";
      }
      const issued = hello.auth?.deviceToken;
      if (shown?.kind === "password" && issued !== undefined) {
        credentials.use({ kind: "deviceToken", secret: issued });
      }
      this.#client = connection;
      this.state.set({ is: "connected", hello });
      onHello(hello);
      await connection.closed;
      this.#client = undefined;
      return { then: "retry", why: "The connection was lost." };
    } catch (error) {
      if (credentials.current !== shown) return "outdated";
      if (!(error instanceof GatewayRefusal)) return { then: "retry", why: unreachable(error) };
      return judge(error, shown?.kind);
    }
  }

  /** Shows what came of an attempt; returns how long to wait for the next, or forever. */
  #settle(verdict: Verdict, attempt: number): number | undefined {
    switch (verdict.then) {
      case "ask": {
        const { secret, problem } = verdict;
        this.state.set({ is: "asking", secret, problem });
        return undefined;
      }
      case "pair": {
        const { requestId, why } = verdict;
        this.state.set({ is: "pairing", requestId, why });
        return PAIRING_POLL_MS;
      }
      case "stop": {
        const { title, why } = verdict;
        this.state.set({ is: "refused", title, why });
        return undefined;
      }
      case "retry": {
        const wait = Math.max(
          verdict.afterMs ?? 0,
          BACK_OFF_MS[Math.min(attempt, BACK_OFF_MS.length - 1)] ?? 0,
        ) * (1 + Math.random() / 4); // so that many pages don't come back at once
        this.state.set({ is: "waiting", why: verdict.why, retryAt: Date.now() + wait });
        return wait;
      }
    }
  }

  /** Resolves after the time, or when it is woken. */
  async #rest(ms: number | undefined): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = ms === undefined ? undefined : setTimeout(resolve, ms);
    this.#wake = resolve;
    await promise;
    clearTimeout(timer);
    this.#wake = () => {};
  }
}

function unreachable(error: unknown): string {
  const isSilent = error instanceof ConnectionError && error.kind === "timeout";
  return isSilent ? "The gateway doesn't answer." : "The gateway can't be reached.";
}
