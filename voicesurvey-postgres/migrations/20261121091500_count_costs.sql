ALTER TABLE campaign_counters
    DROP CONSTRAINT campaign_counters_kind_check,
    ADD CONSTRAINT campaign_counters_kind_check CHECK (
        kind IN ('attempt', 'cost_calls', 'cost_millionths', 'outcome', 'reason', 'task')
    );

COMMENT ON COLUMN campaign_counters.kind IS
    'What is counted: tasks by status, tasks by reason, attempts by state, attempts by outcome, priced calls by currency and what they cost in millionths of its unit.';
