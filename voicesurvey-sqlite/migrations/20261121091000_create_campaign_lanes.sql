-- The tasks of a campaign whose calling hours open and close together.
CREATE TABLE campaign_lanes (
    company_id  BLOB    NOT NULL,
    campaign_id BLOB    NOT NULL,
    lane_id     INTEGER NOT NULL, -- follows from priority, region and zones
    priority    INTEGER NOT NULL, -- higher is called earlier
    region      TEXT,             -- ISO 3166-1 alpha-2, of the numbers
    time_zones  TEXT    NOT NULL, -- JSON: IANA names in order; empty means the campaign's
    claimable   INTEGER NOT NULL, -- tasks that are
    opens_at    INTEGER,          -- first instant of the window
    closes_at   INTEGER,          -- first instant after it
    review_at   INTEGER,          -- when the window is worked out again; absent while the campaign calls nobody
    PRIMARY KEY (company_id, campaign_id, lane_id),
    FOREIGN KEY (company_id, campaign_id) REFERENCES campaigns (company_id, id) ON DELETE CASCADE,
    CONSTRAINT lane_time_zones_is_json CHECK (json_valid(time_zones)),
    CONSTRAINT lane_claimable_is_a_count CHECK (claimable >= 0),
    CONSTRAINT lane_window_has_two_ends CHECK ((opens_at IS NULL) = (closes_at IS NULL))
) STRICT, WITHOUT ROWID;

-- The claim, in the order in which lanes are called.
CREATE INDEX campaign_lanes_in_order ON campaign_lanes (company_id, campaign_id, priority DESC, closes_at, lane_id)
    WHERE claimable > 0;
-- What is reviewed next, over all companies.
CREATE INDEX campaign_lanes_to_review ON campaign_lanes (review_at) WHERE review_at IS NOT NULL;

-- The lane in which the task waits. SQL cannot work it out for tasks that are there already: the
-- program does so right after the migrations, and from then on it is never absent.
ALTER TABLE call_tasks ADD COLUMN lane_id INTEGER;

-- The claim, in the order in which the people of a lane are called.
DROP INDEX call_tasks_claimable;
CREATE INDEX call_tasks_claimable ON call_tasks (company_id, campaign_id, lane_id, due_at, id)
    WHERE claimable = 1;
