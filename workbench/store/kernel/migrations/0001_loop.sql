-- Every record of the loop.  Keys are content keys (records.py), so the same work written twice is one row.
-- Times are UTC.  Pictures are never here: task.image is a digest, the file lies in images/.

CREATE TABLE part (
    key         VARCHAR PRIMARY KEY,   -- content key of the whole row below
    role        VARCHAR NOT NULL,
    name        VARCHAR NOT NULL,
    version     VARCHAR NOT NULL,
    arguments   VARCHAR NOT NULL,      -- JSON
    created_at  TIMESTAMP NOT NULL
);

CREATE TABLE source (
    key         VARCHAR PRIMARY KEY,   -- content key of name and arguments
    name        VARCHAR NOT NULL,      -- registered name of the task source
    arguments   VARCHAR NOT NULL,      -- JSON, plain arguments of the part
    created_at  TIMESTAMP NOT NULL
);

-- "Done is a row": a source's split that was read to its end.
CREATE TABLE imported (
    source      VARCHAR NOT NULL,      -- source.key
    split       VARCHAR NOT NULL,      -- '' means all splits
    tasks       BIGINT NOT NULL,
    created_at  TIMESTAMP NOT NULL,
    PRIMARY KEY (source, split)
);

CREATE TABLE bad_row (
    source      VARCHAR NOT NULL,
    file        VARCHAR NOT NULL,
    line        BIGINT NOT NULL,
    reason      VARCHAR NOT NULL,
    created_at  TIMESTAMP NOT NULL,
    PRIMARY KEY (source, file, line, reason)
);

CREATE TABLE task (
    id          VARCHAR PRIMARY KEY,
    seq         BIGINT NOT NULL,       -- order of import; the key of paging
    source      VARCHAR NOT NULL,
    split       VARCHAR NOT NULL,
    image       VARCHAR NOT NULL,      -- sha256 of the picture's file
    question    VARCHAR NOT NULL,
    answers     VARCHAR[] NOT NULL,
    answer_type VARCHAR NOT NULL,
    choices     VARCHAR[] NOT NULL,
    family      VARCHAR NOT NULL,
    meta        VARCHAR NOT NULL,      -- JSON
    content     VARCHAR NOT NULL,      -- content key of the task, to notice a source that changed under its id
    created_at  TIMESTAMP NOT NULL
);

CREATE TABLE program (
    id          VARCHAR PRIMARY KEY,
    task_id     VARCHAR NOT NULL,
    sampler     VARCHAR NOT NULL,      -- part.key
    base_seed   BIGINT NOT NULL,       -- the run's seed; `seed` is this sample's own
    index       INTEGER NOT NULL,
    source      VARCHAR NOT NULL,
    score       DOUBLE NOT NULL,
    tokens      BIGINT NOT NULL,
    seed        BIGINT NOT NULL,
    seconds     DOUBLE NOT NULL,
    parent      VARCHAR,
    created_at  TIMESTAMP NOT NULL
);

CREATE TABLE trace (
    id              VARCHAR PRIMARY KEY,
    program_id      VARCHAR NOT NULL,
    task_id         VARCHAR NOT NULL,
    executor        VARCHAR NOT NULL,  -- part.key
    answer          VARCHAR,
    failure_kind    VARCHAR,
    failure_message VARCHAR,
    failure_line    INTEGER,
    steps           BIGINT NOT NULL,
    tool_calls      BIGINT NOT NULL,
    seconds         DOUBLE NOT NULL,
    events          BLOB NOT NULL,     -- workbench.execute.trace.encode_events
    created_at      TIMESTAMP NOT NULL
);

CREATE TABLE verdict (
    id          VARCHAR PRIMARY KEY,
    trace_id    VARCHAR NOT NULL,
    program_id  VARCHAR NOT NULL,
    task_id     VARCHAR NOT NULL,
    verifier    VARCHAR NOT NULL,      -- part.key
    runs        INTEGER NOT NULL,      -- how many runs were judged together; at most one of them is chosen
    score       DOUBLE NOT NULL,
    correct     BOOLEAN NOT NULL,
    chosen      BOOLEAN NOT NULL,
    method      VARCHAR NOT NULL,
    reason      VARCHAR NOT NULL,
    created_at  TIMESTAMP NOT NULL
);

CREATE TABLE rationale (
    id          VARCHAR PRIMARY KEY,
    trace_id    VARCHAR NOT NULL,
    task_id     VARCHAR NOT NULL,
    writer      VARCHAR NOT NULL,      -- part.key
    text        VARCHAR NOT NULL,
    answer      VARCHAR NOT NULL,
    citations   VARCHAR NOT NULL,      -- JSON: [[start, end, [seq, ...]], ...]
    issues      VARCHAR[] NOT NULL,
    created_at  TIMESTAMP NOT NULL
);

CREATE TABLE prediction (
    id          VARCHAR PRIMARY KEY,
    task_id     VARCHAR NOT NULL,
    model       VARCHAR NOT NULL,      -- part.key
    answer      VARCHAR NOT NULL,
    rationale   VARCHAR NOT NULL,
    score       DOUBLE NOT NULL,
    seconds     DOUBLE NOT NULL,
    created_at  TIMESTAMP NOT NULL
);

-- One row per `vpd run`: which parts were in force, what it was asked, what it used.
CREATE TABLE run (
    id          BIGINT PRIMARY KEY,
    version     VARCHAR NOT NULL,      -- of the workbench
    k           INTEGER NOT NULL,
    seed        BIGINT NOT NULL,
    split       VARCHAR,
    task_limit  BIGINT,
    upto        VARCHAR NOT NULL,
    sampler     VARCHAR,
    executor    VARCHAR,
    verifier    VARCHAR,
    writer      VARCHAR,
    student     VARCHAR,
    peak_rss    BIGINT,                -- bytes, this process and its largest child; NULL while it runs
    created_at  TIMESTAMP NOT NULL,
    ended_at    TIMESTAMP
);

-- Wall time of each written batch.
CREATE TABLE timing (
    run         BIGINT NOT NULL,
    stage       VARCHAR NOT NULL,
    part        VARCHAR,               -- part.key; NULL for import
    rows        BIGINT NOT NULL,       -- records written
    seconds     DOUBLE NOT NULL,
    created_at  TIMESTAMP NOT NULL
);
