-- Erasure looks for the number among the further ones of other people too. Which of these have any is
-- the most that an index can tell under row level security.
CREATE INDEX call_tasks_with_further_numbers ON call_tasks (company_id)
    WHERE extra ? 'other_phone_numbers';
