CREATE TABLE conversations (
    company_id  uuid NOT NULL,
    attempt_id  uuid NOT NULL,
    task_id     uuid NOT NULL,
    campaign_id uuid NOT NULL,
    language    text NOT NULL,
    position    jsonb NOT NULL,
    step        bigint NOT NULL,
    turns       bigint NOT NULL,
    last_reply  jsonb NOT NULL,
    outcome     text,
    started_at  timestamptz NOT NULL,
    version     bigint NOT NULL,
    PRIMARY KEY (company_id, attempt_id),
    FOREIGN KEY (company_id, attempt_id) REFERENCES call_attempts ON DELETE CASCADE
) WITH (fillfactor = 70);

COMMENT ON TABLE conversations IS 'How far the conversation of an answered call has come.';
COMMENT ON COLUMN conversations.position IS 'What is being waited for.';
COMMENT ON COLUMN conversations.step IS 'How many replies have been given, so that a repeated request is recognised.';
COMMENT ON COLUMN conversations.last_reply IS 'What was said last, for a repeated request.';

CREATE TABLE turns (
    company_id     uuid NOT NULL,
    id             uuid NOT NULL,
    attempt_id     uuid NOT NULL,
    sequence       bigint NOT NULL,
    speaker        text NOT NULL CHECK (speaker IN ('agent', 'person')),
    words          text NOT NULL,
    heard_with     smallint,
    interpretation jsonb,
    question_key   text,
    said_at        timestamptz NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT turns_numbered_once UNIQUE (company_id, attempt_id, sequence),
    FOREIGN KEY (company_id, attempt_id) REFERENCES call_attempts ON DELETE CASCADE
);

COMMENT ON TABLE turns IS 'Everything that was said, in order: the evidence for answers and consents.';
COMMENT ON COLUMN turns.heard_with IS 'How sure the recogniser was, in hundredths.';

CREATE TABLE answers (
    company_id     uuid NOT NULL,
    id             uuid NOT NULL,
    campaign_id    uuid NOT NULL,
    task_id        uuid NOT NULL,
    attempt_id     uuid NOT NULL,
    question_key   text NOT NULL,
    result         jsonb NOT NULL,
    words          text NOT NULL,
    confidence     smallint NOT NULL,
    interpreted_by text NOT NULL,
    repeats        smallint NOT NULL,
    turn_id        uuid NOT NULL,
    given_at       timestamptz NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT answers_one_per_question UNIQUE (company_id, task_id, question_key),
    FOREIGN KEY (company_id, task_id) REFERENCES call_tasks ON DELETE CASCADE
);

COMMENT ON TABLE answers IS 'What became of each question; a later answer replaces an earlier one.';
COMMENT ON COLUMN answers.confidence IS 'How sure the interpreter was, in hundredths.';
COMMENT ON COLUMN answers.turn_id IS 'The turn that proves it.';

CREATE INDEX answers_of_campaign ON answers (company_id, campaign_id, id);

CREATE TABLE consents (
    company_id uuid NOT NULL,
    attempt_id uuid NOT NULL,
    task_id    uuid NOT NULL,
    given      boolean NOT NULL,
    text       text NOT NULL,
    language   text NOT NULL,
    turn_id    uuid NOT NULL,
    given_at   timestamptz NOT NULL,
    PRIMARY KEY (company_id, attempt_id),
    FOREIGN KEY (company_id, attempt_id) REFERENCES call_attempts ON DELETE CASCADE
);

COMMENT ON TABLE consents IS 'That a person agreed or refused to take part, and to which words.';
COMMENT ON COLUMN consents.text IS 'The words that were agreed to or refused.';

CREATE TABLE survey_responses (
    company_id  uuid NOT NULL,
    id          uuid NOT NULL,
    campaign_id uuid NOT NULL,
    task_id     uuid NOT NULL,
    attempt_id  uuid NOT NULL,
    complete    boolean NOT NULL,
    started_at  timestamptz NOT NULL,
    ended_at    timestamptz NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT survey_responses_one_per_task UNIQUE (company_id, task_id),
    FOREIGN KEY (company_id, task_id) REFERENCES call_tasks ON DELETE CASCADE
);

COMMENT ON TABLE survey_responses IS 'The interview as a whole, finished or broken off after an answer.';

ALTER TABLE conversations ENABLE ROW LEVEL SECURITY;
ALTER TABLE conversations FORCE ROW LEVEL SECURITY;
CREATE POLICY company_isolation ON conversations
    USING (
        company_id = (SELECT NULLIF(current_setting('voicesurvey.company_id', true), '')::uuid)
        OR (SELECT current_setting('voicesurvey.scope', true)) = 'platform'
    );

ALTER TABLE turns ENABLE ROW LEVEL SECURITY;
ALTER TABLE turns FORCE ROW LEVEL SECURITY;
CREATE POLICY company_isolation ON turns
    USING (
        company_id = (SELECT NULLIF(current_setting('voicesurvey.company_id', true), '')::uuid)
        OR (SELECT current_setting('voicesurvey.scope', true)) = 'platform'
    );

ALTER TABLE answers ENABLE ROW LEVEL SECURITY;
ALTER TABLE answers FORCE ROW LEVEL SECURITY;
CREATE POLICY company_isolation ON answers
    USING (
        company_id = (SELECT NULLIF(current_setting('voicesurvey.company_id', true), '')::uuid)
        OR (SELECT current_setting('voicesurvey.scope', true)) = 'platform'
    );

ALTER TABLE consents ENABLE ROW LEVEL SECURITY;
ALTER TABLE consents FORCE ROW LEVEL SECURITY;
CREATE POLICY company_isolation ON consents
    USING (
        company_id = (SELECT NULLIF(current_setting('voicesurvey.company_id', true), '')::uuid)
        OR (SELECT current_setting('voicesurvey.scope', true)) = 'platform'
    );

ALTER TABLE survey_responses ENABLE ROW LEVEL SECURITY;
ALTER TABLE survey_responses FORCE ROW LEVEL SECURITY;
CREATE POLICY company_isolation ON survey_responses
    USING (
        company_id = (SELECT NULLIF(current_setting('voicesurvey.company_id', true), '')::uuid)
        OR (SELECT current_setting('voicesurvey.scope', true)) = 'platform'
    );
