-- Files that were asked for: who took which data away, and when.
CREATE TABLE exports (
    company_id   BLOB    NOT NULL,
    id           BLOB    NOT NULL,
    campaign_id  BLOB    NOT NULL,
    kind         TEXT    NOT NULL,
    format       TEXT    NOT NULL,
    filter       TEXT    NOT NULL, -- JSON
    requested_by BLOB    NOT NULL, -- the key it was asked for with
    link         BLOB,             -- SHA-256 of the secret in the link; absent of one that was streamed
    state        TEXT    NOT NULL,
    run          INTEGER NOT NULL, -- how often it was begun
    lease_until  INTEGER,
    people       INTEGER NOT NULL, -- whose records have been read
    rows         INTEGER NOT NULL,
    bytes        INTEGER NOT NULL,
    pieces       INTEGER NOT NULL, -- how many pieces of the contents there are
    failure      TEXT,
    created_at   INTEGER NOT NULL,
    ended_at     INTEGER,
    expires_at   INTEGER,
    PRIMARY KEY (company_id, id),
    FOREIGN KEY (company_id, campaign_id) REFERENCES campaigns (company_id, id) ON DELETE CASCADE,
    CONSTRAINT export_filter_is_json CHECK (json_valid(filter)),
    CONSTRAINT export_link_is_a_hash CHECK (length(link) = 32),
    CONSTRAINT export_state_is_known
        CHECK (state IN ('streamed', 'waiting', 'running', 'done', 'failed', 'expired')),
    CONSTRAINT running_exports_have_a_lease CHECK ((state = 'running') = (lease_until IS NOT NULL)),
    CONSTRAINT failed_exports_say_why CHECK ((state = 'failed') = (failure IS NOT NULL)),
    CONSTRAINT finished_exports_expire CHECK (state <> 'done' OR expires_at IS NOT NULL)
) STRICT;

CREATE INDEX exports_of_campaign ON exports (company_id, campaign_id, created_at);
CREATE INDEX exports_to_write ON exports (created_at) WHERE state IN ('waiting', 'running');
CREATE INDEX exports_to_expire ON exports (expires_at) WHERE state = 'done';

-- The contents of files that are fetched later, until they expire.
CREATE TABLE export_pieces (
    company_id BLOB    NOT NULL,
    export_id  BLOB    NOT NULL,
    number     INTEGER NOT NULL,
    content    BLOB    NOT NULL,
    PRIMARY KEY (company_id, export_id, number),
    FOREIGN KEY (company_id, export_id) REFERENCES exports (company_id, id) ON DELETE CASCADE
) STRICT;
