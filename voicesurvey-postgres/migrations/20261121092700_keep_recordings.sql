ALTER TABLE call_attempts ADD COLUMN recording jsonb;

COMMENT ON COLUMN call_attempts.recording IS 'What is known of its recording, if one was asked for.';
