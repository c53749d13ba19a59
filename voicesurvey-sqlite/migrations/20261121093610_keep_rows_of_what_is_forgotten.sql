-- What was said in it was too old and is gone; the row stays, because results are made of it.
ALTER TABLE conversations ADD COLUMN is_forgotten INTEGER NOT NULL DEFAULT 0
    CONSTRAINT conversation_is_forgotten_is_boolean CHECK (is_forgotten IN (0, 1));

CREATE INDEX conversations_to_forget ON conversations (company_id, attempt_id)
    WHERE is_forgotten = 0;
CREATE INDEX answers_to_forget ON answers (company_id, campaign_id, id)
    WHERE result ->> 'result' <> 'forgotten';
