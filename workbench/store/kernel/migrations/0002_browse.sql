-- What Browse and Dashboard read: derived from the records, kept up to date by store/reading/summary.py.

-- Names of the tools that a trace called, sorted: '|exists|find|'; '' for none; NULL: not read from its events yet.
ALTER TABLE trace ADD COLUMN tools VARCHAR;

-- What was written since the summary was last brought up to date, one row per batch; filled in the transaction
-- that writes the records.
CREATE TABLE touched (
    id          VARCHAR PRIMARY KEY,
    task_ids    VARCHAR[] NOT NULL,    -- one for each record of the batch, as below
    parts       VARCHAR[] NOT NULL,    -- part.key of its maker; '' for the question itself
    texts       VARCHAR[] NOT NULL     -- what search finds it by
);

-- Words to the tasks whose texts hold them; one row for a word and maker in each batch, merged now and then.
CREATE TABLE posting (
    word        VARCHAR NOT NULL,
    part        VARCHAR NOT NULL,
    n           INTEGER NOT NULL,      -- length of the list, which is long to read
    tasks       INTEGER[] NOT NULL     -- task.seq
);
CREATE INDEX posting_word ON posting (word);

-- One row per task: what came of it within the scope that `summary` names.
CREATE TABLE outcome (
    seq             BIGINT NOT NULL,
    id              VARCHAR NOT NULL,
    source          VARCHAR NOT NULL,
    split           VARCHAR NOT NULL,
    family          VARCHAR NOT NULL,
    answer_type     VARCHAR NOT NULL,
    gold            VARCHAR NOT NULL,  -- the labels, lower case, a line break around each
    labelled        BOOLEAN NOT NULL,
    status          VARCHAR NOT NULL,
    programs        BIGINT NOT NULL,
    traces          BIGINT NOT NULL,
    executed        BIGINT NOT NULL,
    judged          BIGINT NOT NULL,
    correct         BIGINT NOT NULL,
    chosen          VARCHAR,
    answer          VARCHAR,
    said            VARCHAR,
    faithful        BOOLEAN,
    seconds         DOUBLE,
    steps           BIGINT,
    tools           VARCHAR NOT NULL,
    kinds           VARCHAR NOT NULL,
    match           VARCHAR NOT NULL,
    siblings        DOUBLE,
    student         VARCHAR NOT NULL,
    student_answer  VARCHAR,
    student_score   DOUBLE,
    student_seconds DOUBLE,
    apart           DOUBLE,
    updated_at      TIMESTAMP NOT NULL,
    runs            VARCHAR NOT NULL   -- JSON, one list per run by index
);

-- A page's fifty rows lie anywhere; each is found in microseconds.
CREATE INDEX outcome_seq ON outcome (seq);
CREATE INDEX task_seq ON task (seq);

-- One row: what `outcome` and `posting` were made from.
CREATE TABLE summary (
    scope       VARCHAR NOT NULL,      -- JSON of the scope; '' before the first
    merged      BIGINT NOT NULL        -- rows of `posting` when its words were last merged
);
INSERT INTO summary VALUES ('', 0);

CREATE TABLE saved_view (
    name        VARCHAR PRIMARY KEY,
    text        VARCHAR NOT NULL,
    sort        VARCHAR NOT NULL,
    author      VARCHAR NOT NULL,
    created_at  TIMESTAMP NOT NULL
);

-- What an earlier workbench wrote; the texts of its traces are read from their events later.
INSERT INTO touched
SELECT name || n, list(task_id), list(part), list(text) FROM (
    SELECT 'task' AS name, id AS task_id, '' AS part, question AS text, seq // 10000 AS n FROM task
    UNION ALL
    SELECT 'program', task_id, sampler, source, row_number() OVER () // 10000 FROM program
    UNION ALL
    SELECT 'rationale', task_id, writer, text, row_number() OVER () // 10000 FROM rationale
) GROUP BY name, n;
