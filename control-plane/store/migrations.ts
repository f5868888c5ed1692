/** Marks a SQLite file as ours: `COFD` in its header. */
export const applicationId = 0x43_4f_46_44

/**
 * The database's history: entry n brings a file from format n to n + 1. Entries are never changed once released, only
 * added, because files of every format are out there. They may call `policy_hash(json)`, and rewrite no cell that is attested
 * (record.ts).
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE documents (
    id INTEGER PRIMARY KEY NOT NULL,
    json TEXT NOT NULL
  ) STRICT;

  CREATE TABLE runtime_tasks (
    id TEXT PRIMARY KEY NOT NULL,
    status TEXT NOT NULL,
    phase TEXT,
    halt TEXT,
    version INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    fence INTEGER NOT NULL,
    lease_until INTEGER,
    goal TEXT NOT NULL,
    request TEXT NOT NULL,
    repository_path TEXT NOT NULL,
    repository_key TEXT NOT NULL,
    base_ref TEXT NOT NULL,
    base_commit TEXT NOT NULL,
    head TEXT NOT NULL,
    branch TEXT NOT NULL,
    agent TEXT NOT NULL,
    setup TEXT,
    test TEXT,
    policy INTEGER NOT NULL REFERENCES documents (id),
    policy_hash TEXT NOT NULL,
    budget TEXT NOT NULL,
    spent_steps INTEGER NOT NULL,
    spent_ms INTEGER NOT NULL,
    step INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    violations INTEGER NOT NULL,
    losses INTEGER NOT NULL,
    instruction TEXT,
    prior_failure INTEGER REFERENCES documents (id),
    baseline INTEGER REFERENCES documents (id),
    setup_key TEXT,
    session TEXT,
    progress TEXT NOT NULL,
    risks TEXT NOT NULL,
    outcome TEXT,
    delivery TEXT NOT NULL,
    parent_task_id TEXT REFERENCES runtime_tasks (id),
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX runtime_tasks_by_status ON runtime_tasks (status, created_at, id);
  CREATE INDEX runtime_tasks_by_age ON runtime_tasks (created_at, id);
  CREATE INDEX runtime_tasks_in_salvage ON runtime_tasks (id) WHERE phase = 'salvage';
  CREATE INDEX runtime_tasks_by_parent ON runtime_tasks (parent_task_id) WHERE parent_task_id IS NOT NULL;

  CREATE TABLE runtime_task_checkpoints (
    task_id TEXT NOT NULL REFERENCES runtime_tasks (id),
    step INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    fence INTEGER NOT NULL,
    state TEXT NOT NULL,
    box INTEGER REFERENCES documents (id),
    charged INTEGER NOT NULL,
    instruction TEXT,
    agent TEXT,
    violations TEXT NOT NULL,
    candidate TEXT,
    test TEXT,
    commit_id TEXT,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    PRIMARY KEY (task_id, step, attempt)
  ) STRICT;
  CREATE UNIQUE INDEX runtime_task_checkpoints_open ON runtime_task_checkpoints (task_id) WHERE state = 'open';

  CREATE TABLE runtime_task_events (
    task_id TEXT NOT NULL REFERENCES runtime_tasks (id),
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    type TEXT NOT NULL,
    actor TEXT NOT NULL,
    from_status TEXT,
    to_status TEXT NOT NULL,
    step INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    fence INTEGER NOT NULL,
    text TEXT NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (task_id, seq)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE runtime_task_decisions (
    id TEXT PRIMARY KEY NOT NULL,
    task_id TEXT NOT NULL REFERENCES runtime_tasks (id),
    revision INTEGER NOT NULL,
    actions TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    closed_at INTEGER,
    used_action TEXT,
    used_by TEXT,
    text TEXT
  ) STRICT;
  CREATE INDEX runtime_task_decisions_by_task ON runtime_task_decisions (task_id, opened_at);
  `,
  `
  ALTER TABLE runtime_tasks ADD COLUMN spent_tokens INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE runtime_tasks ADD COLUMN spent_cost REAL NOT NULL DEFAULT 0;
  ALTER TABLE runtime_task_checkpoints ADD COLUMN boxes TEXT NOT NULL DEFAULT '[]';
  UPDATE runtime_tasks SET budget = json_set(budget, '$.tokens', null, '$.costUsd', null);
  UPDATE documents SET json = json_set(json, '$.egress', json('[]'), '$.upstreams', json('[]'), '$.posture', 'degraded',
      '$.limits.worktreeMb', 10240, '$.limits.worktreeFiles', 500000,
      '$.limits.upMb', 256, '$.limits.downMb', 4096, '$.limits.connections', 128)
    WHERE id IN (SELECT policy FROM runtime_tasks);
  UPDATE runtime_tasks SET policy_hash = policy_hash((SELECT json FROM documents WHERE documents.id = policy));
  UPDATE documents SET json = json_remove(json_set(json, '$.egress', null,
      '$.limits.worktreeMb', 10240, '$.limits.worktreeFiles', 500000,
      '$.limits.upMb', 256, '$.limits.downMb', 4096, '$.limits.connections', 128), '$.network')
    WHERE id IN (SELECT box FROM runtime_task_checkpoints WHERE box IS NOT NULL);

  CREATE TABLE egress_log (
    task_id TEXT NOT NULL REFERENCES runtime_tasks (id),
    box TEXT NOT NULL,
    id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    host TEXT NOT NULL,
    port INTEGER,
    method TEXT,
    path TEXT,
    verdict TEXT NOT NULL,
    rule TEXT NOT NULL,
    text TEXT NOT NULL,
    address TEXT,
    bytes_up INTEGER,
    bytes_down INTEGER,
    PRIMARY KEY (task_id, box, id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE attestations (
    task_id TEXT NOT NULL REFERENCES runtime_tasks (id),
    seq INTEGER NOT NULL,
    body TEXT NOT NULL,
    hash TEXT NOT NULL,
    key TEXT NOT NULL,
    signature TEXT NOT NULL,
    PRIMARY KEY (task_id, seq)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  ALTER TABLE runtime_tasks ADD COLUMN marks TEXT;

  CREATE INDEX runtime_tasks_by_repository ON runtime_tasks (repository_path, created_at, id);
  CREATE INDEX runtime_tasks_discarded ON runtime_tasks (id) WHERE delivery = 'discarded';

  CREATE TABLE api_tokens (
    id TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    hash TEXT NOT NULL,
    role TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER,
    last_used_at INTEGER
  ) STRICT;
  CREATE UNIQUE INDEX api_tokens_by_name ON api_tokens (name) WHERE revoked_at IS NULL;

  CREATE TABLE audit_log (
    seq INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT,
    action TEXT NOT NULL,
    task_id TEXT,
    outcome TEXT NOT NULL,
    text TEXT NOT NULL,
    request_id TEXT NOT NULL
  ) STRICT;
  CREATE INDEX audit_log_by_task ON audit_log (task_id, seq) WHERE task_id IS NOT NULL;

  CREATE TABLE probes (
    id INTEGER PRIMARY KEY NOT NULL,
    at INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    destination TEXT NOT NULL,
    task_id TEXT NOT NULL REFERENCES runtime_tasks (id),
    event INTEGER NOT NULL,
    type TEXT NOT NULL,
    body TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    fence INTEGER NOT NULL,
    error TEXT,
    created_at INTEGER NOT NULL,
    next_at INTEGER NOT NULL,
    lease_until INTEGER,
    ended_at INTEGER,
    actor TEXT
  ) STRICT;
  CREATE INDEX outbox_by_task ON outbox (task_id, event);
  CREATE INDEX outbox_by_destination ON outbox (destination, seq) WHERE state IN ('waiting', 'sending');
  CREATE INDEX outbox_by_end ON outbox (ended_at) WHERE state IN ('sent', 'discarded');

  CREATE TABLE schedules (
    name TEXT PRIMARY KEY NOT NULL,
    origin TEXT NOT NULL,
    enabled INTEGER NOT NULL,
    gone INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    decided_to INTEGER NOT NULL,
    timing TEXT NOT NULL,
    missed TEXT NOT NULL,
    overlap TEXT NOT NULL,
    auto_approve INTEGER NOT NULL,
    task TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE schedule_occurrences (
    schedule TEXT NOT NULL,
    planned_at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    task TEXT UNIQUE REFERENCES runtime_tasks (id),
    text TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (schedule, planned_at)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX schedule_occurrences_waiting ON schedule_occurrences (schedule, planned_at) WHERE state = 'waiting';
  `,
  `
  CREATE TABLE messages (
    destination TEXT NOT NULL,
    task_id TEXT NOT NULL REFERENCES runtime_tasks (id),
    kind TEXT NOT NULL,
    channel TEXT NOT NULL,
    message TEXT NOT NULL,
    shown INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    settled INTEGER NOT NULL,
    PRIMARY KEY (destination, task_id, kind)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX messages_by_message ON messages (destination, message);
  `,
  `
  ALTER TABLE runtime_tasks ADD COLUMN kind TEXT;
  ALTER TABLE runtime_tasks ADD COLUMN answer TEXT;
  CREATE INDEX runtime_tasks_questions ON runtime_tasks (created_at, id) WHERE kind = 'question';
  `,
  `
  CREATE TABLE api_sessions (
    hash TEXT PRIMARY KEY NOT NULL,
    token TEXT NOT NULL REFERENCES api_tokens (id),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  ALTER TABLE runtime_tasks ADD COLUMN merge TEXT;
  CREATE INDEX runtime_tasks_delivering ON runtime_tasks (id) WHERE delivery = 'delivering';
  `,
  `
  ALTER TABLE runtime_tasks ADD COLUMN pull TEXT;
  CREATE INDEX runtime_tasks_proposed ON runtime_tasks (id) WHERE delivery = 'pr_open';
  `,
  `
  CREATE INDEX runtime_tasks_needing ON runtime_tasks (created_at, id) WHERE (delivery <> 'discarded' AND (
    status IN ('DRAFT', 'BLOCKED', 'FAILED', 'TIMEOUT') OR delivery IN ('conflict', 'rejected', 'pr_closed')
    OR (delivery = 'none' AND coalesce(CASE WHEN json_valid(merge) THEN merge ->> 'refusal' END,
      CASE WHEN json_valid(pull) THEN pull ->> 'refusal' END) IS NOT NULL)));
  `,
  `
  DROP INDEX runtime_tasks_needing;
  CREATE INDEX runtime_tasks_needing ON runtime_tasks (created_at, id) WHERE (delivery <> 'discarded' AND (
    status IN ('DRAFT', 'BLOCKED', 'FAILED', 'TIMEOUT') OR delivery IN ('conflict', 'rejected', 'pr_closed')
    OR (delivery = 'none' AND coalesce(CASE WHEN json_valid(merge) THEN merge ->> 'refusal' END,
      CASE WHEN json_valid(pull) THEN pull ->> 'refusal' END) IS NOT NULL)
    OR (delivery = 'pr_open' AND CASE WHEN json_valid(pull) THEN pull ->> 'unfollowed' END IS NOT NULL)));
  `,
]
