-- Who leads is the platform's: a company neither sees it nor changes it. A duty in a company's name
-- locks the row before it narrows its scope to that company.
ALTER TABLE leadership ENABLE ROW LEVEL SECURITY;
ALTER TABLE leadership FORCE ROW LEVEL SECURITY;
CREATE POLICY platform_only ON leadership
    USING ((SELECT current_setting('voicesurvey.scope', true)) = 'platform');

COMMENT ON TABLE leadership IS
    'One row: which server leads. Belongs to no company and is seen by the platform only; it is the '
    'fence that keeps a past leader from writing.';
