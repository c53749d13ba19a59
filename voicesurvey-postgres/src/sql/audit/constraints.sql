-- What the promises rest on and is not there: unique indexes (I1, I3, I8, I9, I10, I12),
-- constraints that tie states to their columns (I7), and the wall between companies (I11).
SELECT
    'index ' || wanted.name AS subject, NULL::uuid AS id, NULL::uuid AS company_id,
    'is missing, not valid or not unique' AS detail
FROM (VALUES
    ('call_attempts_numbered_once'), ('call_attempts_one_live_per_number'),
    ('call_tasks_pkey'), ('call_attempts_pkey'), ('call_tasks_one_per_number'),
    ('exclusions_pkey'), ('call_events_pkey'),
    ('answers_one_per_question'), ('turns_numbered_once'),
    ('campaign_counters_pkey'), ('campaign_lanes_pkey'), ('campaign_queue_pkey'),
    ('company_queue_pkey'), ('provider_queue_pkey'), ('leadership_is_one_row')
) AS wanted (name)
WHERE NOT EXISTS (
    SELECT FROM pg_index
    WHERE indexrelid = to_regclass(wanted.name) AND indisunique AND indisvalid
)
UNION ALL
SELECT
    'constraint ' || wanted.name, NULL, NULL, 'is missing or not valid'
FROM (VALUES
    ('waiting_has_due_at'), ('in_progress_has_attempt'), ('only_pending_is_claimable'),
    ('only_ended_has_end'), ('call_attempts_attempt_number_check'), ('only_running_is_ready'),
    ('only_calling_is_ready'), ('window_has_two_ends')
) AS wanted (name)
WHERE NOT EXISTS (
    SELECT FROM pg_constraint
    WHERE conname = wanted.name AND convalidated
        AND connamespace = current_schema()::regnamespace
)
UNION ALL
SELECT 'table ' || relname, NULL, NULL, 'shows every company the rows of all'
FROM pg_class
WHERE relnamespace = current_schema()::regnamespace
    AND relkind IN ('r', 'p')
    AND EXISTS (
        SELECT FROM pg_attribute WHERE attrelid = pg_class.oid AND attname = 'company_id'
    )
    AND NOT (relrowsecurity AND relforcerowsecurity)
