-- How often the summary was brought up to date.  Every write of records leaves rows in `touched`, so that what was read of
-- records behind a summary that was up to date still holds as long as this number stands.
ALTER TABLE summary ADD COLUMN turn BIGINT DEFAULT 0;
