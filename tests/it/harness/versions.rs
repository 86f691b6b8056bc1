//! The schema's versions by name and text: what books of an older program are made with.

// What only one database has stands at its place among the others.
macro_rules! versions {
    ($database:literal: $($name:literal)*) => {
        [$(($name, include_str!(concat!("../../../src/store/migrations/", $name, ".", $database, ".sql")))),*]
    };
    ($database:literal $($its_own:literal)*) => {
        versions! { $database:
            "0001_spine" "0002_reconciliation" "0003_desk" "0004_settlement" "0005_close" "0006_rules_day" "0007_settled"
            "0008_users" "0009_pages" "0010_two_admins" "0011_day_totals" "0012_day_sums" "0013_break_places" "0014_makers"
            "0015_today" "0016_statement_makers" $($its_own)*
        }
    };
}

/// A version's name and its text.
pub type Version = (&'static str, &'static str);

pub const SQLITE: [Version; 17] = versions!("sqlite" "0017_invoice_words");
pub const POSTGRES: [Version; 16] = versions!("postgres");

/// Those before the version of this name, as one text.
pub fn before(versions: &[Version], name: &str) -> String {
    versions.iter().take_while(|(of, _)| *of != name).map(|(_, text)| *text).collect::<Vec<_>>().join("\n")
}

/// Those from the version of this name up to, not including, the one of that name, or to the last.
pub fn between(versions: &[Version], from: &str, to: &str) -> String {
    let rest = versions.iter().skip_while(|(of, _)| *of != from).take_while(|(of, _)| *of != to);
    rest.map(|(_, text)| *text).collect::<Vec<_>>().join("\n")
}
