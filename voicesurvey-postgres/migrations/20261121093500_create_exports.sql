CREATE TABLE exports (
    company_id   uuid NOT NULL,
    id           uuid NOT NULL,
    campaign_id  uuid NOT NULL,
    kind         text NOT NULL,
    format       text NOT NULL,
    filter       jsonb NOT NULL,
    requested_by uuid NOT NULL,
    link         bytea CHECK (octet_length(link) = 32),
    state        text NOT NULL
        CHECK (state IN ('streamed', 'waiting', 'running', 'done', 'failed', 'expired')),
    run          bigint NOT NULL,
    lease_until  timestamptz,
    people       bigint NOT NULL,
    rows         bigint NOT NULL,
    bytes        bigint NOT NULL,
    pieces       bigint NOT NULL,
    failure      text,
    created_at   timestamptz NOT NULL,
    ended_at     timestamptz,
    expires_at   timestamptz,
    PRIMARY KEY (company_id, id),
    FOREIGN KEY (company_id, campaign_id) REFERENCES campaigns ON DELETE CASCADE,
    CONSTRAINT running_exports_have_a_lease CHECK ((state = 'running') = (lease_until IS NOT NULL)),
    CONSTRAINT failed_exports_say_why CHECK ((state = 'failed') = (failure IS NOT NULL)),
    CONSTRAINT finished_exports_expire CHECK (state <> 'done' OR expires_at IS NOT NULL)
);

COMMENT ON TABLE exports IS 'Files that were asked for: who took which data away, and when.';
COMMENT ON COLUMN exports.requested_by IS 'The key it was asked for with.';
COMMENT ON COLUMN exports.link IS 'SHA-256 of the secret in the link; absent of one that was streamed.';
COMMENT ON COLUMN exports.run IS 'How often it was begun; whoever writes an earlier run writes no more.';
COMMENT ON COLUMN exports.people IS 'People whose records have been read.';
COMMENT ON COLUMN exports.pieces IS 'How many pieces of the contents there are.';

CREATE INDEX exports_of_campaign ON exports (company_id, campaign_id, created_at);
CREATE INDEX exports_to_write ON exports (created_at) WHERE state IN ('waiting', 'running');
CREATE INDEX exports_to_expire ON exports (expires_at) WHERE state = 'done';

ALTER TABLE exports ENABLE ROW LEVEL SECURITY;
ALTER TABLE exports FORCE ROW LEVEL SECURITY;
CREATE POLICY company_isolation ON exports
    USING (
        company_id = (SELECT NULLIF(current_setting('voicesurvey.company_id', true), '')::uuid)
        OR (SELECT current_setting('voicesurvey.scope', true)) = 'platform'
    );

CREATE TABLE export_pieces (
    company_id uuid NOT NULL,
    export_id  uuid NOT NULL,
    number     bigint NOT NULL,
    content    bytea NOT NULL,
    PRIMARY KEY (company_id, export_id, number),
    FOREIGN KEY (company_id, export_id) REFERENCES exports ON DELETE CASCADE
);

COMMENT ON TABLE export_pieces IS 'The contents of files that are fetched later, until they expire.';

-- They are compressed already, or soon gone.
ALTER TABLE export_pieces ALTER COLUMN content SET STORAGE EXTERNAL;

ALTER TABLE export_pieces ENABLE ROW LEVEL SECURITY;
ALTER TABLE export_pieces FORCE ROW LEVEL SECURITY;
CREATE POLICY company_isolation ON export_pieces
    USING (
        company_id = (SELECT NULLIF(current_setting('voicesurvey.company_id', true), '')::uuid)
        OR (SELECT current_setting('voicesurvey.scope', true)) = 'platform'
    );
