CREATE TABLE call_tasks (
    company_id      uuid NOT NULL,
    id              uuid NOT NULL,
    campaign_id     uuid NOT NULL,
    upload_id       uuid,
    phone_number    text NOT NULL,
    name            text NOT NULL,
    language        text,
    time_zones      text[] NOT NULL,
    priority        smallint NOT NULL,
    extra           jsonb NOT NULL,
    status          text NOT NULL CHECK (
        status IN (
            'pending', 'in_progress', 'retry', 'completed', 'refused', 'not_reached', 'failed',
            'excluded', 'cancelled'
        )
    ),
    due_at          timestamptz,
    attempt_id      uuid,
    claimable       boolean NOT NULL,
    attempts_count  bigint NOT NULL,
    attempts_spent  bigint NOT NULL,
    last_attempt_at timestamptz,
    outcome         text,
    reason          text,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    version         bigint NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT call_tasks_one_per_number UNIQUE (company_id, campaign_id, phone_number),
    FOREIGN KEY (company_id, campaign_id) REFERENCES campaigns ON DELETE CASCADE,
    CONSTRAINT waiting_has_due_at CHECK ((status IN ('pending', 'retry')) = (due_at IS NOT NULL)),
    CONSTRAINT in_progress_has_attempt CHECK ((status = 'in_progress') = (attempt_id IS NOT NULL)),
    CONSTRAINT only_pending_is_claimable CHECK (status = 'pending' OR NOT claimable)
) WITH (
    fillfactor = 85,
    autovacuum_vacuum_scale_factor = 0.01,
    autovacuum_vacuum_cost_delay = 0
);

COMMENT ON TABLE call_tasks IS 'One contact of one campaign, and how far it has come.';
COMMENT ON COLUMN call_tasks.upload_id IS
    'The upload it came with. Not a foreign key: tasks are added before it is known what became of the upload.';
COMMENT ON COLUMN call_tasks.time_zones IS 'The zones the person may be in; empty means the campaign''s.';
COMMENT ON COLUMN call_tasks.extra IS 'Every other column of the list.';
COMMENT ON COLUMN call_tasks.attempt_id IS 'The live attempt; nobody else may settle the task.';
COMMENT ON COLUMN call_tasks.claimable IS
    'Its time has come. Set when it is written due, or by the scheduler, so that a claim never walks over tasks that are not due.';
COMMENT ON COLUMN call_tasks.reason IS 'Why the person is not being called now, as the gate said last.';

-- The claim's order. Only claimable tasks are in it, so it stays small whatever the table holds.
CREATE INDEX call_tasks_claimable
    ON call_tasks (company_id, campaign_id, priority DESC, due_at, id) WHERE claimable;
CREATE INDEX call_tasks_to_promote
    ON call_tasks (due_at) WHERE status IN ('pending', 'retry') AND NOT claimable;
CREATE INDEX call_tasks_waiting_with_number
    ON call_tasks (company_id, phone_number) WHERE status IN ('pending', 'retry');
CREATE INDEX call_tasks_by_creation ON call_tasks (company_id, campaign_id, created_at, id);

ALTER TABLE call_tasks ENABLE ROW LEVEL SECURITY;
ALTER TABLE call_tasks FORCE ROW LEVEL SECURITY;
CREATE POLICY company_isolation ON call_tasks
    USING (
        company_id = (SELECT NULLIF(current_setting('voicesurvey.company_id', true), '')::uuid)
        OR (SELECT current_setting('voicesurvey.scope', true)) = 'platform'
    );
