/** Mends what can be mended without a person: nobody but strangers is kept out by it. */
import type { Call } from "../command.ts";
import { close, octal } from "../private_files.ts";
import { type Finding, type Mend, remedy, type Step, stepText } from "./finding.ts";

/**
 * Resolves to what was done, as command lines. What the system or the file does not allow is told on
 * standard error, and left.
 */
export async function mendAll(
  findings: readonly Finding[],
  call: Call,
): Promise<readonly string[]> {
  const done: string[] = [];
  for (const { mend } of findings) {
    if (mend === undefined) continue;
    try {
      for await (const line of carryOut(mend, call)) done.push(line);
    } catch (error) {
      const reason = error instanceof Error ? error.message : error;
      call.io.err(
        `${call.paint.yellow("warning:")} Cannot mend by \`${remedy(mend)}\`: ${reason}\n`,
      );
    }
  }
  return done;
}

/** Does it, and gives each step when it is done. */
async function* carryOut(mend: Mend, call: Call): AsyncIterable<string> {
  if (mend.by === "chmod") {
    for (const loose of mend.loose) {
      await close(loose);
      yield `chmod ${octal(loose.wanted)} ${loose.path} (was ${octal(loose.mode)})`;
    }
  } else if (mend.by === "config") {
    for (const step of mend.steps) {
      await configure(call, step);
      yield stepText(step);
    }
  }
}

/** Runs `openclaw config …`, which checks the whole file and keeps the one before. */
async function configure(call: Call, { path, value }: Step): Promise<void> {
  const { default: { commands } } = await import("../config.ts"); // takes the schema's library with it
  const io = { ...call.io, out: () => {} }; // what was done is told by who asked for it
  const [name, words] = value === undefined
    ? ["unset", [path]] as const
    : ["set", [path, value]] as const;
  await commands[name].run({ ...call, io, words, flags: { text: false } });
}
