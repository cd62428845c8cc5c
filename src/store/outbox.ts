/** Messages on their way out, in SQLite. */
import { chatOf, type OutboundMessage } from "../message.ts";
import type { Delivery, DeliveryProgress, DeliveryState, Outbox } from "../store.ts";
import { type Database, fromJson, toJson } from "./database.ts";

interface DeliveryRow {
  readonly seq: number;
  readonly id: string;
  readonly channel: string;
  readonly account_id: string;
  readonly lane: string;
  readonly message: string;
  readonly origin: string | null;
  readonly state: DeliveryState;
  readonly accepted_at: number;
  readonly expires_at: number;
  readonly attempts: number;
  readonly started_at: number | null;
  readonly not_before: number | null;
  readonly ended_at: number | null;
  readonly fault: Delivery["fault"] | null;
  readonly error: string | null;
  readonly message_ids: string | null;
}

export class SqliteOutbox implements Outbox {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  add(
    { message, origin, acceptedAt, expiresAt }: {
      message: OutboundMessage;
      origin?: string;
      acceptedAt: number;
      expiresAt: number;
    },
  ): void {
    const { id, place } = message;
    const added = this.#database.run(
      `INSERT INTO outbox (id, channel, account_id, lane, message, origin, state, accepted_at,
         expires_at, attempts)
       VALUES (?, ?, ?, ?, ?, ?, 'accepted', ?, ?, 0) ON CONFLICT (id) DO NOTHING`,
      id,
      place.channel,
      place.accountId,
      chatOf(place),
      toJson(message),
      origin ?? null,
      acceptedAt,
      expiresAt,
    );
    if (added === 0) throw new Error(`Cannot accept message '${id}': the id is taken`);
  }

  get(id: string): Delivery | undefined {
    const row = this.#database.get<DeliveryRow>("SELECT * FROM outbox WHERE id = ?", id);
    return row && toDelivery(row);
  }

  ofOrigin(origin: string): readonly Delivery[] {
    return this.#database.all<DeliveryRow>(
      "SELECT * FROM outbox WHERE origin = ? ORDER BY seq",
      origin,
    ).map(toDelivery);
  }

  next(lane: string): Delivery | undefined {
    const row = this.#database.get<DeliveryRow>(
      "SELECT * FROM outbox WHERE lane = ? AND ended_at IS NULL ORDER BY seq LIMIT 1",
      lane,
    );
    return row && toDelivery(row);
  }

  waiting(): readonly { lane: string; channel: string; accountId: string }[] {
    return this.#database.all<Pick<DeliveryRow, "lane" | "channel" | "account_id">>(
      `SELECT lane, channel, account_id FROM outbox WHERE ended_at IS NULL
       GROUP BY lane ORDER BY min(seq)`,
    ).map(({ lane, channel, account_id: accountId }) => ({ lane, channel, accountId }));
  }

  update(id: string, progress: DeliveryProgress): void {
    const { state, attempts, expiresAt, startedAt, notBefore, endedAt, fault, error } = progress;
    const updated = this.#database.run(
      `UPDATE outbox SET state = ?, attempts = ?, expires_at = ?, started_at = ?, not_before = ?,
         ended_at = ?, fault = ?, error = ?, message_ids = ?
       WHERE id = ?`,
      state,
      attempts,
      expiresAt,
      startedAt ?? null,
      notBefore ?? null,
      endedAt ?? null,
      fault ?? null,
      error ?? null,
      progress.messageIds === undefined ? null : toJson(progress.messageIds),
      id,
    );
    if (updated === 0) throw new Error(`Cannot update message '${id}': there is none`);
  }

  list(
    { states, channel, accountId, limit = 100 }: {
      states?: readonly DeliveryState[];
      channel?: string;
      accountId?: string;
      limit?: number;
    },
  ): readonly Delivery[] {
    return this.#database.all<DeliveryRow>(
      `SELECT * FROM outbox
       WHERE (?1 IS NULL OR state IN (SELECT value FROM json_each(?1)))
         AND (?2 IS NULL OR channel = ?2) AND (?3 IS NULL OR account_id = ?3)
       ORDER BY seq DESC LIMIT +?4`,
      states === undefined ? null : toJson(states),
      channel ?? null,
      accountId ?? null,
      Math.max(0, limit), // to SQLite a negative limit means none
    ).map(toDelivery);
  }

  count(state: DeliveryState): number {
    return this.#database.one<{ count: number }>(
      `SELECT count(*) AS count FROM outbox
       WHERE state = ? AND message ->> '$.isPreview' IS NULL`,
      state,
    ).count;
  }

  hasten(channel: string, accountId: string): void {
    this.#database.run(
      `UPDATE outbox SET not_before = NULL
       WHERE ended_at IS NULL AND channel = ? AND account_id = ? AND not_before IS NOT NULL
         AND fault = 'network'`,
      channel,
      accountId,
    );
  }

  expired(now: number): readonly Delivery[] {
    return this.#database.all<DeliveryRow>(
      "SELECT * FROM outbox WHERE ended_at IS NULL AND expires_at <= ? ORDER BY seq",
      now,
    ).map(toDelivery);
  }

  remove(id: string): boolean {
    return this.#database.run("DELETE FROM outbox WHERE id = ?", id) > 0;
  }

  prune(state: DeliveryState, before: number): number {
    return this.#database.run(
      "DELETE FROM outbox WHERE state = ? AND ended_at < ?",
      state,
      before,
    );
  }
}

function toDelivery(row: DeliveryRow): Delivery {
  const where = { table: "outbox", key: row.id };
  return {
    id: row.id,
    seq: row.seq,
    lane: row.lane,
    message: fromJson<OutboundMessage>(row.message, where),
    ...(row.origin === null ? {} : { origin: row.origin }),
    state: row.state,
    acceptedAt: row.accepted_at,
    expiresAt: row.expires_at,
    attempts: row.attempts,
    ...(row.started_at === null ? {} : { startedAt: row.started_at }),
    ...(row.not_before === null ? {} : { notBefore: row.not_before }),
    ...(row.ended_at === null ? {} : { endedAt: row.ended_at }),
    ...(row.fault === null ? {} : { fault: row.fault }),
    ...(row.error === null ? {} : { error: row.error }),
    ...(row.message_ids === null
      ? {}
      : { messageIds: fromJson<readonly string[]>(row.message_ids, where) }),
  };
}
