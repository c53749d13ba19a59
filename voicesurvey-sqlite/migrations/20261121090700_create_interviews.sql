-- How far the conversation of an attempt has come.
CREATE TABLE conversations (
    company_id  BLOB    NOT NULL,
    attempt_id  BLOB    NOT NULL,
    task_id     BLOB    NOT NULL,
    campaign_id BLOB    NOT NULL,
    language    TEXT    NOT NULL,
    position    TEXT    NOT NULL, -- JSON: what is being waited for
    step        INTEGER NOT NULL, -- replies given
    turns       INTEGER NOT NULL, -- turns stored
    last_reply  TEXT    NOT NULL, -- JSON
    outcome     TEXT,
    started_at  INTEGER NOT NULL,
    version     INTEGER NOT NULL,
    PRIMARY KEY (company_id, attempt_id),
    FOREIGN KEY (company_id, attempt_id) REFERENCES call_attempts (company_id, id) ON DELETE CASCADE,
    CONSTRAINT conversation_position_is_json CHECK (json_valid(position)),
    CONSTRAINT conversation_last_reply_is_json CHECK (json_valid(last_reply))
) STRICT;

-- What was said.
CREATE TABLE turns (
    company_id     BLOB    NOT NULL,
    id             BLOB    NOT NULL,
    attempt_id     BLOB    NOT NULL,
    sequence       INTEGER NOT NULL, -- 1, 2, 3 … within the call
    speaker        TEXT    NOT NULL,
    words          TEXT    NOT NULL,
    heard_with     INTEGER,          -- the recogniser's confidence, in hundredths
    interpretation TEXT,             -- JSON
    question_key   TEXT,
    at             INTEGER NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT turn_is_once_in_call UNIQUE (company_id, attempt_id, sequence),
    FOREIGN KEY (company_id, attempt_id) REFERENCES call_attempts (company_id, id) ON DELETE CASCADE,
    CONSTRAINT turn_speaker_is_known CHECK (speaker IN ('agent', 'person')),
    CONSTRAINT turn_interpretation_is_json
        CHECK (interpretation IS NULL OR json_valid(interpretation))
) STRICT;

-- What became of each question. The turn that proves it has no foreign key, because words are
-- erased earlier than answers.
CREATE TABLE answers (
    company_id     BLOB    NOT NULL,
    id             BLOB    NOT NULL,
    campaign_id    BLOB    NOT NULL,
    task_id        BLOB    NOT NULL,
    attempt_id     BLOB    NOT NULL,
    question_key   TEXT    NOT NULL,
    result         TEXT    NOT NULL, -- JSON
    words          TEXT    NOT NULL,
    confidence     INTEGER NOT NULL, -- in hundredths
    interpreted_by TEXT    NOT NULL,
    repeats        INTEGER NOT NULL,
    turn_id        BLOB    NOT NULL,
    at             INTEGER NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT question_is_answered_once UNIQUE (company_id, task_id, question_key),
    FOREIGN KEY (company_id, task_id) REFERENCES call_tasks (company_id, id) ON DELETE CASCADE,
    CONSTRAINT answer_result_is_json CHECK (json_valid(result)),
    CONSTRAINT answer_confidence_is_in_hundredths CHECK (confidence BETWEEN 0 AND 100)
) STRICT;

CREATE INDEX answers_of_campaign ON answers (company_id, campaign_id, id);

-- That a person agreed or refused to take part, and to which words.
CREATE TABLE consents (
    company_id BLOB    NOT NULL,
    attempt_id BLOB    NOT NULL,
    task_id    BLOB    NOT NULL,
    given      INTEGER NOT NULL,
    text       TEXT    NOT NULL,
    language   TEXT    NOT NULL,
    turn_id    BLOB    NOT NULL,
    at         INTEGER NOT NULL,
    PRIMARY KEY (company_id, attempt_id),
    FOREIGN KEY (company_id, attempt_id) REFERENCES call_attempts (company_id, id) ON DELETE CASCADE,
    CONSTRAINT consent_given_is_boolean CHECK (given IN (0, 1))
) STRICT;

-- The interview as a whole.
CREATE TABLE survey_responses (
    company_id  BLOB    NOT NULL,
    id          BLOB    NOT NULL,
    campaign_id BLOB    NOT NULL,
    task_id     BLOB    NOT NULL,
    attempt_id  BLOB    NOT NULL,
    complete    INTEGER NOT NULL,
    started_at  INTEGER NOT NULL,
    ended_at    INTEGER NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT task_has_one_response UNIQUE (company_id, task_id),
    FOREIGN KEY (company_id, task_id) REFERENCES call_tasks (company_id, id) ON DELETE CASCADE,
    CONSTRAINT response_complete_is_boolean CHECK (complete IN (0, 1))
) STRICT;
