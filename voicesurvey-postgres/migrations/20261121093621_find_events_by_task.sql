-- Erasure looks for what subscribers were told of a person. A column, because row level security lets
-- no index be used on an expression that looks into the body.
ALTER TABLE outbox_events
    ADD COLUMN task_id text GENERATED ALWAYS AS (body ->> 'task_id') STORED;

COMMENT ON COLUMN outbox_events.task_id IS 'The task that the event tells of, if it tells of one.';

CREATE INDEX outbox_events_of_task ON outbox_events (company_id, task_id)
    WHERE task_id IS NOT NULL;
