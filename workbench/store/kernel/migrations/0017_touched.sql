-- One row for each record that was written, and no list of them for each batch: with every row that is added to a table
-- with lists, DuckDB writes to its log the lists of the rows before it as well, so that a long run of small batches
-- wrote each text hundreds of times.
CREATE TABLE touched_record (
    task_id     VARCHAR NOT NULL,
    part        VARCHAR NOT NULL,      -- part.key of its maker; '' for the question itself
    text        VARCHAR NOT NULL       -- what search finds it by
);
INSERT INTO touched_record SELECT unnest(task_ids), unnest(parts), unnest(texts) FROM touched ORDER BY touched.rowid;
DROP TABLE touched;
ALTER TABLE touched_record RENAME TO touched;

-- Whether a column may be open that store/reading/derived.py fills in, or a line of `outcome` may lack the evidence of
-- the run that is kept: whatever leaves one open says so here, so that no reader has to look through the tables.
ALTER TABLE summary ADD COLUMN lacking BOOLEAN DEFAULT true;
