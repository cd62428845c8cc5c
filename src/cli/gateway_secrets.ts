/** The gateway's own token and password, wherever the owner keeps them. */
import type { Log } from "../log.ts";
import { textAt } from "./config_file.ts";
import { UsageError } from "./flags.ts";
import type { Env } from "./paths.ts";
import { SecretFile } from "./secret_file.ts";
import type { ServeFlags } from "./serve_flags.ts";

/** The names that systemd's `LoadCredential=` gives them. */
export const CREDENTIALS = { token: "gateway-token", password: "gateway-password" } as const;

type Kind = keyof typeof CREDENTIALS;
const KINDS = ["token", "password"] as const satisfies readonly Kind[];

/**
 * In the order in which they count: the flags, files named by flags, credentials of systemd, the
 * configuration, the environment.
 */
export class GatewaySecrets implements Disposable {
  readonly #flags: ServeFlags;
  readonly #files: ReadonlyMap<Kind, SecretFile>;
  #hangup: (() => void) | undefined;

  private constructor(flags: ServeFlags, files: ReadonlyMap<Kind, SecretFile>) {
    this.#flags = flags;
    this.#files = files;
  }

  /** Rejects with a `Failure` for a file that holds no secret. */
  static async open(flags: ServeFlags, log: Log): Promise<GatewaySecrets> {
    const files = new Map<Kind, SecretFile>();
    for (const kind of KINDS) {
      if (flags[kind] === "") throw new UsageError(`--${kind} is empty: leave it, or give one`);
      const named = flags[`${kind}File`];
      if (named !== undefined && flags[kind] !== undefined) {
        throw new UsageError(`--${kind} and --${kind}-file name two secrets: use one of them`);
      }
      if (flags[kind] !== undefined) continue;
      const path = named ?? await credential(flags.env, kind);
      if (path !== undefined) files.set(kind, SecretFile.open(path, log));
    }
    return new GatewaySecrets(flags, files);
  }

  /** Throws a `Failure` where the configuration takes one from a variable that is not set. */
  read(config: unknown): { readonly token?: string; readonly password?: string } {
    const { env } = this.#flags;
    return {
      token: this.#given("token") ?? textAt(config, env, "gateway", "auth", "token") ??
        env.OPENCLAW_GATEWAY_TOKEN,
      password: this.#given("password") ?? textAt(config, env, "gateway", "auth", "password") ??
        env.OPENCLAW_GATEWAY_PASSWORD,
    };
  }

  /** What was said at the start, and goes before the configuration. */
  get given(): { readonly token?: string; readonly password?: string } {
    return { token: this.#given("token"), password: this.#given("password") };
  }

  /**
   * Follows the files until disposed of: they are read again when they change, and at SIGHUP where
   * nobody's terminal can send it. `changed` is called when there is another secret in one.
   */
  watch(changed: () => void): void {
    for (const file of this.#files.values()) file.watch(changed);
    if (this.#files.size === 0 || Deno.build.os === "windows" || Deno.stderr.isTerminal()) return;
    this.#hangup = () => {
      const read = [...this.#files.values()].map((file) => file.reread());
      if (read.includes(true)) changed();
    };
    Deno.addSignalListener("SIGHUP", this.#hangup);
  }

  [Symbol.dispose](): void {
    for (const file of this.#files.values()) file[Symbol.dispose]();
    if (this.#hangup !== undefined) Deno.removeSignalListener("SIGHUP", this.#hangup);
  }

  #given(kind: Kind): string | undefined {
    return this.#flags[kind] ?? this.#files.get(kind)?.secret;
  }
}

/** The file of a credential that the service manager hands over; `undefined` where it does not. */
async function credential(
  { CREDENTIALS_DIRECTORY: folder }: Env,
  kind: Kind,
): Promise<string | undefined> {
  if (!folder) return undefined;
  const path = `${folder}/${CREDENTIALS[kind]}`;
  try {
    await Deno.stat(path);
    return path;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
