-- The chance that people accept a run, as a critic learnt it from their decisions; rows of one critic at a time.

CREATE TABLE critic_score (
    trace_id    VARCHAR PRIMARY KEY,
    task_id     VARCHAR NOT NULL,
    score       DOUBLE NOT NULL,       -- 0 to 1
    critic      VARCHAR NOT NULL,      -- the part, as JSON
    decisions   BIGINT NOT NULL,       -- number of decided items that it has learnt from
    created_at  TIMESTAMP NOT NULL
);
