-- Whether an earlier program of the question is the same, names of variables and prints set aside; NULL where nobody
-- compared them.
ALTER TABLE program ADD COLUMN repeats BOOLEAN;
