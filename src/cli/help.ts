/** The help texts, made from the same declarations that read the command line. */
import { type Command, CONNECTION_FLAGS, GLOBAL_FLAGS, type Group, type Word } from "./command.ts";
import type { Flags } from "./flags.ts";
import type { Paint } from "./paint.ts";

const PROGRAM = "openclaw";

/** `openclaw --help`. */
export function programHelp(
  commands: Readonly<Record<string, { readonly about: string }>>,
  paint: Paint,
): string {
  return [
    `${paint.bold(PROGRAM)}: a messaging gateway, and the commands that steer it\n`,
    section("Usage", [`${PROGRAM} <command> [flags]`], paint),
    section("Commands", listed(commands), paint),
    section("Flags", flagLines(GLOBAL_FLAGS), paint),
    section(
      "Examples",
      exampleLines([
        [`${PROGRAM} gateway`, "run the gateway in the foreground"],
        [`${PROGRAM} status`, "see how it is"],
        [`${PROGRAM} agent --message "What is on my list today?"`, "ask the agent"],
        [`${PROGRAM} <command> --help`, "read more about a command"],
      ]),
      paint,
    ),
  ].join("\n");
}

/** `openclaw devices --help`. */
export function groupHelp(name: string, { about, commands, usual }: Group, paint: Paint): string {
  const { examples: first = [], flags = {} } = commands[usual] ?? {};
  return [
    `${paint.bold(`${PROGRAM} ${name}`)}: ${lowerFirst(about)}\n`,
    section("Usage", [`${PROGRAM} ${name} [command] [flags]`], paint),
    section("Commands", listed(commands, usual), paint),
    ...(Object.keys(flags).length === 0
      ? []
      : [section(`Flags of ${usual}`, flagLines(flags), paint)]),
    section(
      "Examples",
      exampleLines([
        ...first,
        ...Object.entries(commands).filter(([key]) => key !== usual)
          .flatMap(([, command]) => command.examples.slice(0, 1)),
        [`${PROGRAM} ${name} <command> --help`, "read more about one of them"],
      ]),
      paint,
    ),
  ].join("\n");
}

/** `openclaw devices approve --help`. */
export function commandHelp(name: string, command: Command, paint: Paint): string {
  const { about, details, words = [], flags, connects, examples } = command;
  const usage = [PROGRAM, name, ...words.map(wordText), "[flags]"].join(" ");
  return [
    `${paint.bold(`${PROGRAM} ${name}`)}: ${lowerFirst(about)}\n`,
    ...(details === undefined ? [] : [`${details}\n`]),
    section("Usage", [usage], paint),
    ...(Object.keys(flags).length === 0 ? [] : [section("Flags", flagLines(flags), paint)]),
    ...(connects
      ? [section("Connection", flagLines(without(CONNECTION_FLAGS, flags)), paint)]
      : []),
    section("Everywhere", flagLines(without(GLOBAL_FLAGS, flags)), paint),
    section("Examples", exampleLines(examples), paint),
  ].join("\n");
}

/** How a word stands in a usage line. */
export function wordText({ name, optional = false, many = false }: Word): string {
  const text = many ? `${name}…` : name;
  return optional ? `[${text}]` : `<${text}>`;
}

function section(title: string, lines: readonly string[], paint: Paint): string {
  return `${paint.bold(title)}\n${lines.map((line) => `  ${line}\n`).join("")}`;
}

function listed(
  commands: Readonly<Record<string, { readonly about: string }>>,
  usual?: string,
): readonly string[] {
  return aligned(
    Object.entries(commands).map(([name, { about }]) =>
      [name, name === usual ? `${about} (when none is named)` : about] as const
    ),
  );
}

function flagLines(flags: Flags): readonly string[] {
  return aligned(
    Object.entries(flags).map(([name, flag]) => {
      const short = flag.short === undefined ? "" : `-${flag.short}, `;
      const value = flag.kind === "switch" ? "" : ` <${flag.value}>`;
      const choice = flag.kind === "text" && flag.oneOf !== undefined
        ? `: ${flag.oneOf.join(", ")}`
        : "";
      return [`${short}--${name}${value}`, `${flag.about}${choice}`] as const;
    }),
  );
}

function exampleLines(
  examples: readonly (readonly [line: string, purpose: string])[],
): readonly string[] {
  return aligned(examples.map(([line, purpose]) => [line, `# ${purpose}`] as const));
}

function aligned(pairs: readonly (readonly [string, string])[]): readonly string[] {
  const width = Math.max(...pairs.map(([left]) => left.length));
  return pairs.map(([left, right]) => `${left.padEnd(width)}  ${right}`);
}

function without(flags: Flags, others: Flags): Flags {
  return Object.fromEntries(Object.entries(flags).filter(([name]) => !Object.hasOwn(others, name)));
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
