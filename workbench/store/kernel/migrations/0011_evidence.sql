-- What the answer of a run rests on (rationalize/follow/evidence.py); '' for a run without an answer; NULL: written by an
-- earlier workbench and not derived yet, which store/reading/derived.py makes good.
ALTER TABLE trace ADD COLUMN evidence VARCHAR;

-- Whether a rationale says no more than the answer (rationalize/check/bare.py), and the claims in it that could not be
-- held against the trace.  NULL: written by an earlier workbench; the first is derived like the evidence, the second
-- stays unknown until the rationale is written again.
ALTER TABLE rationale ADD COLUMN bare BOOLEAN;
ALTER TABLE rationale ADD COLUMN unchecked VARCHAR[];

-- All of the run that is kept; NULL where none is, or where it has no rationale.
ALTER TABLE outcome ADD COLUMN evidence VARCHAR;
ALTER TABLE outcome ADD COLUMN bare BOOLEAN;
ALTER TABLE outcome ADD COLUMN unchecked BOOLEAN;    -- whether it has a claim that could not be held against the trace

-- Every row of `outcome` is made again.
UPDATE summary SET scope = '';
