-- Which questions of a source the project is to have; without a row for a source, all of them.
CREATE TABLE selection (
    source      VARCHAR NOT NULL,      -- source.key
    split       VARCHAR NOT NULL,      -- '' means all splits
    task_limit  BIGINT,                -- only so many, in the source's order; NULL means all
    created_at  TIMESTAMP NOT NULL,
    PRIMARY KEY (source, split)
);

-- Answers that people have put right; `task` holds the latest, these events how it came to it.
CREATE TABLE correction (
    id          VARCHAR PRIMARY KEY,
    task_id     VARCHAR NOT NULL,
    earlier     VARCHAR[] NOT NULL,    -- answers before
    answers     VARCHAR[] NOT NULL,    -- answers from then on
    author      VARCHAR NOT NULL,
    reason      VARCHAR NOT NULL,
    created_at  TIMESTAMP NOT NULL
);
