-- Responses whose call does not exist or is another task's, and complete ones without consent (I9).
-- An interview that was taken up again has the consent of an earlier call. The consent of somebody
-- who was erased is gone with them; the number of their calls is nobody's.
SELECT
    'response' AS subject, response.id, response.company_id,
    CASE
        WHEN attempt.id IS NULL THEN 'its call does not exist'
        WHEN attempt.task_id <> response.task_id THEN 'its call is another task''s'
        ELSE 'it is complete without consent'
    END AS detail
FROM survey_responses AS response
LEFT JOIN call_attempts AS attempt
    ON attempt.company_id = response.company_id AND attempt.id = response.attempt_id
LEFT JOIN (
    SELECT DISTINCT company_id, task_id FROM consents WHERE given
) AS consented
    ON consented.company_id = response.company_id AND consented.task_id = response.task_id
WHERE attempt.id IS NULL OR attempt.task_id <> response.task_id
    OR response.complete AND consented.task_id IS NULL
        AND attempt.phone_number NOT LIKE '+999%'
