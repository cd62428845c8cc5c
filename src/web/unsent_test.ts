import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { stopClock } from "../../tests/clock.ts";
import type { Outgoing } from "./conversation.ts";
import { MemoryKeep } from "./keep.ts";
import { UnsentMessages } from "./unsent.ts";

const KEY = "agent:main:main";
const message = (key: string, change: Partial<Outgoing> = {}): Outgoing => ({
  key,
  text: `text of ${key}`,
  pictures: [],
  at: Date.now(),
  state: "sending",
  ...change,
});

Deno.test("what has not arrived is found by the next page, in its order", () => {
  const keep = new MemoryKeep();
  const page = new UnsentMessages(keep);
  const [a, b, c] = [message("a"), message("b"), message("c", { state: "sent" })];
  page.update(KEY, [a, b, c]);
  page.update("agent:main:other", [message("d")]);
  deepStrictEqual(left(keep), [[KEY, "a"], [KEY, "b"], ["agent:main:other", "d"]]);
  page.update(KEY, [{ ...a, state: "sent" }, b]);
  deepStrictEqual(left(keep), [["agent:main:other", "d"], [KEY, "b"]]);
  const next = new UnsentMessages(keep);
  const [, found] = next.take();
  deepStrictEqual(found, { conversation: KEY, message: b });
  next.update(KEY, []);
  next.update("agent:main:other", []);
  strictEqual(keep.values.size, 0);
});

Deno.test("pages of one browser leave each other's messages alone", () => {
  const keep = new MemoryKeep();
  const [one, other] = [new UnsentMessages(keep), new UnsentMessages(keep)];
  one.update(KEY, [message("a")]);
  other.update(KEY, [message("b")]);
  one.update(KEY, []);
  deepStrictEqual(left(keep), [[KEY, "b"]]);
});

Deno.test("a message moves with its conversation", () => {
  const keep = new MemoryKeep();
  const page = new UnsentMessages(keep);
  page.update("main", [message("a")]);
  page.update(KEY, [message("a")]);
  deepStrictEqual(left(keep), [[KEY, "a"]]);
});

Deno.test("what can't be sent as it was meant waits for a word", () => {
  using clock = stopClock("Date");
  const keep = new MemoryKeep();
  const pictures = [{ name: "a.png", src: "data:image/png;base64,QUI=" }];
  new UnsentMessages(keep).update(KEY, [
    message("picture", { pictures }),
    message("refused", { state: "failed", problem: "too long" }),
    message("old"),
  ]);
  clock.tick(13 * 60 * 60_000);
  deepStrictEqual(
    new UnsentMessages(keep).take().map(({ message }) => [message.state, message.problem]),
    [
      ["failed", "the page was closed before, and its files are lost"],
      ["failed", "too long"],
      ["failed", "the gateway was away for too long"],
    ],
  );
});

Deno.test("there is an end to what is kept, and a full browser is no fault", () => {
  const keep = new MemoryKeep();
  const page = new UnsentMessages(keep);
  page.update(KEY, [message("a")]);
  page.update(KEY, [message("a"), message("b", { text: "x".repeat(600_000) })]);
  deepStrictEqual(left(keep), [[KEY, "a"]]);
  keep.setItem = () => {
    throw new DOMException("full", "QuotaExceededError");
  };
  page.update(KEY, [message("a"), message("c")]);
  page.clear();
  strictEqual(keep.values.size, 0);
  keep.values.set("openclaw.unsent", '[{"key":1}, 2]');
  deepStrictEqual(left(keep), []);
  keep.values.set("openclaw.unsent", "nonsense");
  deepStrictEqual(left(keep), []);
});

Deno.test("what is given up stays given up, whatever there is no room for", () => {
  const keep = new MemoryKeep();
  const page = new UnsentMessages(keep);
  const large = message("large", { text: "x".repeat(600_000) });
  page.update(KEY, [message("a"), message("b"), large]);
  page.update(KEY, [message("b"), large, message("c")]);
  deepStrictEqual(left(keep), [[KEY, "b"], [KEY, "c"]]);
});

function left(keep: MemoryKeep) {
  return new UnsentMessages(keep).take().map(({ conversation, message }) =>
    [conversation, message.key] as const
  );
}
