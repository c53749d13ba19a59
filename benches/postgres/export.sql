-- An interview for each task that is there: one call, a question that was put and answered, consent and
-- response, as they are stored. Counters and sums are left alone: nothing that is measured reads them.
SET synchronous_commit = off;

CREATE FUNCTION pg_temp.of_task(kind text, task_id uuid) RETURNS uuid LANGUAGE sql IMMUTABLE
RETURN overlay(task_id::text PLACING kind FROM 20 FOR 4)::uuid;

CREATE TEMPORARY TABLE interview AS
SELECT company_id, campaign_id, id AS task_id, phone_number,
    pg_temp.of_task('8003', id) AS attempt_id, pg_temp.of_task('8004', id) AS answer_id,
    pg_temp.of_task('8005', id) AS turn_id, pg_temp.of_task('8006', id) AS next_turn_id,
    pg_temp.of_task('8007', id) AS response_id, due_at AS at
FROM call_tasks;

UPDATE call_tasks
SET status = 'completed', outcome = 'completed', due_at = NULL, claimable_since = NULL,
    attempts_count = 1, attempts_spent = 1, last_attempt_at = due_at;

INSERT INTO call_attempts (
    company_id, id, campaign_id, task_id, attempt_number, phone_number, provider, provider_call_id,
    state, dial_before, lease_until, created_at, accepted_at, answered_at, ended_at, outcome, version
)
SELECT company_id, attempt_id, campaign_id, task_id, 1, phone_number, 'bench', attempt_id::text,
    'ended', at, at, at, at, at + INTERVAL '9 s', at + INTERVAL '70 s', 'completed', 1
FROM interview;

INSERT INTO conversations (
    company_id, attempt_id, task_id, campaign_id, language, position, step, turns, last_reply,
    outcome, started_at, version
)
SELECT company_id, attempt_id, task_id, campaign_id, 'it', '{"at": "ended"}', 4, 2, '{}',
    'completed', at + INTERVAL '9 s', 1
FROM interview;

INSERT INTO turns (company_id, id, attempt_id, sequence, speaker, words, question_key, said_at)
SELECT company_id, turn_id, attempt_id, 1, 'agent', 'È soddisfatto?', 'satisfied',
    at + INTERVAL '20 s'
FROM interview
UNION ALL
SELECT company_id, next_turn_id, attempt_id, 2, 'person', 'sì, abbastanza', 'satisfied',
    at + INTERVAL '24 s'
FROM interview;

INSERT INTO consents (company_id, attempt_id, task_id, given, text, language, turn_id, given_at)
SELECT company_id, attempt_id, task_id, true, 'Posso farle una domanda?', 'it', turn_id,
    at + INTERVAL '15 s'
FROM interview;

INSERT INTO answers (
    company_id, id, campaign_id, task_id, attempt_id, question_key, result, words, confidence,
    interpreted_by, repeats, turn_id, given_at
)
SELECT company_id, answer_id, campaign_id, task_id, attempt_id, 'satisfied',
    '{"result": "answered", "value": {"type": "yes_no", "value": true}}', 'sì, abbastanza', 95,
    'rules', 0, next_turn_id, at + INTERVAL '24 s'
FROM interview;

INSERT INTO survey_responses (
    company_id, id, campaign_id, task_id, attempt_id, complete, started_at, ended_at
)
SELECT company_id, response_id, campaign_id, task_id, attempt_id, true, at + INTERVAL '9 s',
    at + INTERVAL '70 s'
FROM interview;

DROP TABLE interview;

VACUUM ANALYZE;
