/**
 * A process that owns a store, for tests that kill it: `owner.ts <path> <umask> hold|append`.
 * It prints `open` or why not, then holds the store until its input ends, or appends pairs of
 * entries and prints the seq of each pair once it was told that the pair is on disk.
 */
import { openStore, StoreBusyError } from "../sqlite.ts";

const [path = "", umask = "77", task] = Deno.args;
Deno.umask(parseInt(umask, 8));
try {
  using store = openStore(path, {
    holder: { pid: Deno.pid, startedAt: 0, url: "ws://127.0.0.1:18789" },
  });
  print("open");
  if (task === "append") {
    const content = "words ".repeat(2000); // the log is moved into the file every hundred pairs or so
    for (let pair = 0; pair < 20_000; pair++) {
      const { seq } = store.transaction(() => {
        const message = { role: "user", content, timestamp: pair } as const;
        store.transcripts.append("s", { kind: "message", at: pair, message });
        return store.transcripts.append("s", { kind: "message", at: pair, message });
      });
      print(String(seq));
    }
  } else {
    for await (const _ of Deno.stdin.readable);
  }
} catch (error) {
  if (!(error instanceof StoreBusyError)) throw error;
  print(error.message);
}

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
