-- Accounts at telephony providers whose calls are limited, over all companies. One that is not
-- limited has no row.
CREATE TABLE provider_queue (
    provider              TEXT    NOT NULL PRIMARY KEY,
    in_flight             INTEGER NOT NULL, -- live attempts
    max_concurrent_calls  INTEGER NOT NULL,
    calls_per_minute      INTEGER NOT NULL,
    seconds_between_calls INTEGER NOT NULL,
    arrival               INTEGER NOT NULL, -- theoretical arrival time of the pace
    CONSTRAINT provider_in_flight_is_a_count CHECK (in_flight >= 0)
) STRICT, WITHOUT ROWID;
