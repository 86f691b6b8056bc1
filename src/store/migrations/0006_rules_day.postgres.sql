-- What somebody lets rules approve is a day's sum, and not one list's: a rule can be run again and again.
CREATE INDEX proposals_of_rules ON proposals (action, decided_at) WHERE decided_by = 'system:rules';

CREATE OR REPLACE FUNCTION may_approve() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    may   bigint;
    spent numeric := 0;
BEGIN
    -- Two that decide at once take turns: the second one sees what the first has spent.
    PERFORM pg_advisory_xact_lock(hashtextextended('authority:' || NEW.decided_by || ':' || NEW.action, 0));
    SELECT a.dong INTO may FROM authorities a WHERE a.person = NEW.decided_by AND a.action = NEW.action
        ORDER BY a.no DESC LIMIT 1;
    IF NEW.decided_by = 'system:rules' THEN
        SELECT coalesce(sum(p.dong), 0) INTO spent FROM proposals p WHERE p.decided_by = 'system:rules'
            AND p.action = NEW.action AND p.state IN ('approved', 'done') AND p.decided_at > NEW.decided_at - 86400000;
    END IF;
    IF NEW.dong + spent > coalesce(may, -1) THEN
        RAISE EXCEPTION 'beyond the authority of whoever approves';
    END IF;
    RETURN NEW;
END $$;
