-- What the postings of a business day move on an account, by whose events they are of and by kind. Kept with the entries that
-- they are the sums of, in the same transaction; `audit` counts them anew.
CREATE TABLE day_sums (
    sender_no    INTEGER NOT NULL REFERENCES senders (no),
    business_day TEXT    NOT NULL,
    account_no   INTEGER NOT NULL REFERENCES accounts (no),
    kind         TEXT    NOT NULL CHECK (kind = 'settle' OR kind = 'park' OR kind = 'rematch' OR kind = 'reverse'),
    postings     INTEGER NOT NULL CHECK (postings >= 1),
    dong         INTEGER NOT NULL,
    PRIMARY KEY (sender_no, business_day, account_no, kind)
) STRICT, WITHOUT ROWID;
INSERT INTO day_sums (sender_no, business_day, account_no, kind, postings, dong)
    SELECT e.sender_no, p.business_day, n.account_no, p.kind, count(DISTINCT p.no), sum(n.amount)
    FROM entries n JOIN postings p ON p.no = n.posting_no JOIN events e ON e.no = p.event_no GROUP BY 1, 2, 3, 4;
CREATE TRIGGER day_sums_grow BEFORE UPDATE ON day_sums
WHEN NEW.postings <= OLD.postings OR (NEW.sender_no, NEW.business_day, NEW.account_no, NEW.kind)
    IS NOT (OLD.sender_no, OLD.business_day, OLD.account_no, OLD.kind)
BEGIN SELECT RAISE(ABORT, 'sums of days only grow'); END;
CREATE TRIGGER day_sums_stay BEFORE DELETE ON day_sums BEGIN SELECT RAISE(ABORT, 'sums of days stay'); END;
