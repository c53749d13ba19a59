ALTER TABLE conversations ADD COLUMN memory TEXT NOT NULL DEFAULT '{}' -- JSON: what it remembers besides
    CONSTRAINT conversation_memory_is_json CHECK (json_valid(memory));

-- Empty for consents from before there were versions.
ALTER TABLE consents ADD COLUMN text_version TEXT NOT NULL DEFAULT '';
ALTER TABLE consents ADD COLUMN interpreted_by TEXT NOT NULL DEFAULT 'rules';

-- Why a person should look at it.
ALTER TABLE answers ADD COLUMN doubt TEXT
    CONSTRAINT answer_doubt_is_known
    CHECK (doubt IN ('low_confidence', 'disagreement', 'unconfirmed'));
-- How often a person has corrected or accepted it, and when and with which key they last did.
ALTER TABLE answers ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
ALTER TABLE answers ADD COLUMN reviewed_at INTEGER;
ALTER TABLE answers ADD COLUMN reviewed_by BLOB;

CREATE INDEX answers_to_review ON answers (company_id, id)
    WHERE doubt IS NOT NULL AND reviewed_at IS NULL;

-- What answers were before a person corrected them.
CREATE TABLE answer_revisions (
    company_id     BLOB    NOT NULL,
    answer_id      BLOB    NOT NULL,
    number         INTEGER NOT NULL, -- the answer's revision when it was replaced
    result         TEXT    NOT NULL, -- JSON
    confidence     INTEGER NOT NULL, -- in hundredths
    interpreted_by TEXT    NOT NULL,
    note           TEXT,             -- why it was corrected
    replaced_at    INTEGER NOT NULL,
    replaced_by    BLOB    NOT NULL,
    PRIMARY KEY (company_id, answer_id, number),
    FOREIGN KEY (company_id, answer_id) REFERENCES answers (company_id, id)
        ON UPDATE CASCADE ON DELETE CASCADE,
    CONSTRAINT revision_result_is_json CHECK (json_valid(result)),
    CONSTRAINT revision_confidence_is_in_hundredths CHECK (confidence BETWEEN 0 AND 100)
) STRICT;
