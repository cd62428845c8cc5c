/** What went wrong, as it is told to people and to programs. */
import { ConnectionError, GatewayRefusal } from "../client/client.ts";
import { UsageError } from "./flags.ts";
import { printable } from "./text.ts";

/** A failure that was foreseen: its message is for the user, and its hint says what to do. */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly code: string;
  readonly details?: unknown;
  readonly hint?: string;

  constructor(
    code: string,
    message: string,
    { details, hint, cause }: { details?: unknown; hint?: string; cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.code = code;
    this.details = details;
    this.hint = hint;
  }
}

/** 2 for a command line that can't be meant, 1 for everything else. */
export function exitCodeOf(error: unknown): number {
  return error instanceof UsageError ? 2 : 1;
}

/** The failure as `--json` prints it. */
export function failureAsJson(error: unknown): {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly hint?: string;
    readonly details?: unknown;
  };
} {
  const { message } = asError(error);
  const hint = hintOf(error);
  return { error: { code: codeOf(error), message, hint, details: detailsOf(error) } };
}

/** One line, and a second one where there is something to do about it. */
export function failureAsText(error: unknown, red: (text: string) => string): string {
  const known = error instanceof Failure || error instanceof UsageError ||
    error instanceof GatewayRefusal || error instanceof ConnectionError || isOfSystem(error);
  const { message, stack } = asError(error);
  const hint = hintOf(error);
  // Some refusals of gateways begin with the word themselves.
  const lines = [`${red("error:")} ${printable(message.replace(/^Error: /, ""))}`];
  if (hint !== undefined) lines.push(`  ${printable(hint)}`);
  if (!known && stack !== undefined) lines.push(stack); // a bug: say where
  return `${lines.join("\n")}\n`;
}

function hintOf(error: unknown): string | undefined {
  return error instanceof Failure ? error.hint : undefined;
}

function codeOf(error: unknown): string {
  if (error instanceof Failure || error instanceof GatewayRefusal) return error.code;
  if (error instanceof UsageError) return "USAGE";
  if (error instanceof ConnectionError) return error.kind.toUpperCase();
  return "FAILED";
}

function detailsOf(error: unknown): unknown {
  return error instanceof Failure || error instanceof GatewayRefusal ? error.details : undefined;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

/** A file that can't be read, a disk that is full, an interrupt: not a bug of ours. */
function isOfSystem(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error.name === "AbortError" || /\(os error \d+\)/.test(error.message) ||
    Object.values(Deno.errors).some((kind) => error instanceof kind);
}
