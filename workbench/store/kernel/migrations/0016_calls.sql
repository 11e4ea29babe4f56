-- How far the answer of a checked run depends on each of its calls: JSON, [[number of the call, share or null], ...].
-- NULL for a check that was made before this was asked; it is made again.
ALTER TABLE trace_check ADD COLUMN calls VARCHAR;
