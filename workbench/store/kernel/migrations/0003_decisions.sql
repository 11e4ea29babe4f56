-- What people said.  `decision` is only ever added to; everything else here can be made from it again.

CREATE SEQUENCE decision_seq;

CREATE TABLE decision (
    seq          BIGINT NOT NULL,
    id           VARCHAR PRIMARY KEY,   -- made by the client
    content      VARCHAR NOT NULL,      -- content key of what the client sent: a retry has the same
    kind         VARCHAR NOT NULL,
    author       VARCHAR NOT NULL,
    role         VARCHAR NOT NULL,
    task_id      VARCHAR NOT NULL,      -- '' for events about no single task
    trace_id     VARCHAR,
    program_id   VARCHAR,
    rationale_id VARCHAR,
    made         VARCHAR,
    verdict      VARCHAR,
    reason       VARCHAR,
    text         VARCHAR NOT NULL,
    step         BIGINT,
    target       VARCHAR,
    batch        VARCHAR,
    subject      VARCHAR,
    since        TIMESTAMP,
    until        TIMESTAMP,
    rating       VARCHAR,               -- JSON
    guideline    VARCHAR,
    seconds      DOUBLE,
    hidden       BOOLEAN,
    client_time  TIMESTAMP,
    automatic    BOOLEAN,
    tool         VARCHAR,
    created_at   TIMESTAMP NOT NULL
);
CREATE INDEX decision_task ON decision (task_id);

-- What each reviewer says of a task now; kind 'none': taken back.  Written with the events that change it.
CREATE TABLE standing (
    task_id      VARCHAR NOT NULL,
    author       VARCHAR NOT NULL,
    kind         VARCHAR NOT NULL,
    trace_id     VARCHAR,
    program_id   VARCHAR,
    rationale_id VARCHAR,
    reason       VARCHAR,
    seq          BIGINT NOT NULL,
    created_at   TIMESTAMP,
    PRIMARY KEY (task_id, author)
);

-- What came of each task that was ever decided on; no row: pending.  Written with the events that change it, which
-- makes two people's events about one task wait for each other.
CREATE TABLE curated (
    task_id      VARCHAR PRIMARY KEY,
    state        VARCHAR NOT NULL,
    outcome      VARCHAR,
    votes        BIGINT NOT NULL,
    needed       BIGINT NOT NULL,
    trace_id     VARCHAR,
    program_id   VARCHAR,
    rationale_id VARCHAR,
    edited       BOOLEAN NOT NULL,
    reason       VARCHAR,
    asked        VARCHAR,
    asked_by     VARCHAR,
    asked_seq    BIGINT,
    gold         VARCHAR,
    seq          BIGINT NOT NULL,
    updated_at   TIMESTAMP NOT NULL
);

-- Who looks at what; a slot is one of the reviewers that a task may have at once.
CREATE TABLE lease (
    task_id      VARCHAR NOT NULL,
    slot         INTEGER NOT NULL,
    holder       VARCHAR NOT NULL,
    granted_at   TIMESTAMP NOT NULL,
    expires_at   TIMESTAMP NOT NULL,
    PRIMARY KEY (task_id, slot)
);

-- The rules of the queue; the last row is in force.
CREATE SEQUENCE curation_seq;
CREATE TABLE curation (
    seq           BIGINT PRIMARY KEY,
    overlap       BIGINT NOT NULL,
    gold_rate     DOUBLE NOT NULL,
    hide_verdicts BOOLEAN NOT NULL,
    lease_minutes DOUBLE NOT NULL,
    daily_goal    BIGINT NOT NULL,
    "order"       VARCHAR NOT NULL,
    author        VARCHAR NOT NULL,
    created_at    TIMESTAMP NOT NULL
);

-- The last row is in force.
CREATE SEQUENCE guideline_seq;
CREATE TABLE guideline (
    seq          BIGINT PRIMARY KEY,
    version      VARCHAR NOT NULL,      -- content key of the text
    text         VARCHAR NOT NULL,
    author       VARCHAR NOT NULL,
    created_at   TIMESTAMP NOT NULL
);

-- The events that count at a time.  Taken back are: what a standing rollback covers, and what its own author undid.
-- An undo can be rolled back, a rollback can be undone, and there it ends (curate/fold.py says the same).
CREATE MACRO decision_at(moment) AS TABLE
WITH seen AS (SELECT * FROM decision WHERE created_at <= moment),
rolled AS (
    SELECT * FROM seen AS r WHERE kind = 'rollback'
    AND NOT EXISTS (SELECT 1 FROM seen AS u WHERE u.kind = 'undo' AND u.target = r.id AND u.seq > r.seq)
),
kept AS (
    SELECT * FROM seen AS e WHERE kind <> 'rollback' AND NOT EXISTS (
        SELECT 1 FROM rolled AS r WHERE r.subject = e.author AND e.created_at >= r.since AND e.created_at < r.until
        AND e.seq < r.seq
    )
),
undone AS (SELECT target, author, max(seq) AS seq FROM kept WHERE kind = 'undo' GROUP BY target, author)
SELECT * FROM kept AS e WHERE kind <> 'undo'
AND NOT EXISTS (SELECT 1 FROM undone AS u WHERE u.target = e.id AND u.author = e.author AND u.seq > e.seq)
AND NOT EXISTS (SELECT 1 FROM undone AS u WHERE u.target = e.batch AND u.author = e.author AND u.seq > e.seq);

CREATE VIEW active_decision AS SELECT * FROM decision_at(TIMESTAMP 'infinity');

-- Each reviewer's last word on each task.
CREATE MACRO standing_at(moment) AS TABLE
SELECT task_id, author, kind, trace_id, program_id, rationale_id, reason, seq, created_at
FROM decision_at(moment) WHERE kind IN ('accept', 'reject', 'skip')
QUALIFY row_number() OVER (PARTITION BY task_id, author ORDER BY seq DESC) = 1;

-- What came of each task; columns as in `curated`.
CREATE MACRO item_at(moment) AS TABLE
WITH active AS MATERIALIZED (SELECT * FROM decision_at(moment)),
setting AS (
    SELECT coalesce((SELECT arg_max(overlap, seq) FROM curation WHERE created_at <= moment), 1) AS overlap
),
said AS (
    SELECT task_id, author, kind, trace_id, program_id, rationale_id, reason, seq FROM active
    WHERE kind IN ('accept', 'reject', 'skip')
    QUALIFY row_number() OVER (PARTITION BY task_id, author ORDER BY seq DESC) = 1
),
counted AS (
    SELECT task_id, count(*) FILTER (kind = 'accept') AS accepts, count(*) FILTER (kind = 'reject') AS rejects,
        count(*) FILTER (kind = 'skip') AS skips,
        arg_max({'t': trace_id, 'p': program_id, 'r': rationale_id}, seq) FILTER (kind = 'accept') AS target,
        arg_max({'r': reason}, seq) FILTER (kind = 'reject') AS why
    FROM said GROUP BY task_id
),
ruled AS (
    SELECT task_id, arg_max({
        'kind': kind, 'verdict': verdict, 't': trace_id, 'p': program_id, 'r': rationale_id, 'reason': reason
    }, seq) AS ruling
    FROM active WHERE kind IN ('adjudicate', 'gold') GROUP BY task_id
),
known AS (SELECT task_id, arg_max(verdict, seq) AS gold FROM active WHERE kind = 'gold' GROUP BY task_id),
settled AS (
    SELECT task_id, max(seq) AS seq FROM active WHERE kind IN ('accept', 'reject', 'adjudicate', 'gold') GROUP BY task_id
),
wanted AS (
    SELECT task_id, arg_max({'text': text, 'author': author}, seq) AS wish, max(seq) AS seq
    FROM active WHERE kind = 'queue' GROUP BY task_id
),
latest AS (
    SELECT task_id, max(seq) AS seq FROM active
    WHERE kind IN ('accept', 'reject', 'skip', 'adjudicate', 'gold', 'queue') GROUP BY task_id
),
met AS (SELECT DISTINCT task_id FROM decision WHERE task_id <> '' AND created_at <= moment),
judged AS (
    SELECT met.task_id, accepts, rejects, target, why, ruling, overlap, gold, latest.seq AS seq,
        CASE
            WHEN ruling.kind = 'adjudicate' THEN 'adjudicated'
            WHEN ruling.verdict = 'accept' THEN 'accepted'
            WHEN ruling.verdict = 'reject' THEN 'rejected'
            WHEN accepts > 0 AND rejects > 0 THEN 'disputed'
            WHEN accepts > 0 AND accepts >= overlap THEN 'accepted'
            WHEN rejects > 0 AND rejects >= overlap THEN 'rejected'
            WHEN skips > 0 AND accepts = 0 AND rejects = 0 THEN 'skipped'
            ELSE 'pending'
        END AS state,
        CASE WHEN wanted.seq > coalesce(settled.seq, -1) THEN {'wish': wish, 'seq': wanted.seq} END AS asking
    FROM met CROSS JOIN setting LEFT JOIN counted USING (task_id) LEFT JOIN ruled USING (task_id)
    LEFT JOIN known USING (task_id) LEFT JOIN settled USING (task_id) LEFT JOIN wanted USING (task_id)
    LEFT JOIN latest USING (task_id)
),
aimed AS (
    SELECT *, CASE
        WHEN ruling IS NOT NULL THEN CASE WHEN ruling.verdict = 'accept' THEN {'t': ruling.t, 'p': ruling.p, 'r': ruling.r} END
        WHEN state = 'accepted' THEN target
    END AS aim
    FROM judged
)
SELECT task_id, state, CASE WHEN state = 'adjudicated' THEN ruling.verdict END AS outcome,
    (coalesce(accepts, 0) + coalesce(rejects, 0))::BIGINT AS votes, overlap AS needed,
    aim.t AS trace_id, aim.p AS program_id, aim.r AS rationale_id,
    coalesce(aim.r IN (SELECT made FROM decision WHERE kind = 'edit' AND created_at <= moment), false)
    OR coalesce(aim.p IN (SELECT made FROM decision WHERE kind = 'edit' AND created_at <= moment), false) AS edited,
    CASE WHEN ruling IS NOT NULL THEN ruling.reason WHEN state = 'rejected' THEN why.r END AS reason,
    asking.wish.text AS asked, asking.wish.author AS asked_by, asking.seq AS asked_seq, gold, coalesce(seq, 0) AS seq
FROM aimed;

CREATE VIEW item AS SELECT * FROM item_at(TIMESTAMP 'infinity');
