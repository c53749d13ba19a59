-- Erasure looks for the number among the further ones of other people too.
CREATE INDEX call_tasks_with_further_numbers
    ON call_tasks (company_id, extra ->> 'other_phone_numbers')
    WHERE extra ->> 'other_phone_numbers' IS NOT NULL;
