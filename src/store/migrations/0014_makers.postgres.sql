-- Who could act as whoever proposed or drew something up, when that was made: a password that is given later forgets nobody.
CREATE TABLE makers (
    what   text   COLLATE "C" NOT NULL CHECK (what IN ('proposals', 'closes')),
    no     bigint NOT NULL,
    person text   COLLATE "C" NOT NULL,
    PRIMARY KEY (what, no, person)
);
INSERT INTO makers (what, no, person)
    SELECT 'proposals', p.no, c.person FROM proposals p JOIN could_act c ON c.name = p.maker WHERE p.state = 'proposed'
    UNION ALL
    SELECT 'closes', l.no, c.person FROM closes l JOIN could_act c ON c.name = l.drafted_by WHERE l.signed_by IS NULL;
CREATE FUNCTION is_made_by() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO makers (what, no, person) SELECT TG_TABLE_NAME, NEW.no, c.person FROM could_act c
        WHERE c.name = to_jsonb(NEW) ->> TG_ARGV[0];
    RETURN NEW;
END $$;
CREATE TRIGGER proposals_made AFTER INSERT ON proposals FOR EACH ROW EXECUTE FUNCTION is_made_by('maker');
CREATE TRIGGER closes_made AFTER INSERT ON closes FOR EACH ROW EXECUTE FUNCTION is_made_by('drafted_by');
CREATE TRIGGER makers_stay BEFORE UPDATE OR DELETE ON makers
    FOR EACH ROW EXECUTE FUNCTION refuse('who made something stays');
CREATE TRIGGER makers_all BEFORE TRUNCATE ON makers EXECUTE FUNCTION refuse('who made something stays');

CREATE OR REPLACE FUNCTION is_by_another() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    maker   text := to_jsonb(NEW) ->> TG_ARGV[0];
    decider text := to_jsonb(NEW) ->> TG_ARGV[1];
BEGIN
    IF EXISTS (SELECT 1 FROM could_act c WHERE c.name = maker AND c.person = decider
            OR c.name = decider AND c.person = maker)
        OR EXISTS (SELECT 1 FROM makers m WHERE m.what = TG_TABLE_NAME AND m.no = NEW.no AND m.person = decider) THEN
        RAISE EXCEPTION 'whoever could act as the maker neither approves nor signs';
    END IF;
    RETURN NEW;
END $$;

-- The same of a message to the core, from whoever proposed to close it until that is taken back. No authority is asked for
-- there, so whoever could act as both counts too.
ALTER TABLE dispatches ADD COLUMN close_makers text[] COLLATE "C";
UPDATE dispatches d SET close_makers = (SELECT array_agg(c.person) FROM could_act c WHERE c.name = d.close_proposed_by)
    WHERE state = 'parked' AND close_proposed_by IS NOT NULL;
CREATE FUNCTION is_closed_by_another() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM could_act c WHERE c.name = NEW.closed_by
            AND (c.person IN (SELECT p.person FROM could_act p WHERE p.name = NEW.close_proposed_by)
                OR c.person = ANY (NEW.close_makers))) THEN
        RAISE EXCEPTION 'whoever could act as the proposer closes no message';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER dispatches_two BEFORE UPDATE OF closed_by ON dispatches
    FOR EACH ROW EXECUTE FUNCTION is_closed_by_another();
