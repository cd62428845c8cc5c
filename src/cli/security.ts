/** `openclaw security`: what is not as it should be, and what was allowed and refused. */
import { answer } from "./answer.ts";
import { type Call, command, type Group } from "./command.ts";
import { examine } from "./security/examine.ts";
import { bySeverity, type Finding, remedy, type Severity } from "./security/finding.ts";
import { mendAll } from "./security/mend.ts";
import { AuditRecord, isRefusal, lineText } from "./security/record.ts";
import { oneLine, printableJson, wrap } from "./text.ts";

/** What `openclaw security audit --json` prints: the shape that the released program has, and more. */
interface Report {
  readonly ts: number;
  readonly summary: Readonly<Record<Severity, number>>;
  readonly findings: readonly Told[];
  /** What `--fix` changed, as command lines. */
  readonly fixed: readonly string[];
}

type Told = Omit<Finding, "mend"> & { readonly remediation?: string };

const audit = command({
  about: "Look for what would let others in, and say how to mend it",
  details:
    "Reads the configuration and the state folder, and asks the gateway for its devices if one\n" +
    "runs. Exits with 1 if something critical is left.",
  flags: {
    fix: {
      kind: "switch",
      about: "Mend what keeps out nobody but strangers: file modes, open policies, unsafe switches",
    },
    deep: { kind: "switch", about: "Try the running gateway's doors too, as a stranger would" },
  },
  connects: true,
  examples: [
    ["openclaw security audit", "is everything as it should be?"],
    ["openclaw security audit --fix", "close what can be closed safely"],
    ["openclaw security audit --json | jq '.findings[].checkId'", "for a program"],
  ],
  async run(call) {
    const found = await examine(call, { deep: call.flags.deep });
    const fixed = call.flags.fix ? await mendAll(found, call) : [];
    const left = fixed.length > 0 ? await examine(call, { deep: call.flags.deep }) : found;
    const report = reportOn(left.toSorted(bySeverity), { fixed, now: call.io.now() });
    answer(call, report, (report) => show(report, call));
    return report.summary.critical > 0 ? 1 : 0;
  },
});

const log = command({
  about: "Read who was let in or refused, and what they did",
  details:
    "Reads the file on this machine; no gateway needs to run. With --json each line is printed as\n" +
    "it was written, a JSON object. What was alike in a few minutes is one line with a count.",
  flags: {
    limit: {
      kind: "number",
      value: "count",
      min: 1,
      max: 100_000,
      about: "The newest lines (200)",
    },
    follow: { kind: "switch", short: "f", about: "Go on with lines as they are written" },
    refused: { kind: "switch", about: "Only what was refused" },
    utc: { kind: "switch", about: "Print times in UTC, not in this machine's zone" },
  },
  connects: false,
  examples: [
    ["openclaw security log", "what happened lately?"],
    ["openclaw security log --refused --follow", "watch who is turned away"],
    ["openclaw security log --json | jq 'select(.action==\"config.set\")'", "look for one thing"],
  ],
  async run(call) {
    const { stateDir } = call.paths;
    const { limit = 200, follow, refused, utc } = call.flags;
    const fits = refused ? isRefusal : () => true;
    const text = (line: string) =>
      call.json ? printableJson(line) : lineText(line, { paint: call.paint, utc });
    const print = (lines: readonly string[]) =>
      call.io.out(lines.map((line) => `${text(line)}\n`).join(""));
    const record = new AuditRecord(stateDir);
    print(await record.newest(limit, fits));
    if (!follow) return 0;
    using interrupt = call.io.interrupt();
    for await (const lines of record.follow(interrupt.signal)) print(lines.filter(fits));
    return 0;
  },
});

export default {
  about: "Find what would let others in, and read who came",
  usual: "audit",
  commands: { audit, log },
} satisfies Group;

function reportOn(
  findings: readonly Finding[],
  { fixed, now }: { fixed: readonly string[]; now: number },
): Report {
  const count = (severity: Severity) =>
    findings.filter((finding) => finding.severity === severity).length;
  return {
    ts: now,
    summary: { critical: count("critical"), warn: count("warn"), info: count("info") },
    findings: findings.map(({ mend, ...finding }) => ({
      ...finding,
      ...(mend === undefined ? {} : { remediation: remedy(mend) }),
    })),
    fixed,
  };
}

function show(
  { summary, findings, fixed }: Report,
  { paint, io }: Pick<Call, "paint" | "io">,
): string {
  const { critical, warn, info } = summary;
  const marks = { critical: paint.red, warn: paint.yellow, info: paint.dim };
  const width = Math.min(io.columns(), 110) - INDENT.length;
  const told = findings.map(({ checkId, severity, title, detail, remediation }) =>
    [
      `${marks[severity](severity.padEnd(8))}  ${paint.bold(oneLine(title))}  ${
        paint.dim(checkId)
      }`,
      ...wrap(oneLine(detail), width).map((line) => INDENT + line),
      ...(remediation === undefined ? [] : [`${INDENT}→ ${paint.cyan(oneLine(remediation))}`]),
    ].map((line) => `${line}\n`).join("")
  );
  const done = fixed.length === 0
    ? ""
    : `${paint.green("Mended")}\n${fixed.map((line) => `  ${oneLine(line)}\n`).join("")}`;
  const sum = `${critical} critical, ${warn} to look at, ${info} to know\n`;
  return [done, ...told, sum].filter((text) => text !== "").join("\n");
}

/** Under the severity. */
const INDENT = " ".repeat(10);
