-- The claim decides in SQL what core's QueueLevel decides in Rust. So each row of the ready list has
-- what core's Pace computes of its limits, in whole microseconds, and the functions below are the
-- one place where SQL calculates with it; a test compares them with the core.

-- Rows of other companies are hidden without it.
SELECT set_config('voicesurvey.scope', 'platform', true);

ALTER TABLE company_queue
    ADD COLUMN interval_microseconds bigint CHECK (interval_microseconds > 0),
    ADD COLUMN burst bigint NOT NULL DEFAULT 1 CHECK (burst > 0);
ALTER TABLE campaign_queue
    ADD COLUMN interval_microseconds bigint CHECK (interval_microseconds > 0),
    ADD COLUMN burst bigint NOT NULL DEFAULT 1 CHECK (burst > 0);

COMMENT ON COLUMN company_queue.interval_microseconds IS
    'Between the starts of two calls after the burst; null stops calling.';
COMMENT ON COLUMN company_queue.burst IS 'Calls that may start at once after a pause.';
COMMENT ON COLUMN campaign_queue.interval_microseconds IS
    'Between the starts of two calls after the burst; null stops calling.';
COMMENT ON COLUMN campaign_queue.burst IS 'Calls that may start at once after a pause.';

UPDATE company_queue SET burst = 1 + calls_per_minute / 50;
UPDATE company_queue
SET interval_microseconds = ceil(60000000::numeric / (calls_per_minute - burst + 1))
WHERE calls_per_minute > 0;

UPDATE campaign_queue
SET burst = CASE WHEN seconds_between_calls > 0 THEN 1 ELSE 1 + calls_per_minute / 50 END;
UPDATE campaign_queue
SET interval_microseconds = GREATEST(
        ceil(60000000::numeric / (calls_per_minute - burst + 1)),
        seconds_between_calls * 1000000
    )
WHERE calls_per_minute > 0;

ALTER TABLE company_queue ALTER COLUMN burst DROP DEFAULT;
ALTER TABLE campaign_queue ALTER COLUMN burst DROP DEFAULT;

-- As QueueLevel::room: how many calls may start at that instant.
CREATE FUNCTION queue_room(
    in_flight bigint, lines bigint, interval_microseconds bigint, burst bigint,
    arrival timestamptz, at timestamptz
) RETURNS bigint LANGUAGE sql STABLE
RETURN CASE WHEN interval_microseconds IS NULL THEN 0 ELSE GREATEST(0, LEAST(
    lines - in_flight,
    (burst * interval_microseconds
        - GREATEST(0, (EXTRACT(EPOCH FROM arrival - at) * 1000000)::bigint))
        / interval_microseconds
)) END;

-- As Pace::after: the theoretical arrival time after so many calls have started at that instant.
CREATE FUNCTION queue_arrival(
    interval_microseconds bigint, arrival timestamptz, at timestamptz, calls bigint
) RETURNS timestamptz LANGUAGE sql STABLE
RETURN CASE WHEN calls = 0 OR interval_microseconds IS NULL THEN arrival
    ELSE GREATEST(arrival, at) + (calls * interval_microseconds) * INTERVAL '1 microsecond'
END;

-- As QueueLevel::after_visit: when the next visit is worth while, with `in_flight` and `arrival` as
-- they are after the visit, and `next` as the instant of the next work below.
CREATE FUNCTION queue_ready_at(
    in_flight bigint, lines bigint, interval_microseconds bigint, burst bigint,
    arrival timestamptz, next timestamptz, at timestamptz
) RETURNS timestamptz LANGUAGE sql STABLE
RETURN CASE WHEN in_flight < lines AND interval_microseconds IS NOT NULL AND next IS NOT NULL
    THEN GREATEST(
        next, at,
        arrival - ((burst - 1) * interval_microseconds) * INTERVAL '1 microsecond'
    )
END;
