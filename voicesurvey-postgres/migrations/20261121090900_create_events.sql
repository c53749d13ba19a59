CREATE TABLE call_events (
    company_id  uuid NOT NULL REFERENCES companies ON DELETE CASCADE,
    attempt_id  uuid NOT NULL,
    event_id    text NOT NULL,
    event       jsonb NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, attempt_id, event_id)
);

COMMENT ON TABLE call_events IS 'The inbox: what the provider told, each event once.';
COMMENT ON COLUMN call_events.attempt_id IS
    'The call. Not a foreign key: an event may arrive after its campaign was deleted, and is then forgotten quietly.';

CREATE TABLE outbox_events (
    company_id  uuid NOT NULL REFERENCES companies ON DELETE CASCADE,
    id          uuid NOT NULL,
    kind        text NOT NULL,
    body        jsonb NOT NULL,
    happened_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, id)
);

COMMENT ON TABLE outbox_events IS 'The outbox: what subscribers want to know, written with the change it tells of.';

CREATE INDEX outbox_events_in_order ON outbox_events (id);

ALTER TABLE call_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE call_events FORCE ROW LEVEL SECURITY;
CREATE POLICY company_isolation ON call_events
    USING (
        company_id = (SELECT NULLIF(current_setting('voicesurvey.company_id', true), '')::uuid)
        OR (SELECT current_setting('voicesurvey.scope', true)) = 'platform'
    );

ALTER TABLE outbox_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE outbox_events FORCE ROW LEVEL SECURITY;
CREATE POLICY company_isolation ON outbox_events
    USING (
        company_id = (SELECT NULLIF(current_setting('voicesurvey.company_id', true), '')::uuid)
        OR (SELECT current_setting('voicesurvey.scope', true)) = 'platform'
    );
