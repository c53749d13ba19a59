-- Stores what became of a question; a later answer of the task replaces an earlier one.
INSERT INTO answers (
    company_id, id, campaign_id, task_id, attempt_id, question_key, result, words, confidence,
    interpreted_by, repeats, turn_id, given_at
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
ON CONFLICT (company_id, task_id, question_key) DO UPDATE
SET id = excluded.id,
    attempt_id = excluded.attempt_id,
    result = excluded.result,
    words = excluded.words,
    confidence = excluded.confidence,
    interpreted_by = excluded.interpreted_by,
    repeats = excluded.repeats,
    turn_id = excluded.turn_id,
    given_at = excluded.given_at
