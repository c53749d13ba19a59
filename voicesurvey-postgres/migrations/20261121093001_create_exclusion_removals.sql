CREATE TABLE exclusion_removals (
    company_id   uuid NOT NULL REFERENCES companies ON DELETE CASCADE,
    id           uuid NOT NULL,
    phone_number text NOT NULL,
    source       text NOT NULL CHECK (source IN ('spoken', 'api', 'import', 'staff')),
    attempt_id   uuid,
    note         text,
    created_at   timestamptz NOT NULL,
    created_by   uuid,
    reason       text NOT NULL,
    removed_at   timestamptz NOT NULL,
    removed_by   uuid,
    PRIMARY KEY (company_id, id)
);

COMMENT ON TABLE exclusion_removals IS
    'Numbers that were taken off an exclusion list: what was removed, by whom, when and why.';

ALTER TABLE exclusion_removals ENABLE ROW LEVEL SECURITY;
ALTER TABLE exclusion_removals FORCE ROW LEVEL SECURITY;
CREATE POLICY company_isolation ON exclusion_removals
    USING (
        company_id = (SELECT NULLIF(current_setting('voicesurvey.company_id', true), '')::uuid)
        OR (SELECT current_setting('voicesurvey.scope', true)) = 'platform'
    );
