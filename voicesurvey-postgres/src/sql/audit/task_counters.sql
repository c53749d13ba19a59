-- Counts of tasks that differ from the tasks (I12).
SELECT
    'campaign' AS subject, campaign_id AS id, company_id,
    kind || ' ' || name || ': ' || COALESCE(kept.count, 0) || ' counted, '
        || COALESCE(stored.rows, 0) || ' stored' AS detail
FROM (
    SELECT company_id, campaign_id, kind, name, count
    FROM campaign_counters
    WHERE kind IN ('task', 'reason', 'cell')
) AS kept
FULL JOIN (
    SELECT company_id, campaign_id, 'task' AS kind, status AS name, count(*) AS rows
    FROM call_tasks
    GROUP BY company_id, campaign_id, status
    UNION ALL
    SELECT company_id, campaign_id, 'reason', reason, count(*)
    FROM call_tasks
    WHERE reason IS NOT NULL
    GROUP BY company_id, campaign_id, reason
    UNION ALL
    SELECT company_id, campaign_id, 'cell', cell || ':' || status, count(*)
    FROM call_tasks CROSS JOIN LATERAL unnest(string_to_array(cells, ',')) AS cell
    WHERE cells <> ''
    GROUP BY company_id, campaign_id, cell, status
) AS stored USING (company_id, campaign_id, kind, name)
WHERE COALESCE(kept.count, 0) <> COALESCE(stored.rows, 0)
