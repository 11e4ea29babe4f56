-- Training snapshots: which were taken, and which traces are in which.  The folder snapshots/<hash>/ is the truth;
-- these rows are how the store finds it.  Pictures' fingerprints are kept, since each costs a decoding.

CREATE TABLE snapshot (
    hash        VARCHAR PRIMARY KEY,   -- of its content; also the name of its folder
    name        VARCHAR NOT NULL,      -- '' where a person gave none
    filter      VARCHAR NOT NULL,      -- JSON
    counts      VARCHAR NOT NULL,      -- JSON, as in the manifest
    as_of       VARCHAR,               -- id of the last decision taken into account
    created_at  TIMESTAMP NOT NULL
);

CREATE TABLE snapshot_row (
    snapshot     VARCHAR NOT NULL,     -- snapshot.hash
    task_id      VARCHAR NOT NULL,
    trace_id     VARCHAR,              -- NULL for a row that teaches the label alone
    rationale_id VARCHAR,
    side         VARCHAR NOT NULL,     -- train or val
    PRIMARY KEY (snapshot, task_id)
);

CREATE TABLE picture (
    digest      VARCHAR PRIMARY KEY,
    width       INTEGER NOT NULL,      -- of the decoded picture, upright, pixels
    height      INTEGER NOT NULL,
    fingerprint VARCHAR NOT NULL,      -- workbench.snapshot.pictures.fingerprint, 32 hex characters
    created_at  TIMESTAMP NOT NULL
);
