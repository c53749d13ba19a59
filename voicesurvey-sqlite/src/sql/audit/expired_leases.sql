-- Live attempts that nobody looks after although their lease ran out long ago (I7).
SELECT
    'attempt' AS subject, id, company_id,
    'was due at ' || strftime('%F %T', lease_until / 1000000, 'unixepoch') AS detail
FROM call_attempts
WHERE state <> 'ended' AND lease_until <= (SELECT overdue FROM asked)
