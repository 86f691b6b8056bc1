-- What people filter and search breaks by: as it is known when one is opened, so that a list of many needs no other table.
ALTER TABLE breaks
    -- The invoice that it is about: its own, or the one that its payment names, or the one that its statement line names.
    ADD COLUMN about   text COLLATE "C",
    ADD COLUMN unit    text COLLATE "C",
    ADD COLUMN area    text COLLATE "C",
    -- Of its payment.
    ADD COLUMN channel text COLLATE "C",
    -- Its sentence and the id of that invoice, in lower case without diacritics.
    ADD COLUMN folded  text COLLATE "C" NOT NULL DEFAULT '';

DROP TRIGGER breaks_closed_stay ON breaks;
UPDATE breaks SET about = coalesce(invoice, (SELECT e.names_invoice FROM events e WHERE e.key = event_key),
        (SELECT i.id FROM statement_lines l JOIN invoices i ON i.id = l.ref_invoice WHERE l.no = line_no)),
    channel = (SELECT e.channel FROM events e WHERE e.key = event_key);
UPDATE breaks SET unit = (SELECT i.unit FROM invoices i WHERE i.id = about),
    area = (SELECT i.area FROM invoices i WHERE i.id = about),
    folded = lower(detail COLLATE "C") || coalesce(' ' || lower(about), '');
CREATE TRIGGER breaks_closed_stay BEFORE UPDATE ON breaks FOR EACH ROW WHEN (OLD.closed_at IS NOT NULL)
    EXECUTE FUNCTION refuse('a closed break does not change');
