-- What people filter and search breaks by: as it is known when one is opened, so that a list of many needs no other table.

-- The invoice that it is about: its own, or the one that its payment names, or the one that its statement line names.
ALTER TABLE breaks ADD COLUMN about TEXT;
ALTER TABLE breaks ADD COLUMN unit TEXT;
ALTER TABLE breaks ADD COLUMN area TEXT;
-- Of its payment.
ALTER TABLE breaks ADD COLUMN channel TEXT;
-- Its sentence and the id of that invoice, in lower case without diacritics.
ALTER TABLE breaks ADD COLUMN folded TEXT NOT NULL DEFAULT '';

DROP TRIGGER breaks_closed_stay;
UPDATE breaks SET about = coalesce(invoice, (SELECT e.names_invoice FROM events e WHERE e.key = event_key),
        (SELECT i.id FROM statement_lines l JOIN invoices i ON i.id = l.ref_invoice WHERE l.no = line_no)),
    channel = (SELECT e.channel FROM events e WHERE e.key = event_key);
UPDATE breaks SET unit = (SELECT i.unit FROM invoices i WHERE i.id = about),
    area = (SELECT i.area FROM invoices i WHERE i.id = about),
    folded = lower(detail) || coalesce(' ' || lower(about), '');
CREATE TRIGGER breaks_closed_stay BEFORE UPDATE ON breaks WHEN OLD.closed_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a closed break does not change'); END;

-- Holds all that a filter asks of a break that is not closed, so that a list reads the rows that it shows and no others.
-- By number: one that is opened stands behind all others.
DROP INDEX breaks_open;
CREATE INDEX breaks_open ON breaks (no, class, partner, aged_from, amount, leg, unit, area, channel, state, assignee, event_key,
    about, ours, theirs, folded)
WHERE closed_at IS NULL;

-- With the amount, so that what is open of each partner's days is summed without reading a row.
DROP INDEX breaks_open_until;
CREATE INDEX breaks_open_until ON breaks (partner, aged_from, amount) WHERE closed_at IS NULL;
