-- One contact of one campaign, and how far it has come.
CREATE TABLE call_tasks (
    company_id      BLOB    NOT NULL,
    id              BLOB    NOT NULL,
    campaign_id     BLOB    NOT NULL,
    -- No foreign key: the upload is written after its tasks, and goes only with the campaign.
    upload_id       BLOB,
    phone_number    TEXT    NOT NULL, -- E.164
    name            TEXT    NOT NULL,
    name_folded     TEXT    NOT NULL, -- in lower case by Unicode's rules, for searches; SQLite folds ASCII only
    language        TEXT,
    time_zones      TEXT    NOT NULL, -- JSON
    priority        INTEGER NOT NULL, -- higher is called earlier
    extra           TEXT    NOT NULL, -- JSON: the list's other columns
    status          TEXT    NOT NULL,
    due_at          INTEGER,
    -- No foreign key: the live attempt is inserted after the task has been marked.
    attempt_id      BLOB,
    claimable       INTEGER NOT NULL, -- pending, and its due time has come
    attempts_count  INTEGER NOT NULL,
    attempts_spent  INTEGER NOT NULL,
    last_attempt_at INTEGER,
    outcome         TEXT,
    reason          TEXT,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    version         INTEGER NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT number_is_once_in_campaign UNIQUE (company_id, campaign_id, phone_number),
    FOREIGN KEY (company_id, campaign_id) REFERENCES campaigns (company_id, id) ON DELETE CASCADE,
    CONSTRAINT task_status_is_known
        CHECK (status IN ('pending', 'in_progress', 'retry', 'completed', 'refused', 'not_reached',
                          'failed', 'excluded', 'cancelled')),
    CONSTRAINT waiting_task_has_due_at CHECK ((status IN ('pending', 'retry')) = (due_at IS NOT NULL)),
    CONSTRAINT task_in_progress_has_attempt CHECK ((status = 'in_progress') = (attempt_id IS NOT NULL)),
    CONSTRAINT only_pending_task_is_claimable
        CHECK (claimable = 0 OR (claimable = 1 AND status = 'pending')),
    CONSTRAINT no_more_attempts_spent_than_made
        CHECK (attempts_spent >= 0 AND attempts_spent <= attempts_count)
) STRICT;

-- The claim, in the order in which people are called.
CREATE INDEX call_tasks_claimable ON call_tasks (company_id, campaign_id, priority DESC, due_at, id)
    WHERE claimable = 1;
-- What the scheduler promotes next, over all companies.
CREATE INDEX call_tasks_waiting ON call_tasks (due_at, id) WHERE claimable = 0 AND due_at IS NOT NULL;
-- What an exclusion has to end.
CREATE INDEX call_tasks_waiting_by_number ON call_tasks (company_id, phone_number, id)
    WHERE due_at IS NOT NULL;
CREATE INDEX call_tasks_of_campaign ON call_tasks (company_id, campaign_id, created_at, id);
CREATE INDEX call_tasks_by_status ON call_tasks (company_id, campaign_id, status, created_at, id);
