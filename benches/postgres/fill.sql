-- Copies the one company, campaign, lane and task that are there :companies, :campaigns and :tasks
-- times, and removes the originals. Identifiers are numbers that look like UUIDs.
SET synchronous_commit = off;

CREATE FUNCTION pg_temp.numbered(kind text, number bigint) RETURNS uuid LANGUAGE sql IMMUTABLE
RETURN ('01900000-0000-7000-' || kind || '-' || lpad(to_hex(number), 12, '0'))::uuid;

CREATE TEMPORARY TABLE original AS
SELECT company_id, id AS task_id, campaign_id FROM call_tasks;

CREATE TEMPORARY TABLE place AS
SELECT number, pg_temp.numbered('8000', number % :companies) AS company_id,
    pg_temp.numbered('8001', number) AS campaign_id
FROM generate_series(0, :campaigns - 1) AS number;

INSERT INTO companies
SELECT (jsonb_populate_record(
    company, jsonb_build_object('company_id', pg_temp.numbered('8000', number))
)).*
FROM companies AS company CROSS JOIN generate_series(0, :companies - 1) AS number;

INSERT INTO company_queue
SELECT (jsonb_populate_record(
    queue, jsonb_build_object('company_id', pg_temp.numbered('8000', number))
)).*
FROM company_queue AS queue CROSS JOIN generate_series(0, :companies - 1) AS number;

INSERT INTO skillbases
SELECT (jsonb_populate_record(
    skillbase, jsonb_build_object('company_id', pg_temp.numbered('8000', number))
)).*
FROM skillbases AS skillbase CROSS JOIN generate_series(0, :companies - 1) AS number;

INSERT INTO campaigns
SELECT (jsonb_populate_record(
    campaign, jsonb_build_object('company_id', place.company_id, 'id', place.campaign_id)
)).*
FROM campaigns AS campaign CROSS JOIN place;

INSERT INTO campaign_queue
SELECT (jsonb_populate_record(
    queue,
    jsonb_build_object('company_id', place.company_id, 'campaign_id', place.campaign_id)
)).*
FROM campaign_queue AS queue CROSS JOIN place;

INSERT INTO call_tasks (
    company_id, id, campaign_id, phone_number, name, language, time_zones, priority, extra, status,
    due_at, lane_id, claimable_since, attempts_count, attempts_spent, created_at, updated_at,
    version
)
SELECT pg_temp.numbered('8000', number % :campaigns % :companies),
    pg_temp.numbered('8002', number), pg_temp.numbered('8001', number % :campaigns),
    '+39347' || lpad(number::text, 7, '0'), task.name, task.language, task.time_zones,
    task.priority, task.extra, task.status, task.due_at + number * INTERVAL '1 microsecond',
    task.lane_id, task.due_at + number * INTERVAL '1 microsecond', 0, 0, task.created_at,
    task.updated_at, 1
FROM call_tasks AS task CROSS JOIN generate_series(0, :tasks - 1) AS number;

CREATE TEMPORARY TABLE held AS
SELECT company_id, campaign_id, count(*) AS tasks
FROM call_tasks
WHERE campaign_id <> (SELECT campaign_id FROM original)
GROUP BY company_id, campaign_id;

INSERT INTO campaign_lanes
SELECT (jsonb_populate_record(
    lane,
    jsonb_build_object(
        'company_id', held.company_id, 'campaign_id', held.campaign_id, 'claimable', held.tasks
    )
)).*
FROM campaign_lanes AS lane CROSS JOIN held;

INSERT INTO campaign_counters (company_id, campaign_id, kind, name, count)
SELECT company_id, campaign_id, 'task', 'pending', tasks FROM held;

DELETE FROM campaigns WHERE id = (SELECT campaign_id FROM original);
DELETE FROM companies WHERE company_id = (SELECT company_id FROM original);
RESET synchronous_commit;
