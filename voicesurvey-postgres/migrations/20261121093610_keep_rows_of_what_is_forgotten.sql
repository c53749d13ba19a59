ALTER TABLE conversations ADD COLUMN is_forgotten boolean NOT NULL DEFAULT false;

COMMENT ON COLUMN conversations.is_forgotten IS
    'What was said in it was too old and is gone; the row stays, because results are made of it.';

CREATE INDEX conversations_to_forget ON conversations (company_id, attempt_id) WHERE NOT is_forgotten;
CREATE INDEX answers_to_forget ON answers (company_id, campaign_id, id)
    WHERE result ->> 'result' <> 'forgotten';
