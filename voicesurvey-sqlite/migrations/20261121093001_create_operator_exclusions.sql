-- Numbers that no company may call. The list belongs to no company.
CREATE TABLE operator_exclusions (
    phone_number TEXT    NOT NULL PRIMARY KEY, -- E.164
    source       TEXT    NOT NULL,
    note         TEXT,
    created_at   INTEGER NOT NULL,
    CONSTRAINT operator_source_is_known CHECK (source IN ('spoken', 'api', 'import', 'staff'))
) STRICT, WITHOUT ROWID;

-- Numbers that the operator took off the list again, when and why.
CREATE TABLE operator_exclusion_removals (
    id           BLOB    NOT NULL PRIMARY KEY,
    phone_number TEXT    NOT NULL,
    source       TEXT    NOT NULL,
    note         TEXT,
    created_at   INTEGER NOT NULL,
    reason       TEXT    NOT NULL,
    removed_at   INTEGER NOT NULL,
    CONSTRAINT operator_removed_source_is_known
        CHECK (source IN ('spoken', 'api', 'import', 'staff'))
) STRICT, WITHOUT ROWID;
