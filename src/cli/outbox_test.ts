import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { FakeGateway } from "../client/fake_gateway.ts";
import { run } from "./cli.ts";
import { FakeIo } from "./fake_io.ts";

const NOW = 1_000_000_000_000;
const entry = (id: string, state: string, error?: string) => ({
  id,
  kind: "message",
  state,
  channel: "tg",
  accountId: "default",
  chatId: "7",
  text: `text of ${id}`,
  hasAttachment: false,
  acceptedAt: NOW - 60_000,
  expiresAt: NOW,
  attempts: 1,
  error,
});
const ENTRIES = [
  entry("aaaa1111-0", "dead", "too rude"),
  entry("aaaa2222-0", "unknown", "line cut"),
  entry("bbbb3333-0", "dead"),
];

/** Runs a command line against a gateway with these messages. */
async function ask(
  argv: readonly string[],
  entries: readonly { readonly state: string }[] = ENTRIES,
) {
  const same = ({ ids }: { ids: readonly string[] }) => ({
    entries: ids.map((id) => entry(id, "")),
  });
  await using gateway = new FakeGateway({
    answers: {
      "outbox.list": ({ states, limit = 100 }: { states?: string[]; limit?: number }) => ({
        ts: NOW,
        entries: entries.filter(({ state }) => states?.includes(state) ?? true).slice(0, limit),
        counts: { accepted: 0, dead: 2, unknown: 1 },
      }),
      "outbox.retry": same,
      "outbox.drop": same,
    },
  });
  const io = new FakeIo({ env: { OPENCLAW_STATE_DIR: "/nowhere" }, now: NOW });
  const code = await run(["outbox", ...argv, "--url", gateway.url, "--token", "t"], io);
  return { code, stdout: io.stdout, stderr: io.stderr, last: gateway.requests.at(-1) };
}

Deno.test("outbox lists what was not sent, and why", async () => {
  const { code, stdout } = await ask([]);
  strictEqual(code, 0);
  strictEqual(
    stdout,
    "ID        STATE    ACCOUNT     CHAT  SINCE   TEXT                ERROR\n" +
      "aaaa1111  dead     tg/default  7     1m ago  text of aaaa1111-0  too rude\n" +
      "aaaa2222  unknown  tg/default  7     1m ago  text of aaaa2222-0  line cut\n" +
      "bbbb3333  dead     tg/default  7     1m ago  text of bbbb3333-0\n" +
      "\n2 dead, 1 unknown\n",
  );
  strictEqual((await ask([], [])).stdout, "Nothing waits, and nothing was given up\n");
  const { last } = await ask(["list", "--state", "unknown", "--channel", "tg", "--limit", "5"]);
  deepStrictEqual(last?.params, { states: ["unknown"], channel: "tg", limit: 5 });
});

Deno.test("outbox says that there may be more than it shows or sends", async () => {
  match((await ask(["list", "--limit", "2"])).stdout, /\nThe newest 2 are shown\n$/);
  const dead = Array.from({ length: 1001 }, (_, i) => entry(`dead-${i}`, "dead"));
  const { stdout } = await ask(["retry", "--dead"], dead);
  strictEqual(stdout, "Sending 1000 messages again\nThere may be more: do it again\n");
});

Deno.test("a preview is shown as such, and is no message to send again", async () => {
  const preview = { ...entry("cccc4444-0", "unknown"), kind: "preview", text: "One tw" };
  const dead = { ...entry("dddd5555-0", "dead"), kind: "preview" };
  const { stdout } = await ask([], [preview]);
  match(stdout, /^cccc4444 {2}unknown .* \(preview\) One tw$/m);
  const { last } = await ask(["retry", "--dead"], [...ENTRIES, preview, dead]);
  deepStrictEqual(last?.params, { ids: ["aaaa1111-0", "bbbb3333-0"] });
});

Deno.test("messages are named by the beginning of their ids", async () => {
  const { stdout, last } = await ask(["retry", "aaaa1", "bbbb3333-0"]);
  strictEqual(stdout, "Sending 2 messages again\n");
  deepStrictEqual(last, { method: "outbox.retry", params: { ids: ["aaaa1111-0", "bbbb3333-0"] } });
  const all = await ask(["drop", "--dead"]);
  strictEqual(all.stdout, "Dropped 2 messages\n");
  deepStrictEqual(all.last?.params, { ids: ["aaaa1111-0", "bbbb3333-0"] });
});

Deno.test("all that are dead are found behind any number that wait", async () => {
  const waiting = Array.from({ length: 1_000 }, (_, i) => entry(`w${i}`, "accepted"));
  const { last } = await ask(["retry", "--dead"], [...waiting, entry("dead-1", "dead")]);
  deepStrictEqual(last, { method: "outbox.retry", params: { ids: ["dead-1"] } });
});

Deno.test("ids that name none, or several, are refused", async () => {
  for (
    const [argv, code, why] of [
      [["retry"], 2, /Say which messages/],
      [["drop", "aaaa1", "--dead"], 2, /Say which messages, or --dead/],
      [["retry", "aaa"], 1, /No message in the outbox has the id 'aaa'/],
      [["drop", "aaaa"], 1, /'aaaa' is the beginning of 2 ids/],
    ] as const
  ) {
    const result = await ask(argv);
    strictEqual(result.code, code);
    match(result.stderr, why);
  }
  const none = await ask(["retry", "--dead"], []);
  match(none.stderr, /No message is dead/);
});
