-- Erasure looks for what subscribers were told of a person.
CREATE INDEX outbox_events_of_task ON outbox_events (company_id, body ->> 'task_id');
