//! Who works at the finance desk.

use super::asking::PostgresReports;
use super::session::{Ask, Param};
use super::tx::PostgresTx;
use crate::domain::ids::Author;
use crate::domain::resolution::Action;
use crate::domain::time::Timestamp;
use crate::store::StoreError;
use crate::store::cells::Cells as _;
use crate::store::users::{
    Attempt, DeskLog, SAVED_VIEWS_MAX, SavedView, Session, User, UserChange, UserReports, UserTx, attempted, log_line,
    saved_view, session, user, user_columns, withdrawn,
};

/// Who gives a name a password and who gives it authority take turns; the database's own rules take the same turn.
pub(super) fn take_turn(tx: &mut PostgresTx<'_>, person: &Author) -> Result<(), StoreError> {
    const SQL: &str = "-- persons.turn\nSELECT count(pg_advisory_xact_lock(hashtextextended('person:' || $1, 0)))";
    tx.ask_one(Ask::new(SQL, vec![&person.as_str()])).map(drop)
}

/// Is there such a user?
fn is_there(tx: &mut PostgresTx<'_>, name: &Author) -> Result<bool, StoreError> {
    const SQL: &str = "-- users.is_there\nSELECT count(*) FROM users WHERE name = $1";
    Ok(tx.ask_one(Ask::new(SQL, vec![&name.as_str()]))?.one(|cells| cells.whole())? != Some(0))
}

/// Takes every authority of this name.
fn withdraw(
    tx: &mut PostgresTx<'_>,
    person: &Author,
    (by, at): (&Author, Timestamp),
) -> Result<Vec<Action>, StoreError> {
    const SQL: &str = "-- authorities.withdraw\nINSERT INTO authorities (person, action, dong, granted_by, at)
        SELECT a.person, a.action, -1, $2, $3 FROM authorities a WHERE a.person = $1 AND a.dong >= 0
            AND a.no = (SELECT max(l.no) FROM authorities l WHERE l.person = a.person AND l.action = a.action)
        ORDER BY a.no RETURNING action";
    take_turn(tx, person)?;
    tx.ask_one(Ask::new(SQL, vec![&person.as_str(), &by.as_str(), &at.unix_ms()]))?.all(withdrawn)
}

impl UserTx for PostgresTx<'_> {
    fn add_user(&mut self, new: &User) -> Result<Option<Vec<Action>>, StoreError> {
        const SQL: &str = "-- users.add\nINSERT INTO users (name, roles, password, given, disabled, language, theme,
            made_by, made_at, password_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
        take_turn(self, &new.name)?;
        if is_there(self, &new.name)? {
            return Ok(None);
        }
        let gone = withdraw(self, &new.name, (&new.made_by, new.made_at))?;
        let (name, roles, by) = (new.name.as_str(), new.roles.words(), new.made_by.as_str());
        let (tongue, theme, at) = (new.tongue.word(), new.theme.word(), new.made_at.unix_ms());
        let password_by = new.password_by.as_str();
        let params: Vec<Param<'_>> =
            vec![&name, &roles, &new.password, &new.given, &new.disabled, &tongue, &theme, &by, &at, &password_by];
        self.ask_one(Ask::new(SQL, params))?;
        Ok(Some(gone))
    }

    fn change_user(&mut self, name: &Author, change: &UserChange) -> Result<Option<Vec<Action>>, StoreError> {
        const ROLES: &str = "-- users.roles\nUPDATE users SET roles = $2 WHERE name = $1";
        const DISABLED: &str = "-- users.disable\nUPDATE users SET disabled = $2 WHERE name = $1";
        const CHOSEN: &str = "-- users.choose\nUPDATE users SET password = $2, given = false, failures = 0,
            locked_until = NULL WHERE name = $1";
        const GIVEN: &str =
            "-- users.give\nUPDATE users SET password = $2, given = true, password_by = $3, failures = 0,
            locked_until = NULL WHERE name = $1";
        const TASTE: &str = "-- users.taste\nUPDATE users SET language = $2, theme = $3 WHERE name = $1";
        const PROVED: &str = "-- users.proved\nUPDATE users SET failures = 0, locked_until = NULL WHERE name = $1";
        const SESSIONS: &str = "-- sessions.end_all\nDELETE FROM sessions WHERE name = $1";
        let who = name.as_str();
        let gone = match change.withdraws() {
            Some(_) if !is_there(self, name)? => return Ok(None),
            Some(by) => withdraw(self, name, by)?,
            None => Vec::new(),
        };
        let changed = match change {
            UserChange::Roles(roles) => self.ask_one(Ask::new(ROLES, vec![&who, &roles.words()])),
            UserChange::Disabled { .. } => self.ask_one(Ask::new(DISABLED, vec![&who, &true])),
            UserChange::Enabled => self.ask_one(Ask::new(DISABLED, vec![&who, &false])),
            UserChange::Chosen { phc } => self.ask_one(Ask::new(CHOSEN, vec![&who, phc])),
            UserChange::Given { phc, by, .. } => self.ask_one(Ask::new(GIVEN, vec![&who, phc, &by.as_str()])),
            UserChange::Taste(tongue, theme) => {
                self.ask_one(Ask::new(TASTE, vec![&who, &tongue.word(), &theme.word()]))
            }
            UserChange::Proved => self.ask_one(Ask::new(PROVED, vec![&who])),
        }?;
        if change.ends_sessions() {
            self.ask_one(Ask::new(SESSIONS, vec![&who]))?;
        }
        Ok((changed.count == 1).then_some(gone))
    }

    fn attempt(&mut self, name: &Author, now: Timestamp) -> Result<Attempt, StoreError> {
        const ONE: &str =
            concat!("-- users.one\nSELECT ", user_columns!(), " FROM users u WHERE u.name = $1 FOR UPDATE");
        const COUNT: &str =
            "-- users.attempt\nUPDATE users SET failures = failures + 1, locked_until = $2 WHERE name = $1";
        let who = name.as_str();
        let found = self.ask_one(Ask::new(ONE, vec![&who]))?.one(user)?;
        let (attempt, until) = attempted(found, now);
        if matches!(attempt, Attempt::Try(_)) {
            self.ask_one(Ask::new(COUNT, vec![&who, &until.map(Timestamp::unix_ms)]))?;
        }
        Ok(attempt)
    }

    fn begin_session(&mut self, new: &Session) -> Result<(), StoreError> {
        const SQL: &str =
            "-- sessions.begin\nINSERT INTO sessions (digest, name, began_at, seen_at) VALUES ($1, $2, $3, $4)";
        let (digest, name) = (new.digest.as_slice(), new.name.as_str());
        let (began, seen) = (new.began_at.unix_ms(), new.seen_at.unix_ms());
        self.ask_one(Ask::new(SQL, vec![&digest, &name, &began, &seen])).map(drop)
    }

    fn touch_session(&mut self, digest: &[u8; 32], at: Timestamp) -> Result<(), StoreError> {
        const SQL: &str = "-- sessions.touch\nUPDATE sessions SET seen_at = $2 WHERE digest = $1 AND seen_at < $2";
        self.ask_one(Ask::new(SQL, vec![&digest.as_slice(), &at.unix_ms()])).map(drop)
    }

    fn end_session(&mut self, digest: &[u8; 32]) -> Result<(), StoreError> {
        const SQL: &str = "-- sessions.end\nDELETE FROM sessions WHERE digest = $1";
        self.ask_one(Ask::new(SQL, vec![&digest.as_slice()])).map(drop)
    }

    fn end_old_sessions(&mut self, began_before: Timestamp, seen_before: Timestamp) -> Result<(), StoreError> {
        const SQL: &str = "-- sessions.end_old\nDELETE FROM sessions WHERE began_at < $1 OR seen_at < $2";
        self.ask_one(Ask::new(SQL, vec![&began_before.unix_ms(), &seen_before.unix_ms()])).map(drop)
    }

    fn log_desk(&mut self, line: &DeskLog) -> Result<(), StoreError> {
        const SQL: &str = "-- desk_log.add\nINSERT INTO desk_log (at, name, what, subject) VALUES ($1, $2, $3, $4)";
        let (at, name) = (line.at.unix_ms(), line.name.as_str());
        self.ask_one(Ask::new(SQL, vec![&at, &name, &line.what, &line.subject])).map(drop)
    }

    fn save_view(&mut self, of: &Author, label: &str, query: Option<&str>) -> Result<bool, StoreError> {
        const DROP: &str = "-- saved_views.drop\nDELETE FROM saved_views WHERE name = $1 AND label = $2";
        const COUNT: &str = "-- saved_views.count\nSELECT count(*) FROM saved_views WHERE name = $1";
        const ADD: &str = "-- saved_views.add\nINSERT INTO saved_views (name, label, query) VALUES ($1, $2, $3)
            ON CONFLICT (name, label) DO UPDATE SET query = excluded.query";
        let who = of.as_str();
        self.ask_one(Ask::new(DROP, vec![&who, &label]))?;
        let Some(query) = query else { return Ok(true) };
        let kept = self.ask_one(Ask::new(COUNT, vec![&who]))?.one(|cells| cells.whole())?;
        if kept.unwrap_or_default() >= i64::from(SAVED_VIEWS_MAX) {
            return Ok(false);
        }
        self.ask_one(Ask::new(ADD, vec![&who, &label, &query])).map(|_one| true)
    }
}

impl UserReports for PostgresReports {
    fn users(&mut self) -> Result<Vec<User>, StoreError> {
        const SQL: &str = concat!("-- users.all\nSELECT ", user_columns!(), " FROM users u ORDER BY u.name");
        self.ask_one(Ask::new(SQL, Vec::new()))?.all(user)
    }

    fn session(&mut self, digest: &[u8; 32]) -> Result<Option<(Session, User)>, StoreError> {
        const SQL: &str = concat!(
            "-- sessions.one\nSELECT s.digest, s.name, s.began_at, s.seen_at, ",
            user_columns!(),
            " FROM sessions s JOIN users u ON u.name = s.name WHERE s.digest = $1"
        );
        self.ask_one(Ask::new(SQL, vec![&digest.as_slice()]))?.one(session)
    }

    fn desk_log(&mut self, before: Option<i64>, limit: u32) -> Result<Vec<(i64, DeskLog)>, StoreError> {
        const SQL: &str = "-- desk_log.page\nSELECT l.no, l.at, l.name, l.what, l.subject FROM desk_log l
            WHERE l.no < coalesce($1::bigint, 9223372036854775807) ORDER BY l.no DESC LIMIT $2";
        self.ask_one(Ask::new(SQL, vec![&before, &i64::from(limit)]))?.all(log_line)
    }

    fn saved_views(&mut self, of: &Author) -> Result<Vec<SavedView>, StoreError> {
        const SQL: &str =
            "-- saved_views.of\nSELECT v.label, v.query FROM saved_views v WHERE v.name = $1 ORDER BY v.label";
        self.ask_one(Ask::new(SQL, vec![&of.as_str()]))?.all(saved_view)
    }
}
