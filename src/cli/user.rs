//! `thuho user`: who may log in to the finance desk. For the first user of a new installation, and for whoever forgot the
//! password when no admin is there; everything else is on the page of users. A password is made up here and changed by its
//! owner at the first log-in, so that it is in no shell's history. Whoever runs it holds the database, and with it all that
//! the database guards: what is done here is in the desk's log, under a name that gives no authority.

use super::{ConfigArg, Exit, Failure, Outcome, load, out};
use crate::app;
use crate::domain::ids::Author;
use crate::domain::resolution::Action;
use crate::domain::time::{Clock as _, SystemClock, Timestamp};
use crate::domain::user::{Role, Roles, is_person};
use crate::finance::password;
use crate::ledger::transact;
use crate::store;
use crate::store::users::{DeskLog, User, UserChange};

/// Who a user is added by here.
const BY: &str = "system:command-line";

/// `thuho user ..`
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Adds somebody and prints a password for the first log-in.
    Add {
        /// The name, which is also that of an author.
        name: String,
        /// viewer, maker, checker, ops or admin; may be given more than once.
        #[arg(long = "role", value_name = "ROLE", required = true)]
        roles: Vec<String>,
        #[command(flatten)]
        config: ConfigArg,
    },
    /// Prints a new password for the next log-in; ends every session of this user and takes every authority.
    Passwd {
        /// Whose.
        name: String,
        #[command(flatten)]
        config: ConfigArg,
    },
    /// Everybody, with roles.
    List {
        #[command(flatten)]
        config: ConfigArg,
    },
}

/// Runs it.
///
/// # Errors
/// Wrong arguments, a file that a gateway holds, the machine's.
pub fn run(command: &Command) -> Outcome {
    match command {
        Command::Add { name, roles, config } => add(name, roles, config),
        Command::Passwd { name, config } => passwd(name, config),
        Command::List { config } => list(config),
    }
}

fn named(name: &str) -> Result<Author, Failure> {
    let name = Author::parse(name).map_err(|e| Failure::Wrong(format!("NAME: {e}")))?;
    let expected = || Failure::Wrong(format!("NAME {name}: expected a person's name, without a colon"));
    if is_person(&name) { Ok(name) } else { Err(expected()) }
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::Failed(error.to_string())
}

fn add(name: &str, roles: &[String], config: &ConfigArg) -> Outcome {
    let name = named(name)?;
    let expected = |word: &String| {
        let words: Vec<&str> = Role::ALL.iter().map(|role| role.word()).collect();
        Failure::Wrong(format!("--role {word}: expected one of {}", words.join(", ")))
    };
    let roles: Vec<Role> =
        roles.iter().map(|word| Role::parse(word).ok_or_else(|| expected(word))).collect::<Result<_, _>>()?;
    let mut store = app::open_store(&load(&config.config)?)?;
    let (made, phc) = password::made_up().map_err(failed)?;
    let (by, at) = by()?;
    let user = User::new(name, Roles::of(&roles), phc, (by, at));
    let line = line("user-add", format!("{} {}", user.name, user.roles.words()))?;
    let (added, _) = transact(store.as_mut(), |tx| {
        let added = tx.add_user(&user)?;
        added.as_ref().map(|gone| tx.log_desk(&line.clone().without(gone))).transpose()?;
        Ok(added)
    })
    .map_err(failed)?;
    let Some(gone) = added else {
        out::note(format!("there is a user {} already", user.name));
        return Ok(Exit::No);
    };
    out::line(format!("user      {}\nroles     {}\npassword  {made}", user.name, user.roles.words()));
    say_withdrawn(&gone);
    Ok(Exit::Done)
}

/// Who acts here, and when.
fn by() -> Result<(Author, Timestamp), Failure> {
    Ok((Author::parse(BY).map_err(failed)?, SystemClock.now()))
}

/// What the desk's log says of it.
fn line(what: &str, subject: String) -> Result<DeskLog, Failure> {
    let (name, at) = by()?;
    Ok(DeskLog { at, name, what: what.to_owned(), subject })
}

fn say_withdrawn(gone: &[Action]) {
    if !gone.is_empty() {
        let words: Vec<&str> = gone.iter().map(|action| action.word()).collect();
        out::line(format!("withdrawn {}", words.join(",")));
    }
}

fn passwd(name: &str, config: &ConfigArg) -> Outcome {
    let name = named(name)?;
    let mut store = app::open_store(&load(&config.config)?)?;
    let (made, phc) = password::made_up().map_err(failed)?;
    let (by, at) = by()?;
    let change = UserChange::Given { phc, by, at };
    let line = line("user-password", name.to_string())?;
    let (there, _) = transact(store.as_mut(), |tx| {
        let there = tx.change_user(&name, &change)?;
        there.as_ref().map(|gone| tx.log_desk(&line.clone().without(gone))).transpose()?;
        Ok(there)
    })
    .map_err(failed)?;
    let Some(gone) = there else {
        out::note(format!("there is no user {name}"));
        return Ok(Exit::No);
    };
    out::line(format!("user      {name}\npassword  {made}"));
    say_withdrawn(&gone);
    Ok(Exit::Done)
}

fn list(config: &ConfigArg) -> Outcome {
    let config = load(&config.config)?;
    let mut reports = store::open_reports(&config.store).map_err(failed)?;
    for user in reports.users().map_err(failed)? {
        let gone = if user.disabled { "  disabled" } else { "" };
        out::line(format!("{:<24} {}{gone}", user.name.as_str(), user.roles.words()));
    }
    Ok(Exit::Done)
}
