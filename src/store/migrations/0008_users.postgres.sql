-- Who works at the finance desk, who is there now, and who looked at what.

CREATE TABLE users (
    -- Rules act under such names: nobody logs in as one.
    name         text    COLLATE "C" PRIMARY KEY CHECK (name NOT LIKE '%:%'),
    roles        text    COLLATE "C" NOT NULL,
    -- argon2id, as a PHC string.
    password     text    NOT NULL,
    -- Somebody else knows the password: it is changed before anything else.
    given        boolean NOT NULL,
    disabled     boolean NOT NULL DEFAULT false,
    language     text    COLLATE "C" NOT NULL DEFAULT 'vi' CHECK (language IN ('vi', 'en')),
    theme        text    COLLATE "C" NOT NULL DEFAULT 'auto' CHECK (theme IN ('auto', 'light', 'dark')),
    -- Wrong passwords in a row; each attempt counts as one until it is proved right.
    failures     bigint  NOT NULL DEFAULT 0,
    locked_until bigint,
    made_by      text    COLLATE "C" NOT NULL,
    made_at      bigint  NOT NULL
);

CREATE TABLE sessions (
    -- SHA-256 of what the browser presents, which is kept nowhere.
    digest   bytea  PRIMARY KEY CHECK (length(digest) = 32),
    name     text   COLLATE "C" NOT NULL REFERENCES users (name),
    began_at bigint NOT NULL,
    seen_at  bigint NOT NULL
);
CREATE INDEX sessions_of ON sessions (name);

CREATE TABLE desk_log (
    no      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      bigint NOT NULL,
    name    text   COLLATE "C" NOT NULL,
    what    text   COLLATE "C" NOT NULL,
    subject text   NOT NULL
);
CREATE TRIGGER desk_log_stay BEFORE UPDATE OR DELETE ON desk_log
    FOR EACH ROW EXECUTE FUNCTION refuse('the log is only added to');
CREATE TRIGGER desk_log_all BEFORE TRUNCATE ON desk_log EXECUTE FUNCTION refuse('the log is only added to');

-- A filter under a name.
CREATE TABLE saved_views (
    name  text COLLATE "C" NOT NULL REFERENCES users (name),
    label text COLLATE "C" NOT NULL,
    query text NOT NULL,
    PRIMARY KEY (name, label)
);
