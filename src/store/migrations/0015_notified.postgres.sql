-- What the sums of days do not say of a day's events, read from those few events alone: payments of which a sponsor gave all,
-- and reversals, besides those that were taken back.
CREATE INDEX events_given ON events (sender_no, business_day) WHERE discount = amount AND fee = 0;
CREATE INDEX events_reversals ON events (sender_no, business_day) WHERE movement = 'reversal';
