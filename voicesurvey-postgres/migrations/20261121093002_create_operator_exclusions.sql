CREATE TABLE operator_exclusions (
    phone_number text PRIMARY KEY,
    source       text NOT NULL CHECK (source IN ('spoken', 'api', 'import', 'staff')),
    note         text,
    created_at   timestamptz NOT NULL
);

COMMENT ON TABLE operator_exclusions IS
    'Numbers that no company may call. Belongs to no company; a distributed database keeps a copy on every node.';

CREATE TABLE operator_exclusion_removals (
    id           uuid PRIMARY KEY,
    phone_number text NOT NULL,
    source       text NOT NULL CHECK (source IN ('spoken', 'api', 'import', 'staff')),
    note         text,
    created_at   timestamptz NOT NULL,
    reason       text NOT NULL,
    removed_at   timestamptz NOT NULL
);

COMMENT ON TABLE operator_exclusion_removals IS
    'Numbers that the operator took off the list again, when and why. Belongs to no company.';

-- Every unit of work asks whether a number is on the list, and only the platform changes it. No
-- statement of a company lists it, and outside a unit of work nobody sees it.
ALTER TABLE operator_exclusions ENABLE ROW LEVEL SECURITY;
ALTER TABLE operator_exclusions FORCE ROW LEVEL SECURITY;
CREATE POLICY any_unit_of_work_asks ON operator_exclusions FOR SELECT
    USING ((SELECT current_setting('voicesurvey.scope', true)) IN ('company', 'platform'));
CREATE POLICY platform_writes ON operator_exclusions
    USING ((SELECT current_setting('voicesurvey.scope', true)) = 'platform');

ALTER TABLE operator_exclusion_removals ENABLE ROW LEVEL SECURITY;
ALTER TABLE operator_exclusion_removals FORCE ROW LEVEL SECURITY;
CREATE POLICY platform_only ON operator_exclusion_removals
    USING ((SELECT current_setting('voicesurvey.scope', true)) = 'platform');
