-- Seconds in which a processor or a model worked for the run; `seconds` holds its waiting as well.  NULL: written by an
-- earlier workbench and not derived yet, which store/reading/derived.py makes good from the run's events.
ALTER TABLE trace ADD COLUMN work DOUBLE;

-- Seconds in which the question's runs waited; NULL before they ran.  `seconds` is the work from now on.
ALTER TABLE outcome ADD COLUMN waiting DOUBLE;

-- Every row of `outcome` is made again.
UPDATE summary SET scope = '';
