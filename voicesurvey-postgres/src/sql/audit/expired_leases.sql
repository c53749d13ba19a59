-- Live attempts that nobody looks after although their lease ran out long ago (I7).
SELECT
    'attempt' AS subject, id, company_id, 'was due at ' || lease_until AS detail
FROM call_attempts
WHERE state IN ('created', 'unknown', 'accepted', 'ringing', 'answered')
    AND lease_until <= (SELECT overdue FROM asked)
