-- The rows that a cycle changes, in as many transactions as there are steps: claim, dial recorded,
-- call settled. In batches over all companies at once, with constants for what a program works out.
BEGIN;
:claim
\gset
COMMIT;
BEGIN;
WITH named AS MATERIALIZED (
    SELECT * FROM UNNEST(:companies::uuid[], :attempts::uuid[]) AS named (company_id, id)
)
UPDATE call_attempts AS attempt
SET provider_call_id = 'CA' || attempt.id, state = 'accepted',
    accepted_at = statement_timestamp(),
    lease_until = statement_timestamp() + INTERVAL '90 seconds', version = attempt.version + 1
FROM named
WHERE attempt.company_id = named.company_id AND attempt.id = named.id AND attempt.version = 1;
SELECT count(*) FROM (
    SELECT company_id FROM company_queue WHERE company_id = ANY (:companies::uuid[])
    ORDER BY company_id FOR NO KEY UPDATE
) AS locked;
INSERT INTO campaign_counters AS counters (company_id, campaign_id, kind, name, count)
SELECT company_id, campaign_id, 'attempt', change.name, sum(change.by)
FROM UNNEST(:companies::uuid[], :campaigns::uuid[]) AS named (company_id, campaign_id)
CROSS JOIN (VALUES ('accepted', 1), ('created', -1)) AS change (name, by)
GROUP BY company_id, campaign_id, change.name
ORDER BY company_id, campaign_id, change.name COLLATE "C"
ON CONFLICT (company_id, campaign_id, kind, name)
DO UPDATE SET count = counters.count + excluded.count;
COMMIT;
BEGIN;
INSERT INTO call_events (company_id, attempt_id, event_id, event, received_at)
SELECT company_id, id, 'ended',
    jsonb_build_object('company_id', company_id, 'attempt_id', id, 'event_id', 'ended',
        'provider_call_id', 'CA' || id, 'kind', jsonb_build_object('kind', 'ended'),
        'at', statement_timestamp(), 'raw_status', 'no-answer'),
    statement_timestamp()
FROM UNNEST(:companies::uuid[], :attempts::uuid[]) AS named (company_id, id)
ON CONFLICT DO NOTHING;
WITH named AS MATERIALIZED (
    SELECT * FROM UNNEST(:companies::uuid[], :attempts::uuid[]) AS named (company_id, id)
)
UPDATE call_attempts AS attempt
SET state = 'ended', ended_at = statement_timestamp(), outcome = 'no_answer',
    raw_status = 'no-answer', version = attempt.version + 1
FROM named
WHERE attempt.company_id = named.company_id AND attempt.id = named.id AND attempt.version = 2;
WITH named AS MATERIALIZED (
    SELECT * FROM UNNEST(:companies::uuid[], :tasks::uuid[]) AS named (company_id, id)
)
UPDATE call_tasks AS task
SET status = 'retry', due_at = statement_timestamp() + INTERVAL '1 day', attempt_id = NULL,
    attempts_spent = 1, outcome = 'no_answer', updated_at = statement_timestamp(),
    version = task.version + 1
FROM named
WHERE task.company_id = named.company_id AND task.id = named.id AND task.version = 2;
SELECT count(*) FROM (
    SELECT company_id FROM company_queue WHERE company_id = ANY (:companies::uuid[])
    ORDER BY company_id FOR NO KEY UPDATE
) AS locked;
UPDATE company_queue AS queue
SET in_flight = queue.in_flight - ended.calls,
    ready_at = LEAST(queue.ready_at, statement_timestamp())
FROM (
    SELECT company_id, count(*) AS calls FROM UNNEST(:companies::uuid[]) AS company_id
    GROUP BY company_id
) AS ended
WHERE queue.company_id = ended.company_id;
UPDATE campaign_queue AS queue
SET in_flight = queue.in_flight - ended.calls,
    ready_at = LEAST(queue.ready_at, statement_timestamp())
FROM (
    SELECT company_id, campaign_id, count(*) AS calls
    FROM UNNEST(:companies::uuid[], :campaigns::uuid[]) AS named (company_id, campaign_id)
    GROUP BY company_id, campaign_id
) AS ended
WHERE queue.company_id = ended.company_id AND queue.campaign_id = ended.campaign_id;
INSERT INTO campaign_counters AS counters (company_id, campaign_id, kind, name, count)
SELECT company_id, campaign_id, change.kind, change.name, sum(change.by)
FROM UNNEST(:companies::uuid[], :campaigns::uuid[]) AS named (company_id, campaign_id)
CROSS JOIN (
    VALUES ('attempt', 'accepted', -1), ('attempt', 'ended', 1), ('outcome', 'no_answer', 1),
        ('task', 'in_progress', -1), ('task', 'retry', 1)
) AS change (kind, name, by)
GROUP BY company_id, campaign_id, change.kind, change.name
ORDER BY company_id, campaign_id, change.kind COLLATE "C", change.name COLLATE "C"
ON CONFLICT (company_id, campaign_id, kind, name)
DO UPDATE SET count = counters.count + excluded.count;
COMMIT;
