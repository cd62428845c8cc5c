/** The first schema: sessions and their transcripts, runs, devices, and small named values. */
export const init = `
CREATE TABLE sessions (
  key TEXT PRIMARY KEY NOT NULL,
  agent_id TEXT NOT NULL,
  session_id TEXT NOT NULL UNIQUE,
  label TEXT UNIQUE,             -- these two repeat what settings say, to be found by
  spawned_by TEXT,
  search TEXT NOT NULL,          -- key, label and display name, one a line, lower-case
  settings TEXT NOT NULL,        -- JSON
  stats TEXT NOT NULL,           -- JSON
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_by_update ON sessions (updated_at);
CREATE INDEX sessions_by_agent ON sessions (agent_id, updated_at);
CREATE INDEX sessions_by_spawner ON sessions (spawned_by, updated_at)
  WHERE spawned_by IS NOT NULL;

-- Their life is not the session's: after a reset, or when the session is forgotten, they stay
-- readable. Bodies can be large, so they lie apart from the tree that is walked to find them.
CREATE TABLE entries (
  session_id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  id TEXT NOT NULL,
  at INTEGER NOT NULL,
  run_id TEXT,
  kind TEXT NOT NULL,
  body TEXT NOT NULL,            -- JSON
  PRIMARY KEY (session_id, seq)
) STRICT;
CREATE INDEX compactions ON entries (session_id, seq) WHERE kind = 'compaction';

CREATE TABLE runs (
  run_id TEXT PRIMARY KEY NOT NULL,
  method TEXT NOT NULL,
  session_key TEXT NOT NULL,
  session_id TEXT NOT NULL,
  state TEXT NOT NULL,
  accepted_at INTEGER NOT NULL,
  started_at INTEGER,
  ended_at INTEGER,
  input TEXT NOT NULL,           -- JSON
  result TEXT                    -- JSON
) STRICT;
CREATE INDEX runs_unfinished ON runs (accepted_at) WHERE ended_at IS NULL;
CREATE INDEX runs_by_end ON runs (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE devices (
  device_id TEXT PRIMARY KEY NOT NULL,
  approved_at INTEGER NOT NULL,
  device TEXT NOT NULL           -- JSON
) STRICT;

CREATE TABLE pairing_requests (
  request_id TEXT PRIMARY KEY NOT NULL,
  device_id TEXT NOT NULL UNIQUE,
  ts INTEGER NOT NULL,
  request TEXT NOT NULL          -- JSON
) STRICT;

CREATE TABLE named_values (
  name TEXT PRIMARY KEY NOT NULL,
  value TEXT NOT NULL            -- JSON
) STRICT;
`;
