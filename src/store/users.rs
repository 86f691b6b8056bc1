//! Who works at the finance desk: users, who is logged in, filters that they keep, and the log of who looked at what.

use super::StoreError;
use super::cells::Cells;
use crate::domain::ids::Author;
use crate::domain::resolution::Action;
use crate::domain::time::Timestamp;
use crate::domain::user::{Roles, Theme, Tongue, locked_until};

/// Somebody who may log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The name, which is also that of an author.
    pub name: Author,
    /// What this person is.
    pub roles: Roles,
    /// argon2id, as a PHC string.
    pub password: String,
    /// Somebody else knows the password: it is changed before anything else.
    pub given: bool,
    /// Gone: may not log in.
    pub disabled: bool,
    /// Of the pages.
    pub tongue: Tongue,
    /// Of the pages.
    pub theme: Theme,
    /// Wrong passwords in a row.
    pub failures: u32,
    /// Nobody logs in as this person before.
    pub locked_until: Option<Timestamp>,
    /// Who added this person,
    pub made_by: Author,
    /// and when.
    pub made_at: Timestamp,
    /// Who last gave this person a password. It stays when the person chooses another one: whoever knew the given one may
    /// have been the one who chose. Neither of the two gives this person authority, nor does anybody whom one of them, or who
    /// is behind them, gave a password.
    pub password_by: Author,
}

impl User {
    /// Somebody new, with a password that another person gave.
    #[must_use]
    pub fn new(name: Author, roles: Roles, password: String, (made_by, made_at): (Author, Timestamp)) -> Self {
        Self {
            name,
            roles,
            password,
            given: true,
            disabled: false,
            tongue: Tongue::default(),
            theme: Theme::default(),
            failures: 0,
            locked_until: None,
            password_by: made_by.clone(),
            made_by,
            made_at,
        }
    }
}

/// What a user is, besides the password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserChange {
    /// Other roles.
    Roles(Roles),
    /// Sent away: may not log in any more, and approves nothing. Ends every session.
    Disabled {
        /// By whom.
        by: Author,
        /// When.
        at: Timestamp,
    },
    /// May log in again; what was taken does not come back.
    Enabled,
    /// Another password, of one's own choice. Ends what was locked, and every session.
    Chosen {
        /// The PHC string.
        phc: String,
    },
    /// Another password, which somebody else made up and so knows: this person approves nothing from now on. Ends what was
    /// locked, and every session.
    Given {
        /// The PHC string.
        phc: String,
        /// By whom.
        by: Author,
        /// When.
        at: Timestamp,
    },
    /// How the pages look.
    Taste(Tongue, Theme),
    /// The last attempt's password was right.
    Proved,
}

impl UserChange {
    /// Is whoever is logged in as this person logged out by it?
    pub(super) fn ends_sessions(&self) -> bool {
        matches!(self, Self::Disabled { .. } | Self::Chosen { .. } | Self::Given { .. })
    }

    /// Who takes this person's authority by it, and when: whoever could log in as this person from now on, or sends this
    /// person away.
    pub(super) fn withdraws(&self) -> Option<(&Author, Timestamp)> {
        match self {
            Self::Disabled { by, at } | Self::Given { by, at, .. } => Some((by, *at)),
            Self::Roles(_) | Self::Enabled | Self::Chosen { .. } | Self::Taste(..) | Self::Proved => None,
        }
    }
}

/// Somebody who is logged in, by the digest of what the browser presents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// SHA-256 of it.
    pub digest: [u8; 32],
    /// Who.
    pub name: Author,
    /// Since when.
    pub began_at: Timestamp,
    /// When last heard of, to the minute.
    pub seen_at: Timestamp,
}

/// What an attempt to log in meets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// The password decides. It counts as a failure until it is proved.
    Try(User),
    /// Not before this moment.
    Locked(Timestamp),
    /// No such user, or one that may not log in.
    Unknown,
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeskLog {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub name: Author,
    /// Did what: a word of ours.
    pub what: String,
    /// With what.
    pub subject: String,
}

impl DeskLog {
    /// The same, and that its subject cannot approve these any more.
    #[must_use]
    pub fn without(mut self, withdrawn: &[Action]) -> Self {
        if !withdrawn.is_empty() {
            let words: Vec<&str> = withdrawn.iter().map(|action| action.word()).collect();
            self.subject = format!("{}; authorities withdrawn: {}", self.subject, words.join(","));
        }
        self
    }
}

/// A filter under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedView {
    /// What its owner calls it.
    pub label: String,
    /// The query of its address.
    pub query: String,
}

/// Filters that one person may keep.
pub const SAVED_VIEWS_MAX: u32 = 50;

/// The verbs of a transaction.
pub trait UserTx {
    /// Adds somebody. Says what this name could approve before and cannot any more: whoever made up the password would
    /// have had it. `None`: the name is taken.
    ///
    /// # Errors
    /// The machine's.
    fn add_user(&mut self, user: &User) -> Result<Option<Vec<Action>>, StoreError>;

    /// Changes somebody. Says what this person could approve before and cannot any more. `None`: there is no such user.
    ///
    /// # Errors
    /// The machine's.
    fn change_user(&mut self, name: &Author, change: &UserChange) -> Result<Option<Vec<Action>>, StoreError>;

    /// Counts an attempt to log in before the password is looked at, so that many at once are many.
    ///
    /// # Errors
    /// The machine's.
    fn attempt(&mut self, name: &Author, now: Timestamp) -> Result<Attempt, StoreError>;

    /// Somebody is logged in.
    ///
    /// # Errors
    /// The machine's.
    fn begin_session(&mut self, session: &Session) -> Result<(), StoreError>;

    /// Was heard of.
    ///
    /// # Errors
    /// The machine's.
    fn touch_session(&mut self, digest: &[u8; 32], at: Timestamp) -> Result<(), StoreError>;

    /// Is logged out.
    ///
    /// # Errors
    /// The machine's.
    fn end_session(&mut self, digest: &[u8; 32]) -> Result<(), StoreError>;

    /// Forgets sessions that began before a moment, or were last heard of before another one.
    ///
    /// # Errors
    /// The machine's.
    fn end_old_sessions(&mut self, began_before: Timestamp, seen_before: Timestamp) -> Result<(), StoreError>;

    /// Adds to the log.
    ///
    /// # Errors
    /// The machine's.
    fn log_desk(&mut self, line: &DeskLog) -> Result<(), StoreError>;

    /// Keeps a filter under a name, in place of one with the same name; `None` forgets it. `false`: there are too many.
    ///
    /// # Errors
    /// The machine's.
    fn save_view(&mut self, of: &Author, label: &str, query: Option<&str>) -> Result<bool, StoreError>;
}

/// The questions.
pub trait UserReports {
    /// Everybody, by name.
    ///
    /// # Errors
    /// The machine's.
    fn users(&mut self) -> Result<Vec<User>, StoreError>;

    /// Who is logged in under this digest.
    ///
    /// # Errors
    /// The machine's.
    fn session(&mut self, digest: &[u8; 32]) -> Result<Option<(Session, User)>, StoreError>;

    /// The log, newest first, below this number; each line with its number.
    ///
    /// # Errors
    /// The machine's.
    fn desk_log(&mut self, before: Option<i64>, limit: u32) -> Result<Vec<(i64, DeskLog)>, StoreError>;

    /// Somebody's filters, by name.
    ///
    /// # Errors
    /// The machine's.
    fn saved_views(&mut self, of: &Author) -> Result<Vec<SavedView>, StoreError>;
}

/// The columns of a user, in the order that [`user`] reads them.
macro_rules! user_columns {
    () => {
        "u.name, u.roles, u.password, u.given, u.disabled, u.language, u.theme, u.failures, u.locked_until, u.made_by, \
         u.made_at, u.password_by"
    };
}
pub(super) use user_columns;

pub(super) fn user(cells: &mut impl Cells) -> Result<User, StoreError> {
    let author = |text: &str| Author::parse(text).ok();
    Ok(User {
        name: cells.word(author)?,
        roles: cells.word(Roles::parse)?,
        password: cells.text()?,
        given: cells.flag()?,
        disabled: cells.flag()?,
        tongue: cells.word(Tongue::parse)?,
        theme: cells.word(Theme::parse)?,
        failures: cells.count()?,
        locked_until: cells.at_some()?,
        made_by: cells.word(author)?,
        made_at: cells.at()?,
        password_by: cells.word(author)?,
    })
}

/// An action of an authority that was taken.
pub(super) fn withdrawn(cells: &mut impl Cells) -> Result<Action, StoreError> {
    cells.word(Action::parse)
}

/// The columns of a session and its user.
pub(super) fn session(cells: &mut impl Cells) -> Result<(Session, User), StoreError> {
    let author = |text: &str| Author::parse(text).ok();
    let session =
        Session { digest: cells.hash()?, name: cells.word(author)?, began_at: cells.at()?, seen_at: cells.at()? };
    Ok((session, user(cells)?))
}

pub(super) fn log_line(cells: &mut impl Cells) -> Result<(i64, DeskLog), StoreError> {
    let author = |text: &str| Author::parse(text).ok();
    let no = cells.whole()?;
    let line = DeskLog { at: cells.at()?, name: cells.word(author)?, what: cells.text()?, subject: cells.text()? };
    Ok((no, line))
}

pub(super) fn saved_view(cells: &mut impl Cells) -> Result<SavedView, StoreError> {
    Ok(SavedView { label: cells.text()?, query: cells.text()? })
}

/// What an attempt comes to, and until when it locks this user out.
pub(super) fn attempted(found: Option<User>, now: Timestamp) -> (Attempt, Option<Timestamp>) {
    match found {
        Some(user) if user.disabled => (Attempt::Unknown, None),
        Some(User { locked_until: Some(until), .. }) if now < until => (Attempt::Locked(until), None),
        Some(user) => {
            let until = locked_until(user.failures.saturating_add(1), now);
            (Attempt::Try(user), until)
        }
        None => (Attempt::Unknown, None),
    }
}
