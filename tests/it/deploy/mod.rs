//! Each file of `deploy/`, run by the real program that it is for, with the real gateway behind it.

mod checks;
mod databases;
mod edge;
mod haproxy;
mod images;
mod nginx;
mod notify;
mod restore;
mod unit;

use std::path::{Path, PathBuf};

/// A file that ships.
fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(name)
}

fn text_of(name: &str) -> String {
    std::fs::read_to_string(shipped(name)).unwrap()
}

/// The text with `old` as `new`: where an installation has its own address, a test has one too.
fn with(text: &str, old: &str, new: &str) -> String {
    assert_eq!(text.matches(old).count(), 1, "{old} is not there once");
    text.replace(old, new)
}

/// Is the program there? Says so aloud where it is not.
fn installed(test: &str, program: &str) -> bool {
    let path = std::env::var("PATH").unwrap_or_default();
    let folders = path.split(':').chain(["/usr/sbin", "/sbin"]);
    let there = folders.into_iter().any(|folder| Path::new(folder).join(program).is_file());
    if !there {
        eprintln!("SKIPPED {test}: no {program}");
    }
    there
}
