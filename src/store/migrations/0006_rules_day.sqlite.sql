-- What somebody lets rules approve is a day's sum, and not one list's: a rule can be run again and again.
CREATE INDEX proposals_of_rules ON proposals (action, decided_at) WHERE decided_by = 'system:rules';

DROP TRIGGER proposals_authority;
CREATE TRIGGER proposals_authority BEFORE UPDATE OF state ON proposals
WHEN NEW.state = 'approved' AND NEW.dong + CASE WHEN NEW.decided_by = 'system:rules' THEN coalesce((SELECT sum(p.dong)
        FROM proposals p WHERE p.decided_by = 'system:rules' AND p.action = NEW.action AND p.state IN ('approved', 'done')
        AND p.decided_at > NEW.decided_at - 86400000), 0) ELSE 0 END
    > coalesce((SELECT a.dong FROM authorities a
        WHERE a.person = NEW.decided_by AND a.action = NEW.action ORDER BY a.no DESC LIMIT 1), -1)
BEGIN SELECT RAISE(ABORT, 'beyond the authority of whoever approves'); END;
