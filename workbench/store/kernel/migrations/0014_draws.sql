-- How many times the sampler drew a program: more than once where the question had the same one already.
ALTER TABLE program ADD COLUMN draws INTEGER DEFAULT 1;
