-- Authority needs two: whoever could log in as somebody, because they made that user or made up the password, does not say
-- how much that user may approve; and an admin who may be a name of the same person is not the second one.

-- Who last gave a password that the user did not choose. It stays when the user chooses another one: whoever knew the given
-- one may have been the one who chose.
ALTER TABLE users ADD COLUMN password_by TEXT NOT NULL DEFAULT '' CHECK (password_by <> name);
UPDATE users SET password_by = coalesce((SELECT l.name FROM desk_log l WHERE l.what = 'user-password'
    AND l.subject = users.name AND l.name <> users.name ORDER BY l.no DESC LIMIT 1), made_by);

-- Under which name which person could act: under their own, and under that of everybody whose password they last gave, and so
-- on. The system's own names are no persons'.
CREATE VIEW could_act (name, person) AS
WITH RECURSIVE reach (name, person) AS (
    SELECT name, name FROM users UNION SELECT made_by, made_by FROM users UNION SELECT password_by, password_by FROM users
    UNION SELECT r.name, u.password_by FROM reach r JOIN users u ON u.name = r.person)
SELECT name, person FROM reach WHERE person NOT LIKE '%:%';

-- What was given before against these rules is given again by somebody else, or by nobody.
INSERT INTO authorities (person, action, dong, granted_by, at)
    SELECT a.person, a.action, -1, 'system:migration', CAST(strftime('%s', 'now') AS INTEGER) * 1000
    FROM authorities a JOIN users u ON u.name = a.person
    WHERE a.dong >= 0 AND (u.disabled = 1 OR EXISTS (SELECT 1 FROM could_act p JOIN could_act g ON g.person = p.person
            WHERE p.name IN (u.name, u.made_by) AND g.name = a.granted_by))
        AND a.no = (SELECT max(l.no) FROM authorities l WHERE l.person = a.person AND l.action = a.action)
    ORDER BY a.no;

CREATE TRIGGER authorities_two BEFORE INSERT ON authorities
WHEN NEW.dong >= 0 AND EXISTS (SELECT 1 FROM users u JOIN could_act p ON p.name IN (u.name, u.made_by)
    JOIN could_act g ON g.person = p.person WHERE u.name = NEW.person AND g.name = NEW.granted_by)
BEGIN SELECT RAISE(ABORT, 'whoever could act as a user gives that user no authority'); END;
-- A name may have been given authority before anybody logs in under it.
CREATE TRIGGER users_begin BEFORE INSERT ON users
WHEN EXISTS (SELECT 1 FROM authorities a WHERE a.person = NEW.name AND a.dong >= 0
    AND a.no = (SELECT max(l.no) FROM authorities l WHERE l.person = a.person AND l.action = a.action))
BEGIN SELECT RAISE(ABORT, 'a new user holds no authority'); END;
CREATE TRIGGER users_given BEFORE UPDATE OF password, disabled ON users
WHEN (NEW.given = 1 AND NEW.password <> OLD.password OR NEW.disabled = 1) AND EXISTS (SELECT 1 FROM authorities a WHERE a.person = NEW.name AND a.dong >= 0
    AND a.no = (SELECT max(l.no) FROM authorities l WHERE l.person = a.person AND l.action = a.action))
BEGIN SELECT RAISE(ABORT, 'whoever is given a password or sent away holds no authority'); END;
-- Two people, and not two names of one: whoever could log in as the other does not approve or sign what that one made.
CREATE TRIGGER proposals_two BEFORE UPDATE OF state ON proposals
WHEN NEW.state = 'approved' AND EXISTS (SELECT 1 FROM could_act c WHERE c.name = NEW.maker AND c.person = NEW.decided_by
    OR c.name = NEW.decided_by AND c.person = NEW.maker)
BEGIN SELECT RAISE(ABORT, 'whoever could act as the maker does not approve'); END;
CREATE TRIGGER closes_two BEFORE UPDATE OF signed_by ON closes
WHEN EXISTS (SELECT 1 FROM could_act c WHERE c.name = NEW.drafted_by AND c.person = NEW.signed_by
    OR c.name = NEW.signed_by AND c.person = NEW.drafted_by)
BEGIN SELECT RAISE(ABORT, 'whoever could act as who drew it up does not sign'); END;
CREATE TRIGGER users_made BEFORE UPDATE OF name, made_by, made_at ON users
BEGIN SELECT RAISE(ABORT, 'who made a user stays'); END;
CREATE TRIGGER users_last BEFORE DELETE ON users BEGIN SELECT RAISE(ABORT, 'users are only sent away'); END;
