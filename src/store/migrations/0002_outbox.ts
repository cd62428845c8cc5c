/** Messages on their way out to the networks. */
export const outbox = `
CREATE TABLE outbox (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  channel TEXT NOT NULL,
  account_id TEXT NOT NULL,
  lane TEXT NOT NULL,
  message TEXT NOT NULL,         -- JSON
  origin TEXT,
  state TEXT NOT NULL,
  accepted_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  started_at INTEGER,
  not_before INTEGER,
  ended_at INTEGER,              -- set for sent, unknown and dead, and for no other state
  fault TEXT,
  error TEXT,
  message_ids TEXT               -- JSON
) STRICT;
CREATE INDEX outbox_waiting ON outbox (lane, seq) WHERE ended_at IS NULL;
CREATE INDEX outbox_by_origin ON outbox (origin) WHERE origin IS NOT NULL;
CREATE INDEX outbox_by_end ON outbox (state, ended_at) WHERE ended_at IS NOT NULL;
`;
