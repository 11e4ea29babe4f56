-- What an answer means: its canonical form under the question's type (verify/answers.py), so that answers that mean
-- the same are counted as one.  '' without an answer; NULL: written by an earlier workbench and not read yet, which
-- store/reading/summary.py makes good, as SQL alone cannot say what an answer means.
ALTER TABLE trace ADD COLUMN form VARCHAR;
ALTER TABLE prediction ADD COLUMN form VARCHAR;

-- Index of the program whose answer stands for all (verify/vote.py); NULL where none answered.
ALTER TABLE outcome ADD COLUMN vote INTEGER;

-- Every row of `outcome` is made again.
UPDATE summary SET scope = '';
