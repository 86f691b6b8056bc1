-- With what a day's total is made of, so that it is counted without reading an event.
DROP INDEX events_of_day;
CREATE INDEX events_of_day ON events (sender_no, business_day, no) INCLUDE (state, movement, amount);
-- Whether those are in the books another event says: they are counted apart, and there are few.
CREATE INDEX events_taken_back ON events (sender_no, business_day) WHERE state = 'reversed';
