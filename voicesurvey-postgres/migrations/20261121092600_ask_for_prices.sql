ALTER TABLE call_attempts ADD COLUMN price_due_at timestamptz;

COMMENT ON COLUMN call_attempts.price_due_at IS 'When the provider is asked next what the call has cost.';

CREATE INDEX call_attempts_prices ON call_attempts (provider, price_due_at)
    WHERE price_due_at IS NOT NULL;
