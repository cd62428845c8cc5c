/** Messages that networks handed to us, in SQLite. */
import { chatOf, type InboundMessage, type Place } from "../message.ts";
import type { Inbox, StoredInbound } from "../store.ts";
import { type Database, fromJson, toJson } from "./database.ts";

interface InboxRow {
  readonly seq: number;
  readonly lane: string;
  readonly state: StoredInbound["state"];
  readonly received_at: number;
  readonly message: string;
}

const COLUMNS = "seq, lane, state, received_at, message";

export class SqliteInbox implements Inbox {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  add(message: InboundMessage, receivedAt: number): StoredInbound | undefined {
    const { place, eventId, messageId } = message;
    const row = this.#database.get<InboxRow>(
      `INSERT INTO inbox (channel, account_id, chat_id, event_id, lane, message_id, state,
         received_at, message)
       VALUES (?, ?, ?, ?, ?, ?, 'waiting', ?, ?)
       ON CONFLICT (channel, account_id, chat_id, event_id) DO NOTHING
       RETURNING ${COLUMNS}`,
      place.channel,
      place.accountId,
      place.chatId,
      eventId,
      chatOf(place),
      messageId,
      receivedAt,
      toJson(message),
    );
    return row && toStored(row);
  }

  get(seq: number): StoredInbound | undefined {
    const row = this.#database.get<InboxRow>(
      `SELECT ${COLUMNS} FROM inbox WHERE seq = ? AND message IS NOT NULL`,
      seq,
    );
    return row && toStored(row);
  }

  waiting(lane: string, limit: number): readonly StoredInbound[] {
    return this.#database.all<InboxRow>(
      `SELECT ${COLUMNS} FROM inbox
       WHERE lane = ? AND state = 'waiting' AND message IS NOT NULL ORDER BY seq LIMIT +?`,
      lane,
      limit,
    ).map(toStored);
  }

  lanes(channel: string, accountId: string): readonly string[] {
    return this.#database.all<{ lane: string }>(
      `SELECT lane FROM inbox
       WHERE channel = ? AND account_id = ? AND state = 'waiting' AND message IS NOT NULL
       GROUP BY lane ORDER BY min(seq)`,
      channel,
      accountId,
    ).map(({ lane }) => lane);
  }

  context(
    lane: string,
    { before, limit }: { before: number; limit: number },
  ): readonly StoredInbound[] {
    return this.#database.all<InboxRow>(
      `SELECT ${COLUMNS} FROM inbox
       WHERE lane = ? AND state = 'context' AND message IS NOT NULL AND seq < ?
       ORDER BY seq DESC LIMIT +?`,
      lane,
      before,
      limit,
    ).map(toStored).reverse();
  }

  find(
    { channel, accountId, chatId }: Pick<Place, "channel" | "accountId" | "chatId">,
    messageId: string,
  ): StoredInbound | undefined {
    const row = this.#database.get<InboxRow>(
      `SELECT ${COLUMNS} FROM inbox
       WHERE channel = ? AND account_id = ? AND chat_id = ? AND message_id = ?
         AND message IS NOT NULL AND json_extract(message, '$.kind') = 'message'`,
      channel,
      accountId,
      chatId,
      messageId,
    );
    return row && toStored(row);
  }

  rewrite(seq: number, message: InboundMessage): void {
    const changed = this.#database.run(
      "UPDATE inbox SET message = ? WHERE seq = ? AND message IS NOT NULL",
      toJson(message),
      seq,
    );
    if (changed === 0) throw new Error(`Cannot rewrite message ${seq}: it is done with`);
  }

  keep(seq: number, limit: number): void {
    this.#database.transaction(() => {
      this.#database.run(
        "UPDATE inbox SET state = 'context' WHERE seq = ? AND state = 'waiting'",
        seq,
      );
      this.#database.run(
        `UPDATE inbox SET state = 'done', outcome = 'forgotten', message = NULL WHERE seq IN (
           SELECT seq FROM inbox
           WHERE lane = (SELECT lane FROM inbox WHERE seq = ?) AND state = 'context'
             AND message IS NOT NULL
           ORDER BY seq DESC LIMIT -1 OFFSET +?)`,
        seq,
        limit,
      );
    });
  }

  close(seqs: readonly number[], outcome: string): number {
    const close = "UPDATE inbox SET state = 'done', outcome = ?, message = NULL";
    const [seq] = seqs;
    return seq !== undefined && seqs.length === 1 // as mostly, and a third of the time
      ? this.#database.run(`${close} WHERE seq = ? AND message IS NOT NULL`, outcome, seq)
      : this.#database.run(
        `${close} WHERE seq IN (SELECT value FROM json_each(?)) AND message IS NOT NULL`,
        outcome,
        toJson(seqs),
      );
  }

  prune(
    before: number,
    isThere: (account: { channel: string; accountId: string }) => boolean,
  ): number {
    return this.#database.transaction(() => {
      const gone = this.#database.all<{ channel: string; accountId: string }>(
        `SELECT DISTINCT channel, account_id AS accountId FROM inbox
         WHERE message IS NOT NULL`,
      ).filter((account) => !isThere(account));
      const left = gone.map(({ channel, accountId }) =>
        this.#database.run(
          `DELETE FROM inbox
           WHERE channel = ? AND account_id = ? AND received_at < ? AND message IS NOT NULL`,
          channel,
          accountId,
          before,
        )
      );
      const done = this.#database.run(
        "DELETE FROM inbox WHERE received_at < ? AND state = 'done'",
        before,
      );
      return left.reduce((sum, count) => sum + count, done);
    });
  }
}

function toStored({ seq, lane, state, received_at, message }: InboxRow): StoredInbound {
  return {
    seq,
    lane,
    state,
    receivedAt: received_at,
    message: fromJson<InboundMessage>(message, { table: "inbox", key: String(seq) }),
  };
}
