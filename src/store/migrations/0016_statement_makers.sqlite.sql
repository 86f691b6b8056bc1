-- Who could act as whoever brought a statement, when it was brought: what stands on it is not approved by rules that one of
-- them runs, whoever gives a password later. Of files from before it is who could by now.
CREATE TABLE statement_makers (
    file_no INTEGER NOT NULL,
    person  TEXT    NOT NULL,
    PRIMARY KEY (file_no, person)
) STRICT, WITHOUT ROWID;
INSERT INTO statement_makers (file_no, person)
    SELECT f.no, c.person FROM statement_files f JOIN could_act c ON c.name = f.author;
CREATE TRIGGER statement_files_made AFTER INSERT ON statement_files BEGIN
    INSERT INTO statement_makers (file_no, person) SELECT NEW.no, c.person FROM could_act c WHERE c.name = NEW.author;
END;
CREATE TRIGGER statement_makers_stay BEFORE UPDATE ON statement_makers
BEGIN SELECT RAISE(ABORT, 'who made something stays'); END;
CREATE TRIGGER statement_makers_last BEFORE DELETE ON statement_makers
BEGIN SELECT RAISE(ABORT, 'who made something stays'); END;
