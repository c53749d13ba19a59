-- Events of the provider, each noted once. No foreign key on the attempt: an event of an attempt
-- that is not known is noted as well.
CREATE TABLE provider_events (
    company_id  BLOB    NOT NULL REFERENCES companies (company_id),
    attempt_id  BLOB    NOT NULL,
    event_id    TEXT    NOT NULL, -- the provider's, unique within the attempt
    body        TEXT    NOT NULL, -- JSON
    received_at INTEGER NOT NULL,
    PRIMARY KEY (company_id, attempt_id, event_id),
    CONSTRAINT provider_event_body_is_json CHECK (json_valid(body))
) STRICT;

-- Events for subscribers.
CREATE TABLE outbox_events (
    company_id BLOB    NOT NULL REFERENCES companies (company_id),
    id         BLOB    NOT NULL,
    kind       TEXT    NOT NULL, -- such as survey.completed
    body       TEXT    NOT NULL, -- JSON
    at         INTEGER NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT outbox_event_body_is_json CHECK (json_valid(body))
) STRICT;
