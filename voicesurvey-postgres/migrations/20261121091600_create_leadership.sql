CREATE TABLE leadership (
    epoch      bigint NOT NULL CHECK (epoch >= 0),
    server     text NOT NULL,
    elected_at timestamptz
);

COMMENT ON TABLE leadership IS
    'One row: which server leads. Belongs to no company, so every unit of work may read it; it is '
    'the fence that keeps a past leader from writing.';
COMMENT ON COLUMN leadership.epoch IS
    'Rises with every election. A leader''s transactions lock the row as long as it shows theirs.';

-- There is exactly one row, so the key is a constant.
CREATE UNIQUE INDEX leadership_is_one_row ON leadership ((true));

INSERT INTO leadership (epoch, server) VALUES (0, '');
