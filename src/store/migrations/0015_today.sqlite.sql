-- What the sums of days do not say of a day's events is read from those few events alone: payments of which a sponsor gives all
-- and for which nothing is charged, payments that were taken back, and reversals.
CREATE INDEX events_given ON events (sender_no, business_day) WHERE discount = amount AND fee = 0;
CREATE INDEX events_taken_back ON events (sender_no, business_day) WHERE state = 'reversed';
CREATE INDEX events_reversals ON events (sender_no, business_day) WHERE movement = 'reversal';
