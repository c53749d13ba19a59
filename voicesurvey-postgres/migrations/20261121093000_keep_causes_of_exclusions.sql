ALTER TABLE exclusions ADD COLUMN note text;
ALTER TABLE exclusions ADD COLUMN created_by uuid;

COMMENT ON COLUMN exclusions.note IS 'Why, in the words of whoever added it.';
COMMENT ON COLUMN exclusions.created_by IS
    'The API key with which it was added. Not a foreign key: the exclusion outlives the key.';
