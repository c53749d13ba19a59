-- Numbers that a company must not call again.
CREATE TABLE exclusions (
    company_id   BLOB    NOT NULL REFERENCES companies (company_id),
    phone_number TEXT    NOT NULL, -- E.164
    source       TEXT    NOT NULL,
    -- No foreign key: the exclusion outlives the campaign in which the person asked for it.
    attempt_id   BLOB,
    created_at   INTEGER NOT NULL,
    PRIMARY KEY (company_id, phone_number),
    CONSTRAINT exclusion_source_is_known CHECK (source IN ('spoken', 'api', 'import', 'staff'))
) STRICT, WITHOUT ROWID;
