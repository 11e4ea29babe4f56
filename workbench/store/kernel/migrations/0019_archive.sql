-- Files of `archive/`, by the digest of their content; store/archive.py writes them.
CREATE TABLE archive (
    digest      VARCHAR PRIMARY KEY,   -- sha256, and the file's name
    failed      BOOLEAN NOT NULL,      -- whether its traces have failed; a file has one kind of them
    traces      BIGINT NOT NULL,
    bytes       BIGINT NOT NULL,
    created_at  TIMESTAMP NOT NULL
);

-- The file that holds a trace's events; `events` then says where in it.  NULL: the events are in the store.  '': they
-- were archived and then removed for good, and `events` holds none.
ALTER TABLE trace ADD COLUMN archived VARCHAR;
