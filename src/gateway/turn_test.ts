import { deepStrictEqual, strictEqual } from "node:assert/strict";
import type { InboundMessage } from "../message.ts";
import type { StoredInbound } from "../store.ts";
import { ALBUM_MS, nextTurn } from "./turn.ts";

type Said = Extract<InboundMessage, { kind: "message" }>;

function row(
  seq: number,
  { at, from = "ann", text = "x", ...more }: { at: number; from?: string } & Partial<Said>,
): StoredInbound {
  const place = { channel: "net", accountId: "default", kind: "group", chatId: "1" } as const;
  const message: InboundMessage = {
    eventId: String(seq),
    kind: "message",
    messageId: String(seq),
    place,
    sender: { id: from },
    at: 1,
    text,
    attachments: [],
    mentionsUs: true,
    ...more,
  };
  return { seq, lane: "l", message, state: "waiting", receivedAt: at };
}

function turnOf(rows: readonly StoredInbound[], quietMs = 100) {
  const isCommand = ({ message }: StoredInbound) =>
    message.kind === "message" && message.text.startsWith("/");
  const turn = nextTurn(rows, { quietMs, isCommand });
  return turn && { seqs: turn.rows.map(({ seq }) => seq), dueAt: turn.dueAt };
}

const photo = { kind: "image", ref: 1 } as const;

Deno.test("nothing makes no turn", () => strictEqual(turnOf([]), undefined));

Deno.test("quick messages of one person wait for each other", () => {
  deepStrictEqual(turnOf([row(1, { at: 0 })]), { seqs: [1], dueAt: 100 });
  deepStrictEqual(turnOf([row(1, { at: 0 }), row(2, { at: 60 })]), { seqs: [1, 2], dueAt: 160 });
  deepStrictEqual(turnOf([row(1, { at: 0 }), row(2, { at: 200 })]), { seqs: [1], dueAt: 100 });
});

Deno.test("who comes in between ends the turn at once", () => {
  const rows = [row(1, { at: 0 }), row(2, { at: 10, from: "bob" }), row(3, { at: 20 })];
  deepStrictEqual(turnOf(rows), { seqs: [1], dueAt: 10 });
});

Deno.test("a command stands alone, and is not waited behind", () => {
  const rows = [row(1, { at: 0 }), row(2, { at: 10, text: "/status" }), row(3, { at: 20 })];
  deepStrictEqual(turnOf(rows), { seqs: [1], dueAt: 10 });
  deepStrictEqual(turnOf(rows.slice(1)), { seqs: [2], dueAt: 10 });
});

Deno.test("with nothing to wait for each message is a turn, also within a millisecond", () => {
  deepStrictEqual(turnOf([row(1, { at: 0 }), row(2, { at: 0 })], 0), { seqs: [1], dueAt: 0 });
});

Deno.test("a file ends the waiting, an album waits until it is whole", () => {
  const one = row(1, { at: 0 });
  const file = row(2, { at: 50, attachments: [photo] });
  deepStrictEqual(turnOf([one, file]), { seqs: [1, 2], dueAt: 50 });
  const album = [1, 2, 3].map((seq) =>
    row(seq, { at: seq * 10, attachments: [photo], albumId: "a" })
  );
  deepStrictEqual(turnOf(album, 0), { seqs: [1, 2, 3], dueAt: 30 + ALBUM_MS });
});
