-- What the pipeline's answer means (`trace.form` of the run that says it), by which Browse finds `answer:three` where
-- a run wrote 3; NULL where nothing was answered.
ALTER TABLE outcome ADD COLUMN said_form VARCHAR;

-- Every row of `outcome` is made again.
UPDATE summary SET scope = '';
