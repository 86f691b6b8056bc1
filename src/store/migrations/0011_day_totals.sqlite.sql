-- With what a day's total is made of, so that it is counted without reading an event. Behind the number nothing orders the
-- rows: a new one still stands behind all others of its day.
DROP INDEX events_of_day;
CREATE INDEX events_of_day ON events (sender_no, business_day, no, state, movement, amount);
