-- When the provider is asked next what the call has cost.
ALTER TABLE call_attempts ADD COLUMN price_due_at INTEGER;

CREATE INDEX call_attempts_prices ON call_attempts (provider, price_due_at, id)
    WHERE price_due_at IS NOT NULL;
