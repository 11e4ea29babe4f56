-- Indexes of other columns than a table's key lost rows without a word (DuckDB 1.5.5): after a process was killed while it
-- wrote, its log read once for reading alone and then for writing, what it had written was in the tables and not in these
-- indexes.  Rows lie in the order of the columns that are asked for, so that a look-up passes over most of them unread.
DROP INDEX IF EXISTS posting_word;
DROP INDEX IF EXISTS outcome_seq;
DROP INDEX IF EXISTS task_seq;
DROP INDEX IF EXISTS decision_task;
