ALTER TABLE companies
    ADD COLUMN status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended')),
    ADD COLUMN calls_per_day bigint CHECK (calls_per_day > 0),
    ADD COLUMN calls_per_week bigint CHECK (calls_per_week > 0),
    ADD COLUMN calls_per_month bigint CHECK (calls_per_month > 0),
    ADD COLUMN minimum_gap_minutes bigint CHECK (minimum_gap_minutes > 0);
ALTER TABLE companies ALTER COLUMN status DROP DEFAULT;

COMMENT ON COLUMN companies.calls_per_day IS
    'How often one person may be called in any 24 hours, over all campaigns; null is as often as they want.';
COMMENT ON COLUMN companies.minimum_gap_minutes IS 'Between the starts of two calls to one person.';

ALTER TABLE company_queue
    ADD COLUMN calling boolean NOT NULL DEFAULT true,
    ADD CONSTRAINT only_calling_is_ready CHECK (calling OR ready_at IS NULL);
ALTER TABLE company_queue ALTER COLUMN calling DROP DEFAULT;

COMMENT ON COLUMN company_queue.calling IS 'A company that is suspended is never woken.';
