-- Days and months that are signed off. Figures are a text that never changes; each close commits to the one before.

CREATE TABLE closes (
    no                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    period            text   COLLATE "C" NOT NULL CHECK (period IN ('day', 'month')),
    partner           text   COLLATE "C" NOT NULL,
    first_day         date   NOT NULL,
    -- What was compared: it must still be so when it is signed.
    file_no           bigint,
    reconciliation_no bigint,
    figures           text   NOT NULL,
    previous          bytea  CHECK (length(previous) = 32),
    hash              bytea  NOT NULL CHECK (length(hash) = 32),
    -- What differs and goes on open, in dong: how an authority is measured.
    open_dong         bigint NOT NULL CHECK (open_dong >= 0),
    drafted_by        text   COLLATE "C" NOT NULL,
    drafted_at        bigint NOT NULL,
    signed_by         text   COLLATE "C" CHECK (signed_by <> drafted_by),
    signed_at         bigint CHECK ((signed_at IS NULL) = (signed_by IS NULL)),
    ended_by          text   COLLATE "C",
    ended_at          bigint CHECK ((ended_at IS NULL) = (ended_by IS NULL)),
    end_reason        text   CHECK ((end_reason IS NULL) = (ended_by IS NULL)),
    state             text   COLLATE "C" GENERATED ALWAYS AS (CASE
        WHEN ended_at IS NOT NULL AND signed_at IS NOT NULL THEN 'reopened' WHEN ended_at IS NOT NULL THEN 'dropped'
        WHEN signed_at IS NOT NULL THEN 'sealed' ELSE 'draft' END) STORED
);
CREATE UNIQUE INDEX closes_live ON closes (partner, period, first_day) WHERE ended_at IS NULL;

-- Comparisons whose breaks are all written: only on those a day is closed.
CREATE TABLE reconciliations_done (
    reconciliation_no bigint PRIMARY KEY
);

-- Which business days' events a close takes into account: its own day's, and those that came late for days sealed before.
CREATE TABLE close_days (
    close_no     bigint NOT NULL REFERENCES closes (no),
    business_day date   NOT NULL,
    count        bigint NOT NULL,
    dong         bigint NOT NULL,
    PRIMARY KEY (close_no, business_day)
);

CREATE FUNCTION may_sign() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.open_dong > coalesce((SELECT a.dong FROM authorities a WHERE a.person = NEW.signed_by AND a.action = 'seal'
            ORDER BY a.no DESC LIMIT 1), -1) THEN
        RAISE EXCEPTION 'beyond the authority of whoever signs';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION may_reopen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF coalesce((SELECT a.dong FROM authorities a WHERE a.person = NEW.ended_by AND a.action = 'reopen'
            ORDER BY a.no DESC LIMIT 1), -1) < 0 THEN
        RAISE EXCEPTION 'reopening is a privilege';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER closes_begin BEFORE INSERT ON closes FOR EACH ROW
    WHEN (NEW.signed_by IS NOT NULL OR NEW.ended_by IS NOT NULL) EXECUTE FUNCTION refuse('a close is a draft first');
CREATE TRIGGER closes_same BEFORE UPDATE OF no, period, partner, first_day, file_no, reconciliation_no, figures, previous,
    hash, open_dong, drafted_by, drafted_at ON closes
    FOR EACH ROW EXECUTE FUNCTION refuse('sealed figures never move');
CREATE TRIGGER closes_signed_once BEFORE UPDATE OF signed_by, signed_at ON closes FOR EACH ROW
    WHEN (OLD.signed_by IS NOT NULL OR OLD.ended_by IS NOT NULL) EXECUTE FUNCTION refuse('a close is signed once');
CREATE TRIGGER closes_ended_once BEFORE UPDATE OF ended_by, ended_at, end_reason ON closes FOR EACH ROW
    WHEN (OLD.ended_by IS NOT NULL) EXECUTE FUNCTION refuse('a close ends once');
CREATE TRIGGER closes_authority BEFORE UPDATE OF signed_by ON closes FOR EACH ROW EXECUTE FUNCTION may_sign();
CREATE TRIGGER closes_privilege BEFORE UPDATE OF ended_by ON closes FOR EACH ROW
    WHEN (OLD.signed_by IS NOT NULL) EXECUTE FUNCTION may_reopen();
CREATE TRIGGER closes_last BEFORE DELETE ON closes FOR EACH ROW EXECUTE FUNCTION refuse('closes stay');
CREATE TRIGGER closes_all BEFORE TRUNCATE ON closes EXECUTE FUNCTION refuse('closes stay');
CREATE TRIGGER close_days_stay BEFORE UPDATE OR DELETE ON close_days
    FOR EACH ROW EXECUTE FUNCTION refuse('sealed figures never move');
CREATE TRIGGER close_days_all BEFORE TRUNCATE ON close_days EXECUTE FUNCTION refuse('closes stay');
