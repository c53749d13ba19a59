-- For how many days a company keeps what it knows about people. A company without a row keeps
-- everything.
CREATE TABLE company_retention (
    company_id BLOB NOT NULL PRIMARY KEY REFERENCES companies (company_id),
    retention  TEXT NOT NULL, -- JSON
    CONSTRAINT retention_is_json CHECK (json_valid(retention))
) STRICT, WITHOUT ROWID;
