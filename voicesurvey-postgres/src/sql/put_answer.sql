-- Stores what became of a question; a later answer of the task replaces an earlier one, unless a
-- person has reviewed that.
INSERT INTO answers (
    company_id, id, campaign_id, task_id, attempt_id, question_key, result, words, confidence,
    interpreted_by, repeats, turn_id, given_at, doubt, revision, reviewed_at, reviewed_by
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
ON CONFLICT (company_id, task_id, question_key) DO UPDATE
SET id = excluded.id,
    attempt_id = excluded.attempt_id,
    result = excluded.result,
    words = excluded.words,
    confidence = excluded.confidence,
    interpreted_by = excluded.interpreted_by,
    repeats = excluded.repeats,
    turn_id = excluded.turn_id,
    given_at = excluded.given_at,
    doubt = excluded.doubt,
    revision = excluded.revision,
    reviewed_at = excluded.reviewed_at,
    reviewed_by = excluded.reviewed_by
WHERE answers.reviewed_at IS NULL
