import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { placeOf } from "../../tests/fakes/channel.ts";
import { RecordedLog } from "../../tests/kernel.ts";
import type { Receipt } from "../message.ts";
import type { Delivery } from "../store.ts";
import { Preview, type PreviewParts } from "./preview.ts";

const SENT: Receipt = { sent: true, messageIds: ["m1"] };
const REJECTED: Receipt = { sent: false, reason: "rejected", detail: "it is not there" };
const LOST: Receipt = { sent: false, reason: "network", detail: "no line" };
const UNKNOWN: Receipt = { sent: false, reason: "unknown", detail: "the line broke" };
const limited = (retryAfterMs?: number): Receipt => ({
  sent: false,
  reason: "rate_limited",
  detail: "slow down",
  ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
});

/** A preview, and an outbox that sends at once and edits as it is told. */
class World implements Disposable {
  readonly log = new RecordedLog();
  readonly sent: string[] = [];
  readonly edits: string[] = [];
  /** What the next edits come to; they succeed when there are no more. */
  readonly receipts: (Receipt | undefined | Promise<Receipt>)[] = [];
  readonly preview: Preview;
  state: Delivery["state"] = "sent";
  #changed = Promise.withResolvers<void>();

  constructor(parts: Partial<PreviewParts> = {}) {
    this.preview = new Preview({
      outbox: {
        ended: (id) => Promise.resolve(deliveryOf(id, this.state)),
        revise: async (_id, text) => {
          this.edits.push(text);
          this.#changed.resolve();
          return this.receipts.length > 0 ? await this.receipts.shift() : SENT;
        },
      },
      log: this.log,
      everyMs: 1,
      shown: (text) => text.trim(),
      send: (text) => {
        this.sent.push(text);
        this.#changed.resolve();
        return "p1";
      },
      ...parts,
    });
  }

  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      await this.#changed.promise;
      this.#changed = Promise.withResolvers();
    }
  }

  /** Resolves when so many were tried. */
  edited(count: number): Promise<void> {
    return this.until(() => this.edits.length >= count);
  }

  [Symbol.dispose](): void {
    this.preview[Symbol.dispose]();
  }
}

/** Resolves when another preview, begun now, has been edited so often: time has passed for all. */
async function aWhile(edits = 5): Promise<void> {
  using world = new World();
  for (let i = 0; i < edits; i++) {
    world.preview.write(`This is enough to be shown: ${i}`);
    await world.edited(i);
  }
}

Deno.test("a text is shown once it is long enough, or has a sentence", async () => {
  for (
    const [short, enough] of [
      ["one two three four ", "one two three four five"],
      ["Yes", "Yes. "],
      ["Oh", "Oh!\n"],
      ["好的", "好的。"],
      ["3.1", "3.14159265358979323846"],
    ] as const
  ) {
    using world = new World();
    world.preview.write(short);
    await aWhile();
    deepStrictEqual([world.sent, world.preview.stands], [[], false], short);
    world.preview.write(enough);
    await world.until(() => world.sent.length > 0);
    deepStrictEqual(world.sent, [enough.trim()]);
  }
});

Deno.test("what is written meanwhile is shown together, one edit at a time", async () => {
  using world = new World();
  const gate = Promise.withResolvers<Receipt>();
  world.receipts.push(gate.promise);
  world.preview.write("This is enough to be shown");
  await world.until(() => world.sent.length > 0);
  world.preview.write("This is enough to be shown: 1");
  await world.edited(1);
  ok(world.preview.stands);
  for (const word of ["2", "3", "4"]) world.preview.write(`This is enough to be shown: ${word}`);
  await aWhile();
  strictEqual(world.edits.length, 1);
  gate.resolve(SENT);
  await world.edited(2);
  deepStrictEqual(world.edits.map((text) => text.at(-1)), ["1", "4"]);
});

Deno.test("a text that looks the same is not shown again", async () => {
  using world = new World({ shown: (text) => text.slice(0, 30) });
  const text = "This is enough, and all of it is";
  for (const more of ["", " not", " not shown"]) {
    world.preview.write(text + more);
    await world.until(() => world.sent.length > 0);
    await aWhile();
  }
  deepStrictEqual([world.sent, world.edits], [[text.slice(0, 30)], []]);
});

/** What the network says to one edit after the other, and how many are tried when the text goes on. */
const ANSWERS: readonly (readonly [string, readonly (Receipt | undefined)[], number])[] = [
  ["all is well", [SENT, SENT], 5],
  ["slow down, and then it is well", [limited(2), SENT], 5],
  ["slow down, without saying how much", [limited(), limited(), SENT], 5],
  ["slow down, again and again", [limited(2), limited(2), limited(2)], 3],
  ["slow down for a very long time", [limited(600_000)], 1],
  ["slow down between others", [limited(1), SENT, limited(1), SENT], 6],
  ["the chat has something else to do", [undefined, undefined, undefined, undefined], 6],
  ["the network is away", [LOST, UNKNOWN, LOST], 3],
  ["the network is away for a moment", [LOST, UNKNOWN, SENT, LOST], 6],
  ["the message is gone", [SENT, REJECTED], 2],
];

for (const [what, receipts, tries] of ANSWERS) {
  Deno.test(`edits go on, or are given up without a word: ${what}`, async () => {
    using world = new World();
    world.receipts.push(...receipts);
    const text = "This is enough to be shown";
    world.preview.write(text);
    await world.until(() => world.sent.length > 0);
    const isGivenUp = tries <= receipts.length;
    let words = 0;
    for (let round = 0; round < 200 && world.edits.length < tries; round++) {
      world.preview.write(`${text} ${++words}`);
      await aWhile(2);
    }
    if (isGivenUp) {
      world.preview.write(`${text} for ever`);
      await aWhile(20);
    }
    strictEqual(world.edits.length >= tries, true);
    if (isGivenUp) strictEqual(world.edits.length, tries);
    deepStrictEqual([world.sent.length, world.log.lines], [1, []]);
  });
}

Deno.test("after a failure it is the newest text that is shown", async () => {
  using world = new World();
  world.receipts.push(limited(1));
  world.preview.write("This is enough to be shown");
  await world.until(() => world.sent.length > 0);
  world.preview.write("This is enough to be shown again");
  await world.edited(2);
  deepStrictEqual(new Set(world.edits), new Set(["This is enough to be shown again"]));
});

Deno.test("a preview that does not come to be is not edited", async () => {
  for (const state of ["unknown", "dead"] as const) {
    using world = new World();
    world.state = state;
    world.preview.write("This is enough to be shown");
    await world.until(() => world.sent.length > 0);
    world.preview.write("This is enough to be shown again");
    await aWhile();
    deepStrictEqual([world.preview.stands, world.edits], [false, []]);
  }
});

Deno.test("what an earlier process has sent is edited, whatever it shows", async () => {
  using world = new World({ id: "p0" });
  world.preview.write("This is enough to be shown");
  await world.edited(1);
  deepStrictEqual([world.sent, world.edits], [[], ["This is enough to be shown"]]);
});

Deno.test("nothing is shown after the end", async () => {
  const begun = new World();
  using other = new World();
  begun.preview.write("This is enough to be shown");
  await begun.until(() => begun.sent.length > 0);
  for (const { preview } of [begun, other]) {
    preview[Symbol.dispose]();
    preview.write("This is enough to be shown again");
  }
  await aWhile();
  deepStrictEqual([begun.edits, other.sent], [[], []]);
});

function deliveryOf(id: string, state: Delivery["state"]): Delivery {
  const message = { id, place: placeOf("ada"), text: "" };
  return { id, seq: 1, lane: "", message, state, acceptedAt: 0, expiresAt: 1, attempts: 1 };
}
