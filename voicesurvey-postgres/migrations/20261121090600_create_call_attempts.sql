CREATE TABLE call_attempts (
    company_id       uuid NOT NULL,
    id               uuid NOT NULL,
    campaign_id      uuid NOT NULL,
    task_id          uuid NOT NULL,
    attempt_number   bigint NOT NULL CHECK (attempt_number >= 1),
    phone_number     text NOT NULL,
    provider         text NOT NULL,
    provider_call_id text,
    state            text NOT NULL CHECK (
        state IN ('created', 'unknown', 'accepted', 'ringing', 'answered', 'ended')
    ),
    dial_before      timestamptz NOT NULL,
    lease_until      timestamptz NOT NULL,
    created_at       timestamptz NOT NULL,
    accepted_at      timestamptz,
    ringing_at       timestamptz,
    answered_at      timestamptz,
    ended_at         timestamptz,
    answered_by      text,
    outcome          text,
    raw_status       text,
    error_code       text,
    cost_amount      numeric,
    cost_currency    text,
    version          bigint NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT call_attempts_numbered_once UNIQUE (company_id, task_id, attempt_number),
    FOREIGN KEY (company_id, task_id) REFERENCES call_tasks ON DELETE CASCADE,
    CONSTRAINT only_ended_has_end CHECK (state = 'ended' OR ended_at IS NULL),
    CONSTRAINT cost_has_currency CHECK ((cost_amount IS NULL) = (cost_currency IS NULL))
) WITH (
    fillfactor = 70,
    autovacuum_vacuum_scale_factor = 0.01,
    autovacuum_vacuum_cost_delay = 0
);

COMMENT ON TABLE call_attempts IS 'One dial of a task: committed before the provider is asked.';
COMMENT ON COLUMN call_attempts.dial_before IS 'After this instant nobody may start dialing for it.';
COMMENT ON COLUMN call_attempts.lease_until IS 'While it is live and nothing is heard of it by then, it is recovered.';
COMMENT ON COLUMN call_attempts.raw_status IS 'The provider''s own word for its last status.';

-- Nobody's telephone rings twice at the same time, whatever campaigns the number is in.
CREATE UNIQUE INDEX call_attempts_one_live_per_number
    ON call_attempts (company_id, phone_number) WHERE state <> 'ended';
CREATE INDEX call_attempts_leases ON call_attempts (lease_until) WHERE state <> 'ended';
CREATE INDEX call_attempts_of_campaign ON call_attempts (company_id, campaign_id, created_at, id);
CREATE INDEX call_attempts_by_creation ON call_attempts (company_id, created_at, id);

ALTER TABLE call_attempts ENABLE ROW LEVEL SECURITY;
ALTER TABLE call_attempts FORCE ROW LEVEL SECURITY;
CREATE POLICY company_isolation ON call_attempts
    USING (
        company_id = (SELECT NULLIF(current_setting('voicesurvey.company_id', true), '')::uuid)
        OR (SELECT current_setting('voicesurvey.scope', true)) = 'platform'
    );
