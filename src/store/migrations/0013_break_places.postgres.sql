-- The breaks of a partner's statements by their days: what minutes list.
CREATE INDEX breaks_of_days ON breaks (partner, day, no) WHERE leg = 'partner';
-- A payment's breaks are looked for whether they are closed or not.
DROP INDEX breaks_of_event;
CREATE INDEX breaks_of_event ON breaks (event_key) WHERE event_key IS NOT NULL;
-- The lists of one class, such as that of the matching desk and what a rule looks at. In a file the index of all open breaks
-- holds what a filter tests, and is read whole.
CREATE INDEX breaks_of_class ON breaks (class, no) WHERE closed_at IS NULL;
