-- Calls that a provider took long after their number was excluded (I8).
SELECT
    'attempt' AS subject, attempt.id, attempt.company_id,
    'its number is excluded since ' || exclusion.created_at AS detail
FROM exclusions AS exclusion
JOIN call_attempts AS attempt
    ON attempt.company_id = exclusion.company_id AND attempt.phone_number = exclusion.phone_number
WHERE attempt.created_at > exclusion.created_at + (SELECT excluded_since FROM asked)
    AND attempt.accepted_at IS NOT NULL
    AND attempt.outcome IS DISTINCT FROM 'cancelled'
UNION ALL
SELECT
    'attempt', attempt.id, attempt.company_id,
    'its number is excluded by the operator since ' || exclusion.created_at
FROM operator_exclusions AS exclusion
JOIN call_attempts AS attempt ON attempt.phone_number = exclusion.phone_number
WHERE attempt.created_at > exclusion.created_at + (SELECT excluded_since FROM asked)
    AND attempt.accepted_at IS NOT NULL
    AND attempt.outcome IS DISTINCT FROM 'cancelled'
