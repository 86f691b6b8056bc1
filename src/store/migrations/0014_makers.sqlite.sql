-- Who could act as whoever proposed or drew something up, when that was made: a password that is given later forgets nobody.
CREATE TABLE makers (
    what   TEXT    NOT NULL CHECK (what = 'proposals' OR what = 'closes'),
    no     INTEGER NOT NULL,
    person TEXT    NOT NULL,
    PRIMARY KEY (what, no, person)
) STRICT, WITHOUT ROWID;
INSERT INTO makers (what, no, person)
    SELECT 'proposals', p.no, c.person FROM proposals p JOIN could_act c ON c.name = p.maker WHERE p.state = 'proposed'
    UNION ALL
    SELECT 'closes', l.no, c.person FROM closes l JOIN could_act c ON c.name = l.drafted_by WHERE l.signed_by IS NULL;
CREATE TRIGGER proposals_made AFTER INSERT ON proposals BEGIN
    INSERT INTO makers (what, no, person) SELECT 'proposals', NEW.no, c.person FROM could_act c WHERE c.name = NEW.maker;
END;
CREATE TRIGGER closes_made AFTER INSERT ON closes BEGIN
    INSERT INTO makers (what, no, person) SELECT 'closes', NEW.no, c.person FROM could_act c WHERE c.name = NEW.drafted_by;
END;
CREATE TRIGGER makers_stay BEFORE UPDATE ON makers BEGIN SELECT RAISE(ABORT, 'who made something stays'); END;
CREATE TRIGGER makers_last BEFORE DELETE ON makers BEGIN SELECT RAISE(ABORT, 'who made something stays'); END;

DROP TRIGGER proposals_two;
CREATE TRIGGER proposals_two BEFORE UPDATE OF state ON proposals
WHEN NEW.state = 'approved' AND (EXISTS (SELECT 1 FROM could_act c WHERE c.name = NEW.maker AND c.person = NEW.decided_by
        OR c.name = NEW.decided_by AND c.person = NEW.maker)
    OR EXISTS (SELECT 1 FROM makers m WHERE m.what = 'proposals' AND m.no = NEW.no AND m.person = NEW.decided_by))
BEGIN SELECT RAISE(ABORT, 'whoever could act as the maker does not approve'); END;
DROP TRIGGER closes_two;
CREATE TRIGGER closes_two BEFORE UPDATE OF signed_by ON closes
WHEN EXISTS (SELECT 1 FROM could_act c WHERE c.name = NEW.drafted_by AND c.person = NEW.signed_by
        OR c.name = NEW.signed_by AND c.person = NEW.drafted_by)
    OR EXISTS (SELECT 1 FROM makers m WHERE m.what = 'closes' AND m.no = NEW.no AND m.person = NEW.signed_by)
BEGIN SELECT RAISE(ABORT, 'whoever could act as who drew it up does not sign'); END;

-- The same of a message to the core: a list of persons as JSON, from whoever proposed to close it until that is taken back. No
-- authority is asked for there, so whoever could act as both counts too.
ALTER TABLE dispatches ADD COLUMN close_makers TEXT;
UPDATE dispatches SET close_makers = (SELECT json_group_array(c.person) FROM could_act c WHERE c.name = close_proposed_by)
    WHERE state = 'parked' AND close_proposed_by IS NOT NULL;
CREATE TRIGGER dispatches_two BEFORE UPDATE OF closed_by ON dispatches
WHEN EXISTS (SELECT 1 FROM could_act c WHERE c.name = NEW.closed_by
    AND (c.person IN (SELECT p.person FROM could_act p WHERE p.name = NEW.close_proposed_by)
        OR c.person IN (SELECT m.value FROM json_each(coalesce(NEW.close_makers, '[]')) m)))
BEGIN SELECT RAISE(ABORT, 'whoever could act as the proposer closes no message'); END;
