//! Who works at the finance desk.

use super::reports::SqliteReports;
use super::statement::Db;
use super::tx::SqliteTx;
use crate::domain::ids::Author;
use crate::domain::resolution::Action;
use crate::domain::time::Timestamp;
use crate::store::StoreError;
use crate::store::users::{
    Attempt, DeskLog, SAVED_VIEWS_MAX, SavedView, Session, User, UserChange, UserReports, UserTx, attempted, log_line,
    saved_view, session, user, user_columns, withdrawn,
};
use rusqlite::params;

/// Is there such a user?
fn is_there(db: Db<'_>, name: &Author) -> Result<bool, StoreError> {
    Ok(db.integer("-- users.is_there\nSELECT count(*) FROM users WHERE name = ?1", [name.as_str()])? != 0)
}

/// Takes every authority of this name.
fn withdraw(db: Db<'_>, person: &Author, (by, at): (&Author, Timestamp)) -> Result<Vec<Action>, StoreError> {
    const SQL: &str = "-- authorities.withdraw\nINSERT INTO authorities (person, action, dong, granted_by, at)
        SELECT a.person, a.action, -1, ?2, ?3 FROM authorities a WHERE a.person = ?1 AND a.dong >= 0
            AND a.no = (SELECT max(l.no) FROM authorities l WHERE l.person = a.person AND l.action = a.action)
        ORDER BY a.no RETURNING action";
    db.all(SQL, params![person.as_str(), by.as_str(), at.unix_ms()], |cells| withdrawn(cells))
}

impl UserTx for SqliteTx<'_> {
    fn add_user(&mut self, new: &User) -> Result<Option<Vec<Action>>, StoreError> {
        const SQL: &str = "-- users.add\nINSERT INTO users (name, roles, password, given, disabled, language, theme,
            made_by, made_at, password_by) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
        if is_there(self.db, &new.name)? {
            return Ok(None);
        }
        let gone = withdraw(self.db, &new.name, (&new.made_by, new.made_at))?;
        let words = (new.tongue.word(), new.theme.word());
        let (made_by, made_at) = (new.made_by.as_str(), new.made_at.unix_ms());
        let params = params![
            new.name.as_str(),
            new.roles.words(),
            new.password,
            new.given,
            new.disabled,
            words.0,
            words.1,
            made_by,
            made_at,
            new.password_by.as_str()
        ];
        self.db.execute(SQL, params)?;
        Ok(Some(gone))
    }

    fn change_user(&mut self, name: &Author, change: &UserChange) -> Result<Option<Vec<Action>>, StoreError> {
        const ROLES: &str = "-- users.roles\nUPDATE users SET roles = ?2 WHERE name = ?1";
        const DISABLED: &str = "-- users.disable\nUPDATE users SET disabled = ?2 WHERE name = ?1";
        const CHOSEN: &str = "-- users.choose\nUPDATE users SET password = ?2, given = 0, failures = 0,
            locked_until = NULL WHERE name = ?1";
        const GIVEN: &str = "-- users.give\nUPDATE users SET password = ?2, given = 1, password_by = ?3, failures = 0,
            locked_until = NULL WHERE name = ?1";
        const TASTE: &str = "-- users.taste\nUPDATE users SET language = ?2, theme = ?3 WHERE name = ?1";
        const PROVED: &str = "-- users.proved\nUPDATE users SET failures = 0, locked_until = NULL WHERE name = ?1";
        const SESSIONS: &str = "-- sessions.end_all\nDELETE FROM sessions WHERE name = ?1";
        let who = name.as_str();
        let gone = match change.withdraws() {
            Some(_) if !is_there(self.db, name)? => return Ok(None),
            Some(by) => withdraw(self.db, name, by)?,
            None => Vec::new(),
        };
        let changed = match change {
            UserChange::Roles(roles) => self.db.execute(ROLES, (who, roles.words())),
            UserChange::Disabled { .. } => self.db.execute(DISABLED, (who, true)),
            UserChange::Enabled => self.db.execute(DISABLED, (who, false)),
            UserChange::Chosen { phc } => self.db.execute(CHOSEN, (who, phc)),
            UserChange::Given { phc, by, .. } => self.db.execute(GIVEN, (who, phc, by.as_str())),
            UserChange::Taste(tongue, theme) => self.db.execute(TASTE, (who, tongue.word(), theme.word())),
            UserChange::Proved => self.db.execute(PROVED, [who]),
        }?;
        if change.ends_sessions() {
            self.db.execute(SESSIONS, [who])?;
        }
        Ok((changed == 1).then_some(gone))
    }

    fn attempt(&mut self, name: &Author, now: Timestamp) -> Result<Attempt, StoreError> {
        const ONE: &str = concat!("-- users.one\nSELECT ", user_columns!(), " FROM users u WHERE u.name = ?1");
        const COUNT: &str =
            "-- users.attempt\nUPDATE users SET failures = failures + 1, locked_until = ?2 WHERE name = ?1";
        let found = self.db.one(ONE, [name.as_str()], |cells| user(cells))?;
        let (attempt, until) = attempted(found, now);
        if matches!(attempt, Attempt::Try(_)) {
            self.db.execute(COUNT, (name.as_str(), until.map(Timestamp::unix_ms)))?;
        }
        Ok(attempt)
    }

    fn begin_session(&mut self, new: &Session) -> Result<(), StoreError> {
        const SQL: &str =
            "-- sessions.begin\nINSERT INTO sessions (digest, name, began_at, seen_at) VALUES (?1, ?2, ?3, ?4)";
        let (began, seen) = (new.began_at.unix_ms(), new.seen_at.unix_ms());
        self.db.execute(SQL, params![new.digest, new.name.as_str(), began, seen]).map(drop)
    }

    fn touch_session(&mut self, digest: &[u8; 32], at: Timestamp) -> Result<(), StoreError> {
        const SQL: &str = "-- sessions.touch\nUPDATE sessions SET seen_at = ?2 WHERE digest = ?1 AND seen_at < ?2";
        self.db.execute(SQL, params![digest, at.unix_ms()]).map(drop)
    }

    fn end_session(&mut self, digest: &[u8; 32]) -> Result<(), StoreError> {
        self.db.execute("-- sessions.end\nDELETE FROM sessions WHERE digest = ?1", [digest]).map(drop)
    }

    fn end_old_sessions(&mut self, began_before: Timestamp, seen_before: Timestamp) -> Result<(), StoreError> {
        const SQL: &str = "-- sessions.end_old\nDELETE FROM sessions WHERE began_at < ?1 OR seen_at < ?2";
        self.db.execute(SQL, (began_before.unix_ms(), seen_before.unix_ms())).map(drop)
    }

    fn log_desk(&mut self, line: &DeskLog) -> Result<(), StoreError> {
        const SQL: &str = "-- desk_log.add\nINSERT INTO desk_log (at, name, what, subject) VALUES (?1, ?2, ?3, ?4)";
        self.db.execute(SQL, params![line.at.unix_ms(), line.name.as_str(), line.what, line.subject]).map(drop)
    }

    fn save_view(&mut self, of: &Author, label: &str, query: Option<&str>) -> Result<bool, StoreError> {
        const DROP: &str = "-- saved_views.drop\nDELETE FROM saved_views WHERE name = ?1 AND label = ?2";
        const COUNT: &str = "-- saved_views.count\nSELECT count(*) FROM saved_views WHERE name = ?1";
        const ADD: &str = "-- saved_views.add\nINSERT INTO saved_views (name, label, query) VALUES (?1, ?2, ?3)";
        self.db.execute(DROP, (of.as_str(), label))?;
        let Some(query) = query else { return Ok(true) };
        if self.db.integer(COUNT, [of.as_str()])? >= i64::from(SAVED_VIEWS_MAX) {
            return Ok(false);
        }
        self.db.execute(ADD, (of.as_str(), label, query)).map(|_one| true)
    }
}

impl UserReports for SqliteReports {
    fn users(&mut self) -> Result<Vec<User>, StoreError> {
        const SQL: &str = concat!("-- users.all\nSELECT ", user_columns!(), " FROM users u ORDER BY u.name");
        self.db().all(SQL, [], |cells| user(cells))
    }

    fn session(&mut self, digest: &[u8; 32]) -> Result<Option<(Session, User)>, StoreError> {
        const SQL: &str = concat!(
            "-- sessions.one\nSELECT s.digest, s.name, s.began_at, s.seen_at, ",
            user_columns!(),
            " FROM sessions s JOIN users u ON u.name = s.name WHERE s.digest = ?1"
        );
        self.db().one(SQL, [digest], |cells| session(cells))
    }

    fn desk_log(&mut self, before: Option<i64>, limit: u32) -> Result<Vec<(i64, DeskLog)>, StoreError> {
        const SQL: &str = "-- desk_log.page\nSELECT l.no, l.at, l.name, l.what, l.subject FROM desk_log l
            WHERE l.no < coalesce(?1, 9223372036854775807) ORDER BY l.no DESC LIMIT ?2";
        self.db().all(SQL, (before, limit), |cells| log_line(cells))
    }

    fn saved_views(&mut self, of: &Author) -> Result<Vec<SavedView>, StoreError> {
        const SQL: &str =
            "-- saved_views.of\nSELECT v.label, v.query FROM saved_views v WHERE v.name = ?1 ORDER BY v.label";
        self.db().all(SQL, [of.as_str()], |cells| saved_view(cells))
    }
}
