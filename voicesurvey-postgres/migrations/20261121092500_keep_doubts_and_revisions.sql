ALTER TABLE conversations ADD COLUMN memory jsonb NOT NULL DEFAULT '{}';

COMMENT ON COLUMN conversations.memory IS 'What it remembers besides its position.';

ALTER TABLE consents
    ADD COLUMN text_version text NOT NULL DEFAULT '',
    ADD COLUMN interpreted_by text NOT NULL DEFAULT 'rules';

COMMENT ON COLUMN consents.text_version IS
    'Which version of the words it was; empty for consents from before there were versions.';

ALTER TABLE answers
    ADD COLUMN doubt text CHECK (doubt IN ('low_confidence', 'disagreement', 'unconfirmed')),
    ADD COLUMN revision bigint NOT NULL DEFAULT 0,
    ADD COLUMN reviewed_at timestamptz,
    ADD COLUMN reviewed_by uuid,
    ADD CONSTRAINT answers_reviewed_by_somebody CHECK ((reviewed_at IS NULL) = (reviewed_by IS NULL));

COMMENT ON COLUMN answers.doubt IS 'Why a person should look at it.';
COMMENT ON COLUMN answers.revision IS 'How often a person has corrected or accepted it.';
COMMENT ON COLUMN answers.reviewed_by IS 'The key it was last corrected or accepted with.';

CREATE INDEX answers_to_review ON answers (company_id, id)
    WHERE doubt IS NOT NULL AND reviewed_at IS NULL;

CREATE TABLE answer_revisions (
    company_id     uuid NOT NULL,
    answer_id      uuid NOT NULL,
    number         bigint NOT NULL,
    result         jsonb NOT NULL,
    confidence     smallint NOT NULL,
    interpreted_by text NOT NULL,
    note           text,
    replaced_at    timestamptz NOT NULL,
    replaced_by    uuid NOT NULL,
    PRIMARY KEY (company_id, answer_id, number),
    FOREIGN KEY (company_id, answer_id) REFERENCES answers ON UPDATE CASCADE ON DELETE CASCADE
);

COMMENT ON TABLE answer_revisions IS 'What answers were before a person corrected them.';
COMMENT ON COLUMN answer_revisions.number IS 'The answer''s revision when it was replaced; 0 is what was understood in the call.';
COMMENT ON COLUMN answer_revisions.note IS 'Why it was corrected, in the words of who did.';
COMMENT ON COLUMN answer_revisions.replaced_by IS 'The key it was corrected with.';

ALTER TABLE answer_revisions ENABLE ROW LEVEL SECURITY;
ALTER TABLE answer_revisions FORCE ROW LEVEL SECURITY;
CREATE POLICY company_isolation ON answer_revisions
    USING (
        company_id = (SELECT NULLIF(current_setting('voicesurvey.company_id', true), '')::uuid)
        OR (SELECT current_setting('voicesurvey.scope', true)) = 'platform'
    );
