/** What one can type after a slash. */
import type { CommandEntry } from "../../schemas/chat.ts";

/** As many as fit above the message. */
const MOST = 8;

/** The commands that a text may be the beginning of: those whose name starts with it come first. */
export function matchingCommands(
  text: string,
  commands: readonly CommandEntry[],
): readonly CommandEntry[] {
  const typed = /^\/(\S*)$/.exec(text)?.[1]?.toLowerCase();
  if (typed === undefined) return [];
  const rank = ({ name, textAliases, description }: CommandEntry) => {
    if (name.startsWith(typed)) return 0;
    if (textAliases.some((alias) => alias.startsWith(`/${typed}`))) return 1;
    return typed.length > 2 && description.toLowerCase().includes(typed) ? 2 : 3;
  };
  return commands.map((command) => ({ command, rank: rank(command) }))
    .filter(({ rank }) => rank < 3)
    .toSorted((a, b) => a.rank - b.rank)
    .slice(0, MOST)
    .map(({ command }) => command);
}
