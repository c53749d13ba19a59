-- Takes due tasks and makes an attempt for each, in one statement. What it decides is written in
-- core's queue::claim; lanes, watermark and rescan are explained at campaign_lanes.
--
-- $1 now, $2 identifiers for attempts, $3 provider, $4 dial_before, $5 lease_until.
--
-- Rules that every change must keep:
-- - Rows are locked in the order provider, companies, campaigns, tasks, counters, and only the
--   provider's and the counters are waited for. Whoever writes lanes holds the company's row, so
--   these are free as well.
-- - What locks is MATERIALIZED, and no LIMIT is an expression: otherwise the planner may run it once
--   for each row outside (more rows than asked for), or expect a tenth of the table and read all of it.
-- - A statement sees one snapshot, but a locked row is the newest. Where the two differ, somebody has
--   changed the level meanwhile, perhaps with news that this snapshot does not show: the level is
--   visited again at once (`stale`), so no wake-up is lost.
WITH provider AS MATERIALIZED (
    SELECT queue_room(
            in_flight, max_concurrent_calls, interval_microseconds, burst, arrival, $1
        ) AS room
    FROM provider_queue
    WHERE provider = $3
    FOR NO KEY UPDATE
), asked AS MATERIALIZED (
    -- An account without a row is not limited: LEAST passes over null.
    SELECT LEAST(cardinality($2::uuid[])::bigint, (SELECT room FROM provider)) AS room
), company AS MATERIALIZED (
    SELECT company_id, ready_at, in_flight, max_concurrent_calls, interval_microseconds, burst,
        arrival, xmin AS row_version,
        queue_room(
            in_flight, max_concurrent_calls, interval_microseconds, burst, arrival, $1
        ) AS room
    FROM company_queue
    WHERE ready_at <= $1 AND (SELECT room FROM asked) > 0
    ORDER BY ready_at, company_id
    LIMIT 10
    FOR NO KEY UPDATE SKIP LOCKED
), campaign AS MATERIALIZED (
    SELECT company.company_id, company.ready_at AS company_ready_at, company.room AS company_room,
        ready.*
    FROM company
    CROSS JOIN LATERAL (
        SELECT campaign_id, ready_at, in_flight, max_concurrent_calls, interval_microseconds, burst,
            arrival, xmin AS row_version,
            queue_room(
                in_flight, max_concurrent_calls, interval_microseconds, burst, arrival, $1
            ) AS room
        FROM campaign_queue AS queue
        WHERE queue.company_id = company.company_id AND queue.ready_at <= $1
        ORDER BY queue.ready_at, queue.campaign_id
        LIMIT 3
        FOR NO KEY UPDATE SKIP LOCKED
    ) AS ready
    WHERE company.room > 0
), supply AS MATERIALIZED (
    -- What the lanes of each campaign have to offer, and when the next one opens.
    SELECT campaign.*, lanes.open_tasks, lanes.next_opening,
        LEAST(campaign.room, 10, lanes.open_tasks) AS quota
    FROM campaign
    CROSS JOIN LATERAL (
        SELECT
            COALESCE(sum(claimable) FILTER (WHERE opens_at <= $1), 0)::bigint AS open_tasks,
            min(opens_at) FILTER (WHERE opens_at > $1) AS next_opening
        FROM campaign_lanes AS lane
        WHERE lane.company_id = campaign.company_id AND lane.campaign_id = campaign.campaign_id
            AND lane.claimable > 0 AND lane.closes_at > $1
    ) AS lanes
), within_company AS (
    SELECT supply.*,
        company_room - COALESCE(sum(quota) OVER earlier, 0) AS company_left
    FROM supply
    WINDOW earlier AS (
        PARTITION BY company_id ORDER BY ready_at, campaign_id
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    )
), within_claim AS (
    SELECT within_company.*,
        (SELECT room FROM asked) - COALESCE(sum(LEAST(quota, company_left)) OVER earlier, 0)
            AS claim_left
    FROM within_company
    WHERE company_left > 0
    WINDOW earlier AS (
        ORDER BY company_ready_at, company_id, ready_at, campaign_id
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    )
), visit AS MATERIALIZED (
    -- Campaigns for which room is left, and what each may take; the others keep their turn.
    SELECT within_claim.*, LEAST(quota, company_left, claim_left) AS wanted
    FROM within_claim
    WHERE claim_left > 0
), candidate AS MATERIALIZED (
    SELECT visit.company_ready_at, visit.ready_at, visit.wanted, task.*
    FROM visit
    CROSS JOIN LATERAL (
        SELECT task.*, lane.priority AS lane_priority, lane.closes_at
        FROM (
            SELECT company_id, campaign_id, lane_id, priority, closes_at,
                CASE WHEN rescan_at <= $1 THEN '-infinity' ELSE watermark END AS watermark,
                watermark_id
            FROM campaign_lanes
            WHERE company_id = visit.company_id AND campaign_id = visit.campaign_id
                AND claimable > 0 AND opens_at <= $1 AND closes_at > $1
            ORDER BY priority DESC, closes_at, lane_id
            -- More than anybody has; it keeps the order. The claim stops at the lane in which it has
            -- found enough, but goes past those whose people are all being called.
            LIMIT 1000
        ) AS lane
        CROSS JOIN LATERAL (
            SELECT company_id, id, campaign_id, upload_id, phone_number, name, language, time_zones,
                priority, extra, status, due_at, attempt_id, attempts_count, attempts_spent,
                last_attempt_at, outcome, reason, created_at, updated_at, version, cells, lane_id,
                claimable_since
            FROM call_tasks AS queued
            WHERE queued.company_id = lane.company_id
                AND queued.campaign_id = lane.campaign_id
                AND queued.lane_id = lane.lane_id
                AND queued.claimable_since IS NOT NULL
                AND (queued.claimable_since, queued.id) >= (lane.watermark, lane.watermark_id)
                -- Not an anti-join, which the planner might turn round.
                AND (
                    SELECT 1 FROM call_attempts AS attempt
                    WHERE attempt.company_id = queued.company_id
                        AND attempt.phone_number = queued.phone_number
                        AND attempt.state <> 'ended'
                ) IS NULL
            ORDER BY queued.claimable_since, queued.id
            LIMIT 10
            FOR NO KEY UPDATE SKIP LOCKED
        ) AS task
        LIMIT 10
    ) AS task
    WHERE visit.wanted > 0
), of_one_person AS (
    -- Two campaigns of a company may want the same person at once: the first one gets them.
    SELECT candidate.*,
        row_number() OVER (
            PARTITION BY company_id, phone_number ORDER BY ready_at, campaign_id
        ) = 1 AS has_turn
    FROM candidate
), of_one_campaign AS (
    SELECT of_one_person.*,
        has_turn AND row_number() OVER (
            PARTITION BY company_id, campaign_id, has_turn
            ORDER BY lane_priority DESC, closes_at, lane_id, claimable_since, id
        ) <= wanted AS chosen
    FROM of_one_person
), ranked AS MATERIALIZED (
    -- The chosen get the identifiers in the order of the claim.
    SELECT of_one_campaign.*,
        CASE WHEN chosen THEN ($2::uuid[])[row_number() OVER (
            PARTITION BY chosen
            ORDER BY company_ready_at, company_id, ready_at, campaign_id,
                lane_priority DESC, closes_at, lane_id, claimable_since, id
        )] END AS offered_id
    FROM of_one_campaign
), inserted AS (
    INSERT INTO call_attempts (
        company_id, id, campaign_id, task_id, attempt_number, phone_number, provider, state,
        dial_before, lease_until, created_at, version
    )
    SELECT company_id, offered_id, campaign_id, id, attempts_count + 1, phone_number, $3,
        'created', $4, $5, $1, 1
    FROM ranked
    WHERE chosen
    -- Somebody whom this snapshot does not show was faster.
    ON CONFLICT (company_id, phone_number) WHERE state <> 'ended' DO NOTHING
    RETURNING id
), outcome AS MATERIALIZED (
    -- Not a join, for which every candidate would be compared with a row of every attempt.
    SELECT ranked.*,
        CASE WHEN offered_id = ANY (ARRAY(SELECT id FROM inserted)) THEN offered_id END
            AS new_attempt_id
    FROM ranked
), claimed AS MATERIALIZED (
    SELECT * FROM outcome WHERE new_attempt_id IS NOT NULL
), marked AS (
    UPDATE call_tasks AS task
    SET status = 'in_progress',
        due_at = NULL,
        claimable_since = NULL,
        attempt_id = claimed.new_attempt_id,
        attempts_count = task.attempts_count + 1,
        last_attempt_at = $1,
        reason = NULL,
        updated_at = $1,
        version = task.version + 1
    FROM claimed
    WHERE task.company_id = claimed.company_id AND task.id = claimed.id
), calls AS MATERIALIZED (
    SELECT visit.*, COALESCE(counted.calls, 0) AS calls,
        COALESCE(counted.offered, 0) < visit.wanted AS exhausted
    FROM visit
    LEFT JOIN (
        SELECT company_id, campaign_id, count(*) AS offered, count(new_attempt_id) AS calls
        FROM outcome
        GROUP BY company_id, campaign_id
    ) AS counted USING (company_id, campaign_id)
), scanned AS (
    -- The next claim of a lane begins at its first candidate that was left, or else at the last one
    -- that was taken.
    SELECT DISTINCT ON (company_id, campaign_id, lane_id)
        company_id, campaign_id, lane_id, claimable_since, id,
        count(new_attempt_id) OVER (PARTITION BY company_id, campaign_id, lane_id) AS taken
    FROM (
        SELECT company_id, campaign_id, lane_id, claimable_since, id, new_attempt_id,
            row_number() OVER (ORDER BY claimable_since, id) AS position
        FROM outcome
    ) AS position
    ORDER BY company_id, campaign_id, lane_id, new_attempt_id IS NOT NULL,
        CASE WHEN new_attempt_id IS NULL THEN position ELSE -position END
), moved_lane AS (
    UPDATE campaign_lanes AS lane
    SET claimable = lane.claimable - COALESCE(scan.taken, 0),
        watermark = COALESCE(scan.claimable_since, lane.watermark),
        watermark_id = COALESCE(scan.id, lane.watermark_id),
        rescan_at = CASE
            -- It promised more than was found.
            WHEN scan.exhausted THEN $1
            WHEN scan.taken > 0 AND lane.rescan_at <= $1 THEN $1 + INTERVAL '60 seconds'
            ELSE lane.rescan_at
        END
    FROM (
        SELECT lane.company_id, lane.campaign_id, lane.lane_id, calls.exhausted, scanned.taken,
            scanned.claimable_since, scanned.id
        FROM calls
        CROSS JOIN LATERAL (
            SELECT company_id, campaign_id, lane_id
            FROM campaign_lanes
            WHERE company_id = calls.company_id AND campaign_id = calls.campaign_id
                AND claimable > 0 AND opens_at <= $1 AND closes_at > $1
        ) AS lane
        LEFT JOIN scanned
            ON scanned.company_id = lane.company_id AND scanned.campaign_id = lane.campaign_id
                AND scanned.lane_id = lane.lane_id
        WHERE scanned.taken > 0 OR calls.exhausted
    ) AS scan
    WHERE lane.company_id = scan.company_id AND lane.campaign_id = scan.campaign_id
        AND lane.lane_id = scan.lane_id
), campaign_after AS MATERIALIZED (
    SELECT calls.company_id, calls.campaign_id, calls.calls, after.arrival,
        queue_ready_at(
            calls.in_flight + calls.calls, calls.max_concurrent_calls,
            calls.interval_microseconds, calls.burst, after.arrival, after.next, $1
        ) AS ready_at
    FROM calls
    CROSS JOIN LATERAL (
        SELECT
            queue_arrival(calls.interval_microseconds, calls.arrival, $1, calls.calls) AS arrival,
            CASE
                WHEN calls.row_version IS DISTINCT FROM (
                    SELECT xmin FROM campaign_queue
                    WHERE company_id = calls.company_id AND campaign_id = calls.campaign_id
                ) THEN $1
                WHEN calls.open_tasks = calls.calls THEN calls.next_opening
                -- All that are left were passed over; core's PASSED_OVER_AGAIN.
                WHEN calls.exhausted THEN $1 + INTERVAL '10 seconds'
                ELSE $1
            END AS next
    ) AS after
), moved_campaign AS (
    UPDATE campaign_queue AS queue
    SET in_flight = queue.in_flight + after.calls,
        arrival = after.arrival,
        ready_at = after.ready_at
    FROM campaign_after AS after
    WHERE queue.company_id = after.company_id AND queue.campaign_id = after.campaign_id
), company_after AS MATERIALIZED (
    SELECT company.*, after.calls,
        queue_arrival(company.interval_microseconds, company.arrival, $1, after.calls)
            AS new_arrival,
        CASE
            WHEN company.row_version IS DISTINCT FROM (
                SELECT xmin FROM company_queue WHERE company_id = company.company_id
            ) THEN $1
            ELSE LEAST(after.ready_at, unvisited.ready_at)
        END AS next
    FROM company
    CROSS JOIN LATERAL (
        SELECT COALESCE(sum(calls), 0)::bigint AS calls, min(ready_at) AS ready_at,
            COALESCE(array_agg(campaign_id), '{}') AS visited
        FROM campaign_after
        WHERE campaign_after.company_id = company.company_id
    ) AS after
    LEFT JOIN LATERAL (
        SELECT queue.ready_at
        FROM campaign_queue AS queue
        WHERE queue.company_id = company.company_id AND queue.ready_at IS NOT NULL
            AND queue.campaign_id <> ALL (after.visited)
        ORDER BY queue.ready_at
        LIMIT 1
    ) AS unvisited ON true
    -- A company that was not reached keeps its turn.
    WHERE cardinality(after.visited) > 0
        OR NOT EXISTS (SELECT FROM campaign WHERE campaign.company_id = company.company_id)
), moved_company AS (
    UPDATE company_queue AS queue
    SET in_flight = queue.in_flight + after.calls,
        arrival = after.new_arrival,
        ready_at = queue_ready_at(
            after.in_flight + after.calls, after.max_concurrent_calls,
            after.interval_microseconds, after.burst, after.new_arrival, after.next, $1
        )
    FROM company_after AS after
    WHERE queue.company_id = after.company_id
), moved_provider AS (
    UPDATE provider_queue AS queue
    SET in_flight = queue.in_flight + counted.calls,
        arrival = queue_arrival(queue.interval_microseconds, queue.arrival, $1, counted.calls)
    FROM (SELECT count(*) AS calls FROM claimed) AS counted
    WHERE queue.provider = $3 AND counted.calls > 0
), counted AS (
    INSERT INTO campaign_counters AS counters (company_id, campaign_id, kind, name, count)
    SELECT claimed.company_id, claimed.campaign_id, change.kind, change.name, sum(change.by)
    FROM claimed
    CROSS JOIN LATERAL (
        VALUES ('attempt', 'created', 1), ('task', 'in_progress', 1), ('task', claimed.status, -1),
            ('reason', claimed.reason, -1)
        UNION ALL
        SELECT 'cell', cell || ':' || moved.status, moved.by
        FROM unnest(string_to_array(claimed.cells, ',')) AS cell
        CROSS JOIN (VALUES ('in_progress', 1), (claimed.status, -1)) AS moved (status, by)
    ) AS change (kind, name, by)
    WHERE change.name IS NOT NULL
    GROUP BY claimed.company_id, claimed.campaign_id, change.kind, change.name
    -- The order in which everybody else locks them.
    ORDER BY claimed.company_id, claimed.campaign_id, change.kind COLLATE "C",
        change.name COLLATE "C"
    ON CONFLICT (company_id, campaign_id, kind, name)
    DO UPDATE SET count = counters.count + excluded.count
)
SELECT claimed.*,
    (
        SELECT version FROM campaigns
        WHERE company_id = claimed.company_id AND id = claimed.campaign_id
    ) AS campaign_version,
    company.version AS company_version,
    -- Not EXISTS, for which the planner might read all exclusions once.
    COALESCE(
        (
            SELECT 1 FROM exclusions
            WHERE company_id = claimed.company_id AND phone_number = claimed.phone_number
        ),
        (SELECT 1 FROM operator_exclusions WHERE phone_number = claimed.phone_number)
    ) IS NOT NULL AS excluded,
    CASE WHEN company.has_caps THEN ARRAY(
        SELECT attempt.created_at
        FROM call_attempts AS attempt
        WHERE attempt.company_id = claimed.company_id
            AND attempt.phone_number = claimed.phone_number
            AND attempt.created_at >= $1 - INTERVAL '720 hours'
            -- Those whose outcome counts as a contact, as core's Outcome says.
            AND (
                attempt.outcome IS NULL OR attempt.outcome NOT IN (
                    'cancelled', 'provider_failure', 'provider_rejected'
                )
            )
    ) ELSE '{}' END AS calls_before
FROM claimed
CROSS JOIN LATERAL (
    SELECT version, COALESCE(
            calls_per_day, calls_per_week, calls_per_month, minimum_gap_minutes
        ) IS NOT NULL AS has_caps
    FROM companies
    WHERE company_id = claimed.company_id
    LIMIT 1
) AS company
ORDER BY claimed.company_ready_at, claimed.company_id, claimed.ready_at, claimed.campaign_id,
    claimed.lane_priority DESC, claimed.closes_at, claimed.lane_id, claimed.claimable_since,
    claimed.id
