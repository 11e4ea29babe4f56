-- Why there is no program, or no answer: '' where there is one.  A question that an endpoint refuses, or a picture that
-- cannot be read, is a row with its reason, and the next run goes past it.
ALTER TABLE program ADD COLUMN problem VARCHAR DEFAULT '';
ALTER TABLE prediction ADD COLUMN problem VARCHAR DEFAULT '';

-- What the model thought aloud before the program; '' where it did not.
ALTER TABLE program ADD COLUMN thinking VARCHAR DEFAULT '';

-- What endpoints were asked in each written batch of a run, and what that cost in the currency of the prices.
CREATE TABLE usage (
    run               BIGINT NOT NULL,
    stage             VARCHAR NOT NULL,
    part              VARCHAR,             -- part.key
    requests          BIGINT NOT NULL,
    retries           BIGINT NOT NULL,
    prompt_tokens     BIGINT NOT NULL,
    completion_tokens BIGINT NOT NULL,
    cost              DOUBLE NOT NULL,
    created_at        TIMESTAMP NOT NULL
);
