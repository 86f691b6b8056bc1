-- What two people have settled of an event is not asked again when something else comes late for its day.
CREATE INDEX breaks_settled_event ON breaks (event_key)
WHERE event_key IS NOT NULL AND leg = 'partner' AND closed_at IS NOT NULL AND proposal_no IS NOT NULL;

-- Which events a close accounts for, so that one that goes and one of the same sum that comes are seen. A close from before
-- has none: its day is looked through once more.
ALTER TABLE close_days ADD COLUMN mark INTEGER NOT NULL DEFAULT 0;
