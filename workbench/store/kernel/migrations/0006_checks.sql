-- Right for the wrong reason: what the checks found about a kept run, and what measuring them gave.

CREATE TABLE trace_check (
    trace_id    VARCHAR PRIMARY KEY,
    id          VARCHAR NOT NULL,      -- content key of the checks' version and all that they looked at; made again
                                       -- only when that changed
    task_id     VARCHAR NOT NULL,
    suspicion   DOUBLE NOT NULL,       -- 0 to 1
    flags       VARCHAR NOT NULL,      -- names of the checks that speak against it: '|idle|foreign|'; '' for none
    findings    VARCHAR NOT NULL,      -- JSON: [[check, score, sentence], ...], the gravest first
    created_at  TIMESTAMP NOT NULL
);

CREATE TABLE check_figure (
    kind        VARCHAR PRIMARY KEY,   -- measure: how right the checks are; exact: program errors and tool errors
    figures     VARCHAR NOT NULL,      -- JSON
    created_at  TIMESTAMP NOT NULL
);
