ALTER TABLE call_attempts ADD COLUMN recording TEXT -- JSON: what is known of its recording
    CONSTRAINT attempt_recording_is_json CHECK (recording IS NULL OR json_valid(recording));
