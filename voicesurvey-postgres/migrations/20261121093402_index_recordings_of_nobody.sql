-- Recordings of people who were erased or forgotten: the provider is asked to erase them until it has.
CREATE INDEX call_attempts_recorded_of_nobody ON call_attempts (company_id, id)
    WHERE recording IS NOT NULL AND phone_number LIKE '+999%';
