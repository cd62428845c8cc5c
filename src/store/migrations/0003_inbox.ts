/** Messages that networks handed to us, and who may write to us through which account. */
export const inbox = `
CREATE TABLE inbox (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  channel TEXT NOT NULL,
  account_id TEXT NOT NULL,
  chat_id TEXT NOT NULL,
  event_id TEXT NOT NULL,
  lane TEXT NOT NULL,
  message_id TEXT NOT NULL,
  state TEXT NOT NULL,           -- waiting, context or done
  outcome TEXT,                  -- of those that are done
  received_at INTEGER NOT NULL,
  message TEXT,                  -- JSON; of those that are not done
  UNIQUE (channel, account_id, chat_id, event_id)
) STRICT;
CREATE INDEX inbox_by_lane ON inbox (lane, state, seq) WHERE message IS NOT NULL;
CREATE INDEX inbox_by_message ON inbox (channel, account_id, chat_id, message_id)
  WHERE message IS NOT NULL;
CREATE INDEX inbox_by_time ON inbox (received_at) WHERE state = 'done';

-- Those whose codes wait for an approval, and those who were approved.
CREATE TABLE senders_pending (
  code TEXT PRIMARY KEY NOT NULL,
  channel TEXT NOT NULL,
  account_id TEXT NOT NULL,
  sender_id TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  request TEXT NOT NULL,         -- JSON
  UNIQUE (channel, account_id, sender_id)
) STRICT;
CREATE TABLE senders_approved (
  channel TEXT NOT NULL,
  account_id TEXT NOT NULL,
  sender_id TEXT NOT NULL,
  approved_at INTEGER NOT NULL,
  PRIMARY KEY (channel, account_id, sender_id)
) STRICT;
`;
