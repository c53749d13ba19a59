-- Live attempts whose number has another one in the company (I3).
SELECT
    'attempt' AS subject, id, company_id, 'one of ' || calls || ' calls to one number' AS detail
FROM (
    SELECT id, company_id, count(*) OVER (PARTITION BY company_id, phone_number) AS calls
    FROM call_attempts
    WHERE state IN ('created', 'unknown', 'accepted', 'ringing', 'answered')
) AS live
WHERE calls > 1
