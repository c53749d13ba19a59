-- The first company keeps ten of its tasks; the other company's pace is as good as none.
SELECT set_config('voicesurvey.scope', 'platform', false);
DELETE FROM call_tasks
WHERE company_id = '01900000-0000-7000-8000-000000000000' AND phone_number >= '+393470000020';
UPDATE campaign_lanes SET claimable = 10
WHERE company_id = '01900000-0000-7000-8000-000000000000';
UPDATE campaign_counters SET count = 10
WHERE company_id = '01900000-0000-7000-8000-000000000000';
UPDATE campaign_queue
SET calls_per_minute = 10000000, burst = 200001, interval_microseconds = 7
WHERE company_id <> '01900000-0000-7000-8000-000000000000';
