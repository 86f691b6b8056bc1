-- With what a day's total is made of, so that it is counted without reading an event. The old one goes last: while the new ones
-- are built, events are still read.
CREATE INDEX events_of_day_totals ON events (sender_no, business_day, no) INCLUDE (state, movement, amount);
-- Whether those are in the books another event says: they are counted apart, and there are few.
CREATE INDEX events_taken_back ON events (sender_no, business_day) WHERE state = 'reversed';
DROP INDEX events_of_day;
ALTER INDEX events_of_day_totals RENAME TO events_of_day;

-- The first page of open breaks in either order is read and not sorted.
CREATE INDEX breaks_oldest ON breaks (aged_from, no) WHERE closed_at IS NULL;
CREATE INDEX breaks_largest ON breaks (abs(amount), no) WHERE closed_at IS NULL;
