//! The demo's last page: what came in, what was booked where, what the core confirmed, what is open. Text only.

use super::evening::{DayEnd, Evening, Figure};
use super::tie_out::TieOut;
use std::fmt::{self, Write};

/// Most differences that are printed one by one.
const DIFFERENCES_SHOWN: usize = 20;

/// Writes the page; its last line is `ties out: yes` or `ties out: no`.
///
/// # Errors
/// The writer's.
pub fn write(page: &mut dyn Write, tie: &TieOut, evening: &Evening) -> fmt::Result {
    came_in(page, tie)?;
    booked(page, tie)?;
    confirmed(page, tie)?;
    compared(page, evening)?;
    resolved(page, evening)?;
    closed(page, evening)?;
    open(page, tie)?;
    believed(page, tie)?;
    for difference in tie.differences.iter().take(DIFFERENCES_SHOWN) {
        writeln!(page, "DIFFERENCE  {difference}")?;
    }
    if let Some(more) = tie.differences.len().checked_sub(DIFFERENCES_SHOWN).filter(|more| *more > 0) {
        writeln!(page, "DIFFERENCE  and {more} more")?;
    }
    writeln!(page, "ties out: {}", if tie.ties_out() { "yes" } else { "no" })
}

fn came_in(page: &mut dyn Write, tie: &TieOut) -> fmt::Result {
    writeln!(page, "What came in, by partner and what became of it (repeats are counted once)")?;
    for line in &tie.receipts {
        writeln!(
            page,
            "  {:<16} {:<18} {:>7}  {:>18}",
            line.partner,
            line.verdict.word(),
            line.count,
            dong(line.dong)
        )?;
    }
    writeln!(page)
}

fn booked(page: &mut dyn Write, tie: &TieOut) -> fmt::Result {
    writeln!(page, "What was booked where (debit positive, credit negative)")?;
    for (account, balance) in &tie.balances {
        writeln!(page, "  {:<43} {:>18}", account.to_string(), dong(*balance))?;
    }
    let total = tie.balances.iter().map(|(_, balance)| balance).sum();
    writeln!(page, "  {:<43} {:>18}\n", "all accounts together", dong(total))
}

fn confirmed(page: &mut dyn Write, tie: &TieOut) -> fmt::Result {
    writeln!(page, "What the billing core confirmed")?;
    writeln!(page, "  {:<35} {:>7}  {:>18}", "messages taken", tie.core.taken, dong(tie.core.net_dong))?;
    writeln!(page, "  {:<35} {:>7}", "repeats it recognised", tie.core.repeats)?;
    writeln!(page, "  {:<35} {:>7}", "still to be delivered", tie.outbox.waiting)?;
    writeln!(page, "  {:<35} {:>7}  {:>18}\n", "waiting for a person", tie.outbox.parked, dong(tie.undelivered))
}

fn compared(page: &mut dyn Write, evening: &Evening) -> fmt::Result {
    writeln!(page, "What the statements of the day said, and in what they differ from the books")?;
    for (partner, end) in &evening.days {
        for leg in &end.legs {
            let of = format!("{partner} {}", leg.kind);
            writeln!(page, "  {of:<35} {:>7}  {:>18}", format!("{} lines", leg.lines), dong(leg.dong))?;
            figure(page, "    matched", leg.matched)?;
            for (class, differs) in &leg.differs {
                figure(page, &format!("    {class}"), *differs)?;
            }
        }
    }
    writeln!(page)
}

fn resolved(page: &mut dyn Write, evening: &Evening) -> fmt::Result {
    writeln!(page, "What rules did about it: they book within the authority that somebody gave, and pay nothing back")?;
    for (partner, end) in &evening.days {
        figure(page, &format!("  {partner} booked from statement"), end.created)?;
        figure(page, &format!("  {partner} refund waits for a person"), end.to_refund)?;
    }
    writeln!(page)
}

fn closed(page: &mut dyn Write, evening: &Evening) -> fmt::Result {
    writeln!(page, "What goes on open over the day's close, by age in days")?;
    for (partner, end) in &evening.days {
        for ((class, age), open) in &end.open {
            figure(page, &format!("  {partner} {class}, {age}"), *open)?;
        }
    }
    writeln!(page, "\nThe day, drawn up by one person and signed by another one; every call of it certified")?;
    for (partner, end) in &evening.days {
        figure(page, &format!("  {partner} {}", hash(end)), end.accounted)?;
        let total = end.certified.as_ref().map(|certificate| certificate.statement.total);
        match total {
            None => writeln!(page, "    NOT CERTIFIED")?,
            Some(total) => figure(page, "    certificate valid", Figure { count: total.count, dong: total.dong })?,
        }
    }
    writeln!(page)
}

fn hash(end: &DayEnd) -> String {
    end.sealed.as_deref().map_or("NOT CLOSED".to_owned(), |hash| format!("closed {}", hash.get(..12).unwrap_or(hash)))
}

fn figure(page: &mut dyn Write, what: &str, of: Figure) -> fmt::Result {
    writeln!(page, "{what:<37} {:>7}  {:>18}", of.count, dong(of.dong))
}

fn open(page: &mut dyn Write, tie: &TieOut) -> fmt::Result {
    writeln!(page, "Open breaks, for people to look at")?;
    for (class, (count, amount)) in &tie.breaks {
        writeln!(page, "  {:<35} {count:>7}  {:>18}", class.code(), dong(*amount))?;
    }
    writeln!(page)
}

fn believed(page: &mut dyn Write, tie: &TieOut) -> fmt::Result {
    writeln!(page, "What the collectors hold by their own journals, and where it is")?;
    let head = ["payments", "held", "on invoices", "in suspense", "unread receipts", "never told us"];
    let [payments, rest @ ..] = head;
    write!(page, "  {:<16} {payments:>8}", "")?;
    rest.iter().try_for_each(|column| write!(page, "  {column:>16}"))?;
    writeln!(page)?;
    let mut all = [0_i64; 5];
    for (partner, held) in &tie.held {
        let figures = [held.till, held.on_invoices, held.in_suspense, held.as_receipts, held.not_told];
        write!(page, "  {partner:<16} {:>8}", held.payments)?;
        for (sum, figure) in all.iter_mut().zip(figures) {
            *sum += figure;
            write!(page, "  {:>16}", dong(figure))?;
        }
        writeln!(page)?;
    }
    write!(page, "  {:<16} {:>8}", "all", tie.held.values().map(|held| held.payments).sum::<u64>())?;
    all.iter().try_for_each(|sum| write!(page, "  {:>16}", dong(*sum)))?;
    writeln!(page, "\n")
}

/// Dong with a dot between thousands, as Vietnamese bills write them.
fn dong(amount: i64) -> String {
    super::statement::grouped(amount, '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dong_are_written_as_on_bills() {
        for (amount, expected) in
            [(0, "0"), (999, "999"), (1_000, "1.000"), (-1_234_567, "-1.234.567"), (100_000, "100.000")]
        {
            assert_eq!(dong(amount), expected);
        }
    }

    #[test]
    fn the_last_line_is_the_verdict() {
        let last = |tie: &TieOut| {
            let mut page = String::new();
            write(&mut page, tie, &Evening::default()).unwrap();
            page.lines().last().unwrap().to_owned()
        };
        assert_eq!(last(&TieOut::default()), "ties out: yes");
        let broken = TieOut { differences: vec!["x".to_owned(); 30], ..TieOut::default() };
        assert_eq!(last(&broken), "ties out: no");
    }
}
