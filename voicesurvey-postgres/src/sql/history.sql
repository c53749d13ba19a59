-- When the company called a number since then, in any campaign, as far as it counts: the outcomes
-- left out are those that core's Outcome does not count as a contact.
SELECT created_at
FROM call_attempts
WHERE company_id = $1
    AND phone_number = $2
    AND created_at >= $3
    AND id IS DISTINCT FROM $4
    AND (
        outcome IS NULL OR outcome NOT IN (
            'cancelled', 'provider_failure', 'provider_rejected'
        )
    )
