-- Core's Pace leaves half a second for the dial, and its burst is 1 % of the limit instead of 2 %.

-- Rows of other companies are hidden without it.
SELECT set_config('voicesurvey.scope', 'platform', true);

UPDATE company_queue SET burst = 1 + calls_per_minute / 100;
UPDATE company_queue
SET interval_microseconds = ceil(60500000::numeric / (calls_per_minute - burst + 1))
WHERE calls_per_minute > 0;

UPDATE campaign_queue
SET burst = CASE WHEN seconds_between_calls > 0 THEN 1 ELSE 1 + calls_per_minute / 100 END;
UPDATE campaign_queue
SET interval_microseconds = GREATEST(
        ceil(60500000::numeric / (calls_per_minute - burst + 1)),
        seconds_between_calls * 1000000
    )
WHERE calls_per_minute > 0;

UPDATE provider_queue
SET burst = CASE WHEN seconds_between_calls > 0 THEN 1 ELSE 1 + calls_per_minute / 100 END;
UPDATE provider_queue
SET interval_microseconds = GREATEST(
        ceil(60500000::numeric / (calls_per_minute - burst + 1)),
        seconds_between_calls * 1000000
    )
WHERE calls_per_minute > 0;
