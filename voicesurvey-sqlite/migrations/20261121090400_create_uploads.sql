-- What became of each uploaded call list.
CREATE TABLE uploads (
    company_id             BLOB    NOT NULL,
    id                     BLOB    NOT NULL,
    campaign_id            BLOB    NOT NULL,
    file_name              TEXT    NOT NULL,
    columns                TEXT    NOT NULL, -- JSON: the file's header
    total_rows             INTEGER NOT NULL,
    created                INTEGER NOT NULL,
    duplicates_in_list     INTEGER NOT NULL,
    duplicates_in_campaign INTEGER NOT NULL,
    excluded               INTEGER NOT NULL,
    errors                 TEXT    NOT NULL, -- JSON: the rows that were not taken, in the file's order
    created_at             INTEGER NOT NULL,
    PRIMARY KEY (company_id, id),
    FOREIGN KEY (company_id, campaign_id) REFERENCES campaigns (company_id, id) ON DELETE CASCADE,
    CONSTRAINT upload_columns_is_json CHECK (json_valid(columns)),
    CONSTRAINT upload_errors_is_json CHECK (json_valid(errors))
) STRICT;

CREATE INDEX uploads_of_campaign ON uploads (company_id, campaign_id);
