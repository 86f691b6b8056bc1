-- What the sums of days do not say of a day's events is read from those few events alone: payments of which a sponsor gives all
-- and for which nothing is charged, and reversals. Payments that were taken back have an index since 0011.
CREATE INDEX events_given ON events (sender_no, business_day) WHERE discount = amount AND fee = 0;
CREATE INDEX events_reversals ON events (sender_no, business_day) WHERE movement = 'reversal';
-- What is open is summed by partner and day in the index alone. The old one goes last: until then it is read.
CREATE INDEX breaks_open_sums ON breaks (partner, aged_from) INCLUDE (amount) WHERE closed_at IS NULL;
DROP INDEX breaks_open_until;
ALTER INDEX breaks_open_sums RENAME TO breaks_open_until;
