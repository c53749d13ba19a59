-- What the promises rest on and is not there: unique indexes (I1, I3, I8, I10, I12), and
-- constraints that tie states to their columns (I7). SQLite keeps names of constraints in the text of a table.
SELECT
    'constraint ' || wanted.name AS subject, NULL AS id, NULL AS company_id, 'is missing' AS detail
FROM (
    SELECT 'call_attempts' AS owner, 'attempt_number_is_once_in_task UNIQUE' AS name
    UNION ALL SELECT 'call_attempts', 'attempts_are_numbered_from_one CHECK'
    UNION ALL SELECT 'call_attempts', 'only_ended_attempt_has_ended_at CHECK'
    UNION ALL SELECT 'call_attempts', 'PRIMARY KEY (company_id, id)'
    UNION ALL SELECT 'call_tasks', 'number_is_once_in_campaign UNIQUE'
    UNION ALL SELECT 'call_tasks', 'waiting_task_has_due_at CHECK'
    UNION ALL SELECT 'call_tasks', 'task_in_progress_has_attempt CHECK'
    UNION ALL SELECT 'call_tasks', 'only_pending_task_is_claimable'
    UNION ALL SELECT 'call_tasks', 'PRIMARY KEY (company_id, id)'
    UNION ALL SELECT 'exclusions', 'PRIMARY KEY (company_id, phone_number)'
    UNION ALL SELECT 'provider_events', 'PRIMARY KEY (company_id, attempt_id, event_id)'
    UNION ALL SELECT 'campaign_counters', 'counter_is_never_negative CHECK'
    UNION ALL SELECT 'campaign_queue', 'campaign_in_flight_is_a_count CHECK'
    UNION ALL SELECT 'company_queue', 'company_in_flight_is_a_count CHECK'
) AS wanted
WHERE NOT EXISTS (
    SELECT 1 FROM sqlite_schema
    WHERE type = 'table' AND name = wanted.owner AND instr(sql, wanted.name) > 0
)
UNION ALL
SELECT 'index ' || wanted.name, NULL, NULL, 'is missing or not unique'
FROM (SELECT 'call_attempts_one_live_per_number' AS name) AS wanted
WHERE NOT EXISTS (
    SELECT 1 FROM sqlite_schema
    WHERE type = 'index' AND name = wanted.name AND sql LIKE 'CREATE UNIQUE INDEX %'
)
