-- The same table with two more kinds: SQLite cannot change a constraint.
CREATE TABLE counters_with_costs (
    company_id  BLOB    NOT NULL,
    campaign_id BLOB    NOT NULL,
    -- What is counted: tasks by status or reason, attempts by state or outcome, and by currency
    -- the calls whose price is known and the millionths that they cost.
    kind        TEXT    NOT NULL,
    name        TEXT    NOT NULL, -- of the status, reason, state, outcome or currency
    count       INTEGER NOT NULL,
    PRIMARY KEY (company_id, campaign_id, kind, name),
    FOREIGN KEY (company_id, campaign_id) REFERENCES campaigns (company_id, id) ON DELETE CASCADE,
    CONSTRAINT counter_kind_is_known
        CHECK (kind IN ('task', 'reason', 'attempt', 'outcome', 'cost_calls', 'cost_millionths')),
    -- A provider may give money back.
    CONSTRAINT counter_is_never_negative CHECK (count >= 0 OR kind = 'cost_millionths')
) STRICT, WITHOUT ROWID;

INSERT INTO counters_with_costs (company_id, campaign_id, kind, name, count)
SELECT company_id, campaign_id, kind, name, count FROM campaign_counters;

INSERT INTO counters_with_costs (company_id, campaign_id, kind, name, count)
SELECT company_id, campaign_id, 'cost_calls', cost_currency, count(*)
FROM call_attempts
WHERE cost_amount IS NOT NULL
GROUP BY company_id, campaign_id, cost_currency;

INSERT INTO counters_with_costs (company_id, campaign_id, kind, name, count)
SELECT company_id, campaign_id, 'cost_millionths', cost_currency,
       sum(CAST(round(1000000 * CAST(cost_amount AS REAL)) AS INTEGER))
FROM call_attempts
WHERE cost_amount IS NOT NULL
GROUP BY company_id, campaign_id, cost_currency;

DROP TABLE campaign_counters;
ALTER TABLE counters_with_costs RENAME TO campaign_counters;

-- Campaigns in which somebody waits: few, while those that have ended become ever more.
CREATE INDEX campaign_counters_waiting ON campaign_counters (company_id, campaign_id)
    WHERE kind = 'task' AND name IN ('pending', 'retry') AND count > 0;
