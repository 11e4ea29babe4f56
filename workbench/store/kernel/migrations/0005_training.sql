-- From snapshot to figures: training jobs, the models they made, and how good each system was found to be.  A job's
-- folder is the truth about it; these rows are how the store knows what became of it when the folder is gone.

CREATE TABLE job (
    id          VARCHAR PRIMARY KEY,   -- also the name of its folder
    name        VARCHAR NOT NULL,      -- '' where a person gave none
    folder      VARCHAR NOT NULL,      -- within the project where it lies there, else absolute
    state       VARCHAR NOT NULL,      -- queued, running, stopping, stopped, failed, done or deleted
    snapshot    VARCHAR NOT NULL,      -- snapshot.hash; of another project where it was trained there
    student     VARCHAR NOT NULL,      -- what it started from
    objective   VARCHAR NOT NULL,
    seed        BIGINT NOT NULL,
    settings    VARCHAR NOT NULL,      -- JSON, the whole job as written
    kin         VARCHAR NOT NULL,      -- content key of the settings but for seed and name
    step        BIGINT NOT NULL,
    total       BIGINT NOT NULL,
    result      VARCHAR NOT NULL,      -- JSON, what came out; {} before
    failure     VARCHAR NOT NULL,      -- JSON; {} where it did not fail
    stamp       VARCHAR NOT NULL,      -- of its files when they were read
    updated_at  TIMESTAMP NOT NULL
);

-- The lines of a job's metrics.jsonl.
CREATE TABLE metric (
    job         VARCHAR NOT NULL,      -- job.id
    line        BIGINT NOT NULL,
    figures     VARCHAR NOT NULL,      -- JSON
    PRIMARY KEY (job, line)
);

CREATE TABLE model (
    id          VARCHAR NOT NULL,      -- digest of its weights: the version of the student made from it
    job         VARCHAR NOT NULL,      -- job.id
    name        VARCHAR NOT NULL,
    objective   VARCHAR NOT NULL,
    step        BIGINT NOT NULL,       -- of the checkpoint it was made from
    folder      VARCHAR NOT NULL,      -- as job.folder
    created_at  TIMESTAMP NOT NULL,
    PRIMARY KEY (id, job)              -- the same job run twice makes the same weights
);

-- One system on one set of questions; asked again, the new figures take the old ones' place.
CREATE TABLE evaluation (
    id          VARCHAR PRIMARY KEY,   -- content key of system and questions asked for
    system      VARCHAR NOT NULL,      -- what people call it
    kind        VARCHAR NOT NULL,      -- student or pipeline
    mode        VARCHAR NOT NULL,      -- direct, explain; first, vote, any
    part        VARCHAR NOT NULL,      -- part.key of the student, or of the sampler
    model       VARCHAR,               -- model.id, or the version of a student that no job here made
    job         VARCHAR,               -- job.id
    snapshot    VARCHAR,               -- of the job
    benchmark   VARCHAR NOT NULL,      -- task.source; '' for all
    split       VARCHAR NOT NULL,      -- '' for all
    task_limit  BIGINT,
    questions   BIGINT NOT NULL,       -- that count
    metric      VARCHAR NOT NULL,      -- name of the main metric
    value       DOUBLE,                -- NULL where it is not defined
    low         DOUBLE,                -- 95 % interval
    high        DOUBLE,
    families    VARCHAR NOT NULL,      -- JSON: {family: {value, of, low, high}}
    latency     VARCHAR NOT NULL,      -- JSON: seconds of one question; {} where not measured
    cost        VARCHAR NOT NULL,      -- JSON: per question
    details     VARCHAR NOT NULL,      -- JSON: further metrics, what was left out and why
    created_at  TIMESTAMP NOT NULL
);

CREATE TABLE evaluated (
    evaluation  VARCHAR NOT NULL,      -- evaluation.id
    task_id     VARCHAR NOT NULL,
    answer      VARCHAR,               -- NULL where there was none
    score       DOUBLE,                -- 0 to 1; NULL for a question that does not count: no label, a copy
    PRIMARY KEY (evaluation, task_id)
);
