/** Who may write to us directly, in SQLite. */
import type { SenderRequest, Senders } from "../store.ts";
import { type Database, fromJson, toJson } from "./database.ts";

interface AccountName {
  readonly channel: string;
  readonly accountId: string;
}

export class SqliteSenders implements Senders {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  pending({ channel, accountId }: Partial<AccountName> = {}): readonly SenderRequest[] {
    return this.#database.all<{ code: string; request: string }>(
      `SELECT code, request FROM senders_pending
       WHERE (?1 IS NULL OR channel = ?1) AND (?2 IS NULL OR account_id = ?2)
       ORDER BY created_at, rowid`,
      channel ?? null,
      accountId ?? null,
    ).map(({ code, request }) =>
      fromJson<SenderRequest>(request, { table: "senders_pending", key: code })
    );
  }

  savePending(request: SenderRequest): void {
    const { code, channel, accountId, senderId, createdAt } = request;
    this.#database.run(
      `INSERT INTO senders_pending (code, channel, account_id, sender_id, created_at, request)
       VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (channel, account_id, sender_id) DO UPDATE SET
         code = excluded.code, created_at = excluded.created_at, request = excluded.request`,
      code,
      channel,
      accountId,
      senderId,
      createdAt,
      toJson(request),
    );
  }

  removePending(code: string): boolean {
    return this.#database.run("DELETE FROM senders_pending WHERE code = ?", code) > 0;
  }

  isApproved({ channel, accountId }: AccountName, senderId: string): boolean {
    return this.#database.get(
      `SELECT 1 FROM senders_approved WHERE channel = ? AND account_id = ? AND sender_id = ?`,
      channel,
      accountId,
      senderId,
    ) !== undefined;
  }

  approve({ channel, accountId }: AccountName, senderId: string, approvedAt: number): void {
    this.#database.run(
      `INSERT INTO senders_approved VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
      channel,
      accountId,
      senderId,
      approvedAt,
    );
  }
}
