-- Notes events, one array per column, and tells which of them are new. Of two that are the same the
-- first is.
INSERT INTO call_events (company_id, attempt_id, event_id, event, received_at)
SELECT company_id, attempt_id, event_id, event, $5
FROM UNNEST($1::uuid[], $2::uuid[], $3::text[], $4::jsonb[]) WITH ORDINALITY
    AS news (company_id, attempt_id, event_id, event, place)
ORDER BY place
ON CONFLICT DO NOTHING
RETURNING attempt_id, event_id, company_id
