//! A line of the log for people: what was done, and with what. Pure.

use crate::finance::show;
use crate::finance::told::named;
use crate::finance::words::Words;
use crate::store::users::DeskLog;
use jiff::civil::Date;

/// What was done; a word of the log that has no name here is shown as it is.
pub(super) fn done_word(what: &str, w: Words) -> String {
    let known = match what {
        "log-in" => w.au_did_log_in(),
        "look-customer" => w.au_did_look_customer(),
        "look-payments" => w.au_did_look_payments(),
        "look-payment" => w.au_did_look_payment(),
        "look-break" => w.au_did_look_break(),
        "look-file" => w.au_did_look_file(),
        "look-minutes" => w.au_did_look_minutes(),
        "look-outbox" => w.au_did_look_outbox(),
        "export-breaks" => w.au_did_export(),
        "certificate" => w.au_did_certificate(),
        "rule-run" => w.au_did_rule(),
        "partner-pause" => w.au_did_pause(),
        "partner-resume" => w.au_did_resume(),
        "partner-redo" => w.au_did_redo(),
        "outbox-retry" => w.au_did_retry(),
        "outbox-hold" => w.au_did_hold(),
        "outbox-close" => w.au_did_end(),
        "outbox-approve" => w.au_did_agree(),
        "authority" => w.au_did_authority(),
        "user-add" => w.au_did_add(),
        "user-roles" => w.au_did_roles(),
        "user-disable" => w.au_did_disable(),
        "user-enable" => w.au_did_enable(),
        "user-unlock" => w.au_did_unlock(),
        "user-password" => w.au_did_password(),
        other => other,
    };
    known.to_owned()
}

/// With what. Payers' codes and payments are masked for those who may not see payers; numbers of breaks and files, partners
/// and days are nobody's data.
pub(super) fn subject(line: &DeskLog, sees: bool, w: Words) -> String {
    let of = line.subject.as_str();
    match line.what.as_str() {
        "look-customer" | "look-payment" if !sees => show::masked(of),
        // A partner's day, or whatever somebody looked for.
        "look-payments" if !sees && !is_day(of) => show::masked(of),
        "export-breaks" if !sees => masked_query(of),
        "export-breaks" => of.to_owned(),
        "look-break" => format!("{} {of}", w.au_break()),
        "look-file" => match of.strip_prefix("break ") {
            Some(rest) => format!("{} {rest}", w.au_break()),
            None => of.to_owned(),
        },
        _ => words(of, w),
    }
}

fn is_day(of: &str) -> bool {
    of.split_once(' ').is_some_and(|(_, day)| day.parse::<Date>().is_ok())
}

/// Days and rules within a subject, as people write them.
fn words(of: &str, w: Words) -> String {
    let word = |word: &str| match word.parse::<Date>() {
        Ok(day) => show::day(day),
        Err(_not_a_day) => named(word, w),
    };
    of.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// A filter whose search text is masked: it may be a payer's code.
fn masked_query(query: &str) -> String {
    let field = |field: &str| match field.split_once('=') {
        Some(("q", text)) => format!("q={}", show::masked(text)),
        _ => field.to_owned(),
    };
    query.split('&').map(field).collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::subject;
    use crate::domain::ids::Author;
    use crate::domain::time::Timestamp;
    use crate::domain::user::Tongue;
    use crate::finance::words::Words;
    use crate::store::users::DeskLog;

    fn told(what: &str, of: &str, sees: bool) -> String {
        let name = Author::parse("lan").expect("a name");
        let at = Timestamp::from_unix_ms(0);
        subject(&DeskLog { at, name, what: what.to_owned(), subject: of.to_owned() }, sees, Words(Tongue::Vi))
    }

    #[test]
    fn only_payers_are_masked() {
        let masked = |what: &str, of: &str| told(what, of, false);
        assert_eq!(masked("look-break", "12"), "chênh lệch 12");
        assert_eq!(masked("look-file", "7"), "7");
        assert_eq!(masked("look-payments", "standard 2026-11-20"), "standard 20/11/2026");
        assert_eq!(masked("export-breaks", "class=STALE&q=PA03HL0000001"), "class=STALE&q=PA03•••••••01");
        for what in ["look-customer", "look-payments", "look-payment"] {
            assert_eq!(masked(what, "PA03HL0000001"), "PA03•••••••01");
            assert_eq!(told(what, "PA03HL0000001", true), "PA03HL0000001");
        }
        assert_eq!(told("rule-run", "rule:refund-later@1 3", true), "quy tắc “Hoàn giao dịch trả sau” 3");
    }
}
