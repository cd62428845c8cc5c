/** What a command is: its words and flags, what the help says of it, and what it does. */
import type { Flags, ValuesOf } from "./flags.ts";
import type { Io } from "./io.ts";
import type { Env, Paths } from "./paths.ts";
import type { Paint } from "./paint.ts";

/** Flags that every command takes. */
export const GLOBAL_FLAGS = {
  json: { kind: "switch", about: "Print JSON, errors too" },
  profile: { kind: "text", value: "name", about: "Use the state folder ~/.openclaw-<name>" },
  dev: { kind: "switch", about: "Use the state folder ~/.openclaw-dev and port 19001" },
  "no-color": { kind: "switch", about: "Print without colours, as NO_COLOR does" },
  help: { kind: "switch", short: "h", about: "Print this help" },
  version: { kind: "switch", short: "V", about: "Print the version" },
} as const satisfies Flags;

/** Flags of commands that talk to a gateway. */
export const CONNECTION_FLAGS = {
  url: {
    kind: "text",
    value: "url",
    about: "The gateway's address; then only --token and --password are used as credentials",
  },
  token: { kind: "text", value: "secret", about: "The gateway's token" },
  password: { kind: "text", value: "secret", about: "The gateway's password" },
  "token-file": { kind: "text", value: "file", about: "The file with the gateway's token" },
  "password-file": { kind: "text", value: "file", about: "The file with the gateway's password" },
  "tls-fingerprint": {
    kind: "text",
    value: "sha256",
    about: "The gateway's certificate, as it prints it; no other is accepted",
  },
  timeout: { kind: "number", value: "ms", min: 1, about: "How long to wait for it (10000)" },
} as const satisfies Flags;

/** One use of a command. */
export interface Call<F extends Flags = Flags> {
  readonly flags: ValuesOf<F>;
  /** What the command line has besides flags; as many as the command declares. */
  readonly words: readonly string[];
  readonly json: boolean;
  readonly globals: ValuesOf<typeof GLOBAL_FLAGS>;
  /** Empty for a command that does not talk to a gateway. */
  readonly connection: Partial<ValuesOf<typeof CONNECTION_FLAGS>>;
  readonly io: Io;
  /** The process's environment over that of `<stateDir>/.env`. */
  readonly env: Env;
  readonly paths: Paths;
  readonly paint: Paint;
}

/** A word of the command line, for the help. */
export interface Word {
  readonly name: string;
  readonly optional?: boolean;
  /** Takes all words that are left. */
  readonly many?: boolean;
}

export interface Command<F extends Flags = Flags> {
  readonly about: string;
  /** More for the help, below the first line. */
  readonly details?: string;
  readonly words?: readonly Word[];
  readonly flags: F;
  /** Takes the flags with which a gateway is reached. */
  readonly connects: boolean;
  /** Command lines, each with what it is good for. */
  readonly examples: readonly (readonly [line: string, purpose: string])[];
  /** Resolves to the exit code; rejects with what is to be reported. */
  run(call: Call<F>): Promise<number>;
}

/** Commands under one name. */
export interface Group {
  readonly about: string;
  readonly commands: Readonly<Record<string, Command>>;
  /** The one that runs when none is named. */
  readonly usual: string;
}

/** Ties the flags of a command to the type of what it gets. */
export function command<const F extends Flags>(spec: Command<F>): Command {
  return spec;
}
