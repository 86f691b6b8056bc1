-- Who could act as whoever brought a statement, when it was brought: what stands on it is not approved by rules that one of
-- them runs, whoever gives a password later. Of files from before it is who could by now.
-- No file is brought between its makers and the trigger that notes them.
LOCK TABLE statement_files IN SHARE ROW EXCLUSIVE MODE;
CREATE TABLE statement_makers (
    file_no bigint NOT NULL,
    person  text   COLLATE "C" NOT NULL,
    PRIMARY KEY (file_no, person)
);
INSERT INTO statement_makers (file_no, person)
    SELECT f.no, c.person FROM statement_files f JOIN could_act c ON c.name = f.author;
CREATE FUNCTION is_brought_by() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO statement_makers (file_no, person) SELECT NEW.no, c.person FROM could_act c WHERE c.name = NEW.author;
    RETURN NEW;
END $$;
CREATE TRIGGER statement_files_made AFTER INSERT ON statement_files FOR EACH ROW EXECUTE FUNCTION is_brought_by();
CREATE TRIGGER statement_makers_stay BEFORE UPDATE OR DELETE ON statement_makers
    FOR EACH ROW EXECUTE FUNCTION refuse('who made something stays');
CREATE TRIGGER statement_makers_all BEFORE TRUNCATE ON statement_makers
    EXECUTE FUNCTION refuse('who made something stays');
