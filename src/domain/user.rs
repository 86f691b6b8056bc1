//! Who works at the finance desk and what each role may do. Two rules stand above all roles and are the database's: nobody
//! approves their own, and nobody beyond their authority.

use super::ids::Author;
use super::time::Timestamp;

/// What somebody is at the desk. One person may be several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Looks, and sees payers masked.
    Viewer,
    /// Brings statements, proposes, draws up closes.
    Maker,
    /// Approves, rejects, signs.
    Checker,
    /// Keeps messages and partners going.
    Ops,
    /// Says who works here, and up to which sum.
    Admin,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Viewer, Self::Maker, Self::Checker, Self::Ops, Self::Admin];

    /// The word on the command line, in the database and in `openapi.yaml`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Maker => "maker",
            Self::Checker => "checker",
            Self::Ops => "ops",
            Self::Admin => "admin",
        }
    }

    /// From its word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == word)
    }

    fn may(self, right: Right) -> bool {
        match right {
            Right::Look => true,
            Right::SeePayers => matches!(self, Self::Maker | Self::Checker),
            Right::Propose => self == Self::Maker,
            Right::Decide => self == Self::Checker,
            Right::Operate => self == Self::Ops,
            Right::Manage => self == Self::Admin,
            Right::Oversee => matches!(self, Self::Checker | Self::Admin),
        }
    }
}

/// What a page or an action needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Right {
    /// Any page of figures.
    Look,
    /// Payers' codes and texts in full, and exports with them.
    SeePayers,
    /// Statements, comparisons, marks on breaks, proposals, drafts of closes.
    Propose,
    /// Approvals, rejections, signatures.
    Decide,
    /// Messages to the core, partners' pauses, notices read again.
    Operate,
    /// Users and authorities.
    Manage,
    /// Who looked at what.
    Oversee,
}

/// Somebody's roles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Roles(u8);

impl Roles {
    /// These.
    #[must_use]
    pub fn of(roles: &[Role]) -> Self {
        Self(roles.iter().fold(0, |all, role| all | bit(*role)))
    }

    /// From their words with commas between them.
    #[must_use]
    pub fn parse(words: &str) -> Option<Self> {
        let roles: Option<Vec<Role>> = words.split(',').filter(|word| !word.is_empty()).map(Role::parse).collect();
        Some(Self::of(&roles?))
    }

    /// Their words with commas between them.
    #[must_use]
    pub fn words(self) -> String {
        self.iter().map(Role::word).collect::<Vec<_>>().join(",")
    }

    /// Each of them.
    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL.into_iter().filter(move |role| self.has(*role))
    }

    /// Is this one of them?
    #[must_use]
    pub fn has(self, role: Role) -> bool {
        self.0 & bit(role) != 0
    }

    /// May whoever has them do this?
    #[must_use]
    pub fn may(self, right: Right) -> bool {
        self.iter().any(|role| role.may(right))
    }
}

fn bit(role: Role) -> u8 {
    match role {
        Role::Viewer => 1,
        Role::Maker => 2,
        Role::Checker => 4,
        Role::Ops => 8,
        Role::Admin => 16,
    }
}

/// Is it a person's name? Rules and commands act under names with a colon, such as `system:rules`, and have authority of
/// their own: nobody logs in as one.
#[must_use]
pub fn is_person(name: &Author) -> bool {
    !name.as_str().contains(':')
}

/// The language of somebody's pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tongue {
    /// Vietnamese.
    #[default]
    Vi,
    /// English.
    En,
}

impl Tongue {
    /// The word of HTML and of the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Vi => "vi",
            Self::En => "en",
        }
    }

    /// From its word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Vi, Self::En].into_iter().find(|tongue| tongue.word() == word)
    }
}

/// The colours of somebody's pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the machine has it.
    #[default]
    Auto,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Theme {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Auto, Self::Light, Self::Dark];

    /// The word in the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// From its word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.word() == word)
    }
}

/// Wrong passwords after which nobody logs in for a while.
const FAILURES_MAX: u32 = 5;

/// The first such while, in milliseconds; each further failure doubles it.
const LOCK_MS: i64 = 60_000;

/// The longest one, in milliseconds.
const LOCK_MAX_MS: i64 = 900_000;

/// Until when a user is locked out who failed this often in a row, this time included.
#[must_use]
pub fn locked_until(failures: u32, now: Timestamp) -> Option<Timestamp> {
    let beyond = failures.checked_sub(FAILURES_MAX)?;
    let wait = LOCK_MS.saturating_mul(1_i64.checked_shl(beyond.min(16)).unwrap_or(i64::MAX)).min(LOCK_MAX_MS);
    Some(now.plus_ms(wait))
}

/// The longest password in bytes: hashing more is work that a stranger gives us.
pub const PASSWORD_MAX_BYTES: usize = 256;

/// The shortest one in characters (NIST SP 800-63B asks for 8 at least, and for no rules of composition).
pub const PASSWORD_MIN_CHARS: usize = 10;

/// Why a password is not taken.
#[must_use]
pub fn bad_password(name: &Author, password: &str) -> Option<BadPassword> {
    let same = password.to_lowercase().contains(&name.as_str().to_lowercase());
    let distinct: std::collections::BTreeSet<char> = password.chars().collect();
    match () {
        () if password.chars().count() < PASSWORD_MIN_CHARS => Some(BadPassword::Short),
        () if password.len() > PASSWORD_MAX_BYTES => Some(BadPassword::Long),
        () if same => Some(BadPassword::Name),
        () if distinct.len() < 5 => Some(BadPassword::Simple),
        () => None,
    }
}

/// Why a password is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPassword {
    /// Too short.
    #[error("expected at least {PASSWORD_MIN_CHARS} characters")]
    Short,
    /// Too long.
    #[error("expected at most {PASSWORD_MAX_BYTES} bytes")]
    Long,
    /// The user's name is in it.
    #[error("expected no user's name in it")]
    Name,
    /// The same few characters again and again.
    #[error("expected at least five different characters")]
    Simple,
}

#[cfg(test)]
mod tests {
    use super::{Right, Role, Roles, bad_password, is_person, locked_until};
    use crate::domain::ids::Author;
    use crate::domain::time::Timestamp;

    #[test]
    fn roles_are_read_as_they_are_written() {
        for bits in 0..32_u8 {
            let roles: Vec<Role> =
                Role::ALL.into_iter().enumerate().filter(|(n, _)| bits & (1 << n) != 0).map(|(_, r)| r).collect();
            let roles = Roles::of(&roles);
            assert_eq!(Roles::parse(&roles.words()), Some(roles));
        }
        assert_eq!(Roles::parse("maker,boss"), None);
    }

    #[test]
    fn nobody_may_propose_and_decide_by_one_role() {
        let both = |role: &Role| Roles::of(&[*role]).may(Right::Propose) && Roles::of(&[*role]).may(Right::Decide);
        assert!(!Role::ALL.iter().any(both));
        assert!(!Roles::default().may(Right::Look), "who has no role sees nothing");
    }

    #[test]
    fn nobody_is_called_as_a_rule_is() {
        let person = |name| is_person(&Author::parse(name).expect("a name"));
        assert_eq!(["lan.nt", "systems", "system:rules", "System:rules"].map(person), [true, true, false, false]);
    }

    #[test]
    fn a_lock_grows_and_has_an_end() {
        let now = Timestamp::from_unix_ms(0);
        let minutes = |failures| locked_until(failures, now).map(|at| at.unix_ms() / 60_000);
        assert_eq!(
            [1, 4, 5, 6, 7, 10, 11, 4_000].map(minutes),
            [None, None, Some(1), Some(2), Some(4), Some(15), Some(15), Some(15)]
        );
    }

    #[test]
    fn a_password_is_long_and_not_the_name() {
        let lan = Author::parse("lan.nt").expect("a name");
        for bad in ["short", "Lan.NT-is-my-name", "aaaaaaaaaaaaaa", &"long-but-fine ".repeat(30)] {
            assert!(bad_password(&lan, bad).is_some(), "{bad}");
        }
        assert_eq!(bad_password(&lan, "mưa rơi trên vịnh"), None);
    }
}
