-- Why, in the words of whoever added it, and the API key with which it was added. No foreign key: the
-- exclusion outlives the key.
ALTER TABLE exclusions ADD COLUMN note TEXT;
ALTER TABLE exclusions ADD COLUMN created_by BLOB;

-- Numbers that were taken off an exclusion list: what was removed, by whom, when and why.
CREATE TABLE exclusion_removals (
    company_id   BLOB    NOT NULL REFERENCES companies (company_id),
    id           BLOB    NOT NULL,
    phone_number TEXT    NOT NULL,
    source       TEXT    NOT NULL,
    attempt_id   BLOB,
    note         TEXT,
    created_at   INTEGER NOT NULL,
    created_by   BLOB,
    reason       TEXT    NOT NULL,
    removed_at   INTEGER NOT NULL,
    removed_by   BLOB,
    PRIMARY KEY (company_id, id),
    CONSTRAINT removed_source_is_known CHECK (source IN ('spoken', 'api', 'import', 'staff'))
) STRICT, WITHOUT ROWID;
