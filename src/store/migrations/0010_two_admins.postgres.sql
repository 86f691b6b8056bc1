-- Authority needs two: whoever could log in as somebody, because they made that user or made up the password, does not say
-- how much that user may approve; and an admin who may be a name of the same person is not the second one.

-- Who last gave a password that the user did not choose. It stays when the user chooses another one: whoever knew the given
-- one may have been the one who chose.
ALTER TABLE users ADD COLUMN password_by text COLLATE "C" CHECK (password_by <> name);
UPDATE users SET password_by = coalesce((SELECT l.name FROM desk_log l WHERE l.what = 'user-password'
    AND l.subject = users.name AND l.name <> users.name ORDER BY l.no DESC LIMIT 1), made_by);
ALTER TABLE users ALTER COLUMN password_by SET NOT NULL;

-- Under which name which person could act: under their own, and under that of everybody whose password they last gave, and so
-- on. The system's own names are no persons'.
CREATE VIEW could_act (name, person) AS
WITH RECURSIVE reach (name, person) AS (
    SELECT name, name FROM users UNION SELECT made_by, made_by FROM users UNION SELECT password_by, password_by FROM users
    UNION SELECT r.name, u.password_by FROM reach r JOIN users u ON u.name = r.person)
SELECT name, person FROM reach WHERE person NOT LIKE '%:%';

-- What was given before against these rules is given again by somebody else, or by nobody.
INSERT INTO authorities (person, action, dong, granted_by, at)
    SELECT a.person, a.action, -1, 'system:migration', (extract(epoch FROM now()) * 1000)::bigint
    FROM authorities a JOIN users u ON u.name = a.person
    WHERE a.dong >= 0 AND (u.disabled OR EXISTS (SELECT 1 FROM could_act p JOIN could_act g ON g.person = p.person
            WHERE p.name IN (u.name, u.made_by) AND g.name = a.granted_by))
        AND a.no = (SELECT max(l.no) FROM authorities l WHERE l.person = a.person AND l.action = a.action)
    ORDER BY a.no;

CREATE FUNCTION is_of_two() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Who gives authority and who gives a password at the same time take turns: the second one sees what the first did.
    PERFORM pg_advisory_xact_lock(hashtextextended('person:' || NEW.person, 0));
    IF NEW.dong >= 0 AND EXISTS (SELECT 1 FROM users u JOIN could_act p ON p.name IN (u.name, u.made_by)
            JOIN could_act g ON g.person = p.person WHERE u.name = NEW.person AND g.name = NEW.granted_by) THEN
        RAISE EXCEPTION 'whoever could act as a user gives that user no authority';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION is_without_authority() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('person:' || NEW.name, 0));
    IF EXISTS (SELECT 1 FROM authorities a WHERE a.person = NEW.name AND a.dong >= 0
            AND a.no = (SELECT max(l.no) FROM authorities l WHERE l.person = a.person AND l.action = a.action)) THEN
        RAISE EXCEPTION 'whoever is new, is given a password or is sent away holds no authority';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER authorities_two BEFORE INSERT ON authorities FOR EACH ROW EXECUTE FUNCTION is_of_two();
-- A name may have been given authority before anybody logs in under it.
CREATE TRIGGER users_begin BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION is_without_authority();
CREATE TRIGGER users_given BEFORE UPDATE OF password, disabled ON users FOR EACH ROW
    WHEN (NEW.given AND NEW.password <> OLD.password OR NEW.disabled)
    EXECUTE FUNCTION is_without_authority();
-- Two people, and not two names of one: whoever could log in as the other does not approve or sign what that one made.
CREATE FUNCTION is_by_another() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    maker   text := to_jsonb(NEW) ->> TG_ARGV[0];
    decider text := to_jsonb(NEW) ->> TG_ARGV[1];
BEGIN
    IF EXISTS (SELECT 1 FROM could_act c WHERE c.name = maker AND c.person = decider
            OR c.name = decider AND c.person = maker) THEN
        RAISE EXCEPTION 'whoever could act as the maker neither approves nor signs';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER proposals_two BEFORE UPDATE OF state ON proposals FOR EACH ROW WHEN (NEW.state = 'approved')
    EXECUTE FUNCTION is_by_another('maker', 'decided_by');
CREATE TRIGGER closes_two BEFORE UPDATE OF signed_by ON closes FOR EACH ROW
    EXECUTE FUNCTION is_by_another('drafted_by', 'signed_by');
CREATE TRIGGER users_made BEFORE UPDATE OF name, made_by, made_at ON users FOR EACH ROW
    EXECUTE FUNCTION refuse('who made a user stays');
CREATE TRIGGER users_last BEFORE DELETE ON users FOR EACH ROW EXECUTE FUNCTION refuse('users are only sent away');
CREATE TRIGGER users_all BEFORE TRUNCATE ON users EXECUTE FUNCTION refuse('users are only sent away');
