ALTER TABLE companies ADD COLUMN status TEXT NOT NULL DEFAULT 'active'
    CONSTRAINT company_status_is_known CHECK (status IN ('active', 'suspended'));
ALTER TABLE companies ADD COLUMN caps TEXT NOT NULL DEFAULT '{}' -- JSON: how often one person is called
    CONSTRAINT company_caps_is_json CHECK (json_valid(caps));

-- When a company called a number, over all its campaigns.
CREATE INDEX call_attempts_by_number ON call_attempts (company_id, phone_number, created_at, id);
