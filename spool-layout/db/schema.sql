-- The mirror of spool and journal, for reports.
--
-- The folders and the journal are the truth: whatever is changed in here by hand
-- is overwritten when the task or the month changes, and `koubou rebuild` makes
-- all of it anew. It holds no task text. Times are UTC, `YYYY-MM-DD HH:MM:SS`.
--
-- Running this again is harmless.

CREATE TABLE IF NOT EXISTS task_master (
    task_id TEXT PRIMARY KEY,
    task_type TEXT NOT NULL,
    difficulty_level TEXT NOT NULL,             -- low, medium, high
    sensitivity_level TEXT NOT NULL,            -- public, confidential
    assigned_worker_type TEXT,
    status TEXT NOT NULL DEFAULT 'pending',     -- the folder: pending, in_progress, completed, failed
    priority INTEGER DEFAULT 5,
    estimated_tokens INTEGER,
    actual_tokens INTEGER,
    estimated_cost REAL,
    actual_cost REAL,
    parent_task_id TEXT,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    waits_for TEXT,                             -- why a pending one does not run yet
    error_kind TEXT,                            -- why a failed one failed
    task_group TEXT,                            -- the tasks that it belongs with
    archived TEXT,                              -- the file in tasks/archive that its result was retired into
    attempts INTEGER,                           -- of one that has ended: how many it took
    waiting_ms INTEGER,                         -- from its drop to its first attempt
    running_ms INTEGER,                         -- from the first attempt of its last run to its end
    worker_type TEXT GENERATED ALWAYS AS (assigned_worker_type) VIRTUAL
);

CREATE TABLE IF NOT EXISTS cost_tracking (
    tracking_id INTEGER PRIMARY KEY AUTOINCREMENT,
    task_id TEXT,
    worker_type TEXT NOT NULL,
    model_name TEXT NOT NULL,
    prompt_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    total_tokens INTEGER NOT NULL,
    cost_usd REAL NOT NULL,
    timestamp TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    attempt TEXT,                               -- marks the attempt: told twice, it is one row
    cached_tokens INTEGER,                      -- of the prompt
    reasoning_tokens INTEGER                    -- of the completion
);

-- Every attempt that did not end well, paid or not.
CREATE TABLE IF NOT EXISTS failed_attempts (
    attempt TEXT PRIMARY KEY,                   -- the same mark as in cost_tracking
    task_id TEXT NOT NULL,
    worker_type TEXT NOT NULL,
    outcome TEXT NOT NULL,                      -- rate_limited, timeout, not_accepted…
    started_at TIMESTAMP NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS budget_management (
    budget_id INTEGER PRIMARY KEY AUTOINCREMENT,
    year_month TEXT NOT NULL UNIQUE,            -- in the configured time zone
    budget_limit_usd REAL NOT NULL,
    spent_usd REAL DEFAULT 0,
    alert_threshold_percent INTEGER DEFAULT 80,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE IF NOT EXISTS workers (
    worker_id TEXT PRIMARY KEY,
    worker_type TEXT NOT NULL,
    model_name TEXT NOT NULL,
    api_endpoint TEXT NOT NULL,
    process_id INTEGER,
    status TEXT NOT NULL DEFAULT 'offline',
    capabilities JSON,
    rate_limit_remaining INTEGER,
    rate_limit_reset_at TIMESTAMP,
    last_heartbeat TIMESTAMP,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    reason TEXT,                                -- why it is in this state
    until TIMESTAMP,                            -- how long, where that is known
    task_id TEXT,                               -- what it works on
    since TIMESTAMP,                            -- since when it is in this state, where that is known
    batch_reason TEXT,                          -- what keeps its type's batches
    batch_since TIMESTAMP,
    batch_until TIMESTAMP                       -- how long, where that is known
);

CREATE TABLE IF NOT EXISTS system_logs (
    log_id INTEGER PRIMARY KEY AUTOINCREMENT,
    task_id TEXT,
    worker_id TEXT,
    log_level TEXT,
    component TEXT NOT NULL,
    message TEXT NOT NULL,
    metadata JSON,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
);

-- How far the journal has been followed, and which version of this schema it is.
CREATE TABLE IF NOT EXISTS meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS idx_task_status ON task_master(status);
CREATE INDEX IF NOT EXISTS idx_task_priority ON task_master(priority DESC);
CREATE INDEX IF NOT EXISTS idx_task_queue ON task_master(status, priority DESC, created_at, task_id);
CREATE INDEX IF NOT EXISTS idx_task_latest ON task_master(status, updated_at DESC, task_id);
CREATE INDEX IF NOT EXISTS idx_task_parent ON task_master(parent_task_id);
CREATE INDEX IF NOT EXISTS idx_task_group ON task_master(task_group);
CREATE INDEX IF NOT EXISTS idx_task_archived ON task_master(archived) WHERE archived IS NOT NULL;
CREATE INDEX IF NOT EXISTS idx_worker_status ON workers(status);
CREATE INDEX IF NOT EXISTS idx_log_timestamp ON system_logs(created_at DESC);
CREATE INDEX IF NOT EXISTS idx_log_task ON system_logs(task_id);
CREATE INDEX IF NOT EXISTS idx_cost_task ON cost_tracking(task_id);
CREATE UNIQUE INDEX IF NOT EXISTS idx_cost_attempt ON cost_tracking(attempt);

INSERT INTO meta (key, value) VALUES ('schema_version', '1')
    ON CONFLICT (key) DO UPDATE SET value = excluded.value;

PRAGMA user_version = 1;
