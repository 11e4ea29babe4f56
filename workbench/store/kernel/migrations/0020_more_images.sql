-- The pictures of a question after its first one, in order, as `image` is.  NULL: it has one picture.
ALTER TABLE task ADD COLUMN more_images VARCHAR[];
