-- Sums of calls over time that differ from the calls (I12). SQL rounds halves of a cost another way
-- than the core, so one millionth for each call is let pass. Sums over the whole campaign stand at the
-- epoch.
SELECT
    'campaign' AS subject, campaign_id AS id, company_id,
    to_char(quarter AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') || ' ' || kind || ' ' || name || ': '
        || COALESCE(kept.value, 0) || ' kept, ' || COALESCE(stored.value, 0) || ' stored' AS detail
FROM call_rollups AS kept
FULL JOIN (
    SELECT
        call.company_id, call.campaign_id, sums.quarter, sums.kind, sums.name,
        sum(sums.value) AS value,
        CASE WHEN sums.kind = 'cost_millionths' THEN count(*) ELSE 0 END AS tolerated
    FROM (
        SELECT
            company_id, campaign_id, outcome, attempt_number, cost_amount, cost_currency, latencies,
            to_timestamp(floor(extract(epoch FROM created_at) / 900) * 900) AS quarter,
            CASE WHEN answered_at IS NOT NULL AND ended_at IS NOT NULL THEN
                greatest(floor(extract(epoch FROM ended_at - answered_at)), 0)::bigint
            END AS talk_seconds
        FROM call_attempts
        WHERE state = 'ended'
    ) AS call
    CROSS JOIN LATERAL (
        SELECT COALESCE((
            SELECT min(below)
            FROM UNNEST(ARRAY[
                5, 10, 15, 20, 30, 45, 60, 75, 90, 120, 150, 180, 240, 300, 420, 600, 900, 1800,
                3600
            ]) AS below
            WHERE call.talk_seconds < below
        ), 0) AS below
    ) AS talk
    CROSS JOIN LATERAL (
        VALUES
            (call.quarter, 'outcome', COALESCE(call.outcome, ''), 1),
            (call.quarter, 'talk_seconds', '', call.talk_seconds),
            (
                call.quarter, 'cost_millionths', call.cost_currency,
                round(call.cost_amount * 1000000)::bigint
            ),
            ('epoch', 'number', call.attempt_number::text, 1),
            ('epoch', 'talk_seconds', '', call.talk_seconds),
            (
                'epoch', 'talk', talk.below::text,
                CASE WHEN call.talk_seconds IS NOT NULL THEN 1 END
            )
        UNION ALL
        SELECT 'epoch', 'latency', COALESCE((
            SELECT min(below)
            FROM UNNEST(ARRAY[
                10, 25, 50, 100, 150, 200, 300, 400, 500, 750, 1000, 1500, 2000, 3000, 5000
            ]) AS below
            WHERE waited::bigint < below
        ), 0)::text, 1
        FROM jsonb_array_elements_text(call.latencies) AS waited
    ) AS sums (quarter, kind, name, value)
    WHERE sums.value IS NOT NULL AND sums.name IS NOT NULL
    GROUP BY call.company_id, call.campaign_id, sums.quarter, sums.kind, sums.name
) AS stored USING (company_id, campaign_id, quarter, kind, name)
WHERE abs(COALESCE(kept.value, 0) - COALESCE(stored.value, 0)) > COALESCE(stored.tolerated, 0)
