//! What the sandbox's collectors write by a layout, the reader takes as it was meant: the shipped layouts and those that
//! are kept with the tests.

use super::*;
use thuho::domain::time::Timestamp;
use thuho::partner::statement::{Layout, Part};
use thuho::sandbox::speech::Naming;
use thuho::sandbox::statement::{Row, can_say, write};

const DAY: &str = "2026-04-01";
const PAYMENT: Effect = Effect::Moves(Movement::Payment);
const REVERSAL: Effect = Effect::Moves(Movement::Reversal);

/// 2026-04-01 10:00:05 in Vietnam: of that day, wherever the partner's ends.
fn morning() -> Timestamp {
    Timestamp::from_unix_ms(1_775_012_405_000)
}

fn row(layout: &Layout, n: u32, effect: Effect, amount: i64) -> Row {
    let field = |part: &Part| match part {
        Part::Column(_) => format!("26040100000{n}"),
        Part::Const(text) => text.clone(),
    };
    let naming = match (layout.invoice, layout.order) {
        (Some(_), _) => Naming::Invoice,
        (None, Some(_)) => Naming::Order,
        (None, None) => Naming::Customer,
    };
    Row {
        effect,
        event: layout.event.iter().map(field).collect(),
        bill: (naming, format!("HD-{n}")),
        customer: None,
        amount,
        fee: 0,
        at: morning().plus_ms(i64::from(n) * 1_000),
        refund: None,
    }
}

/// What is written, and what is expected of it: effect, amount, fee, reference.
fn check(name: &str, layout: &Layout, rows: &[Row]) {
    let file = write(layout, day(DAY), rows).unwrap_or_else(|why| panic!("{name}: {why}"));
    let written = bytes(&file);
    let mut lines = Vec::new();
    let job = Job { layout, day: day(DAY), limits: &Limits::default() };
    let end = read(job, &written.path, &mut |_| {}, &mut |line, _| {
        lines.push(line);
        ControlFlow::Continue(())
    });
    end.unwrap_or_else(|error| panic!("{name}: {error}"));
    let fees = i64::from(!layout.fee.is_empty());
    let named = layout.invoice.or(layout.order).or(layout.customer).is_some();
    let mut expected = Vec::new();
    for row in rows {
        expected.push((row.effect, row.amount, row.fee * fees, named.then(|| row.bill.1.clone())));
        if let Some((dong, _)) = row.refund {
            expected.push((REVERSAL, dong, 0, named.then(|| row.bill.1.clone())));
        }
    }
    let told: Vec<_> = lines
        .iter()
        .map(|line| {
            let of = &line.references;
            let reference = of.invoice.as_ref().or(of.order.as_ref()).or(of.customer.as_ref());
            let reference = reference.map(|text| text.as_str().to_owned());
            (line.effect, line.amount.dong(), line.fee.dong(), reference)
        })
        .collect();
    assert_eq!(told, expected, "{name}");
    for (line, row) in lines.iter().zip(rows).filter(|_| rows.iter().all(|row| row.refund.is_none())) {
        let fields = line.event.as_ref().map(|event| event.fields().to_vec()).unwrap_or_default();
        assert_eq!(fields, row.event, "{name}");
        let timed = layout.paid_at.formats[0].is_timed();
        assert!(!timed || line.paid_at.unix_ms() / 60_000 == row.at.unix_ms() / 60_000, "{name}: {line:?}");
    }
}

#[test]
fn each_layout_reads_what_the_sandbox_writes_by_it() {
    let kept_names = std::fs::read_dir(format!("{HERE}/layouts")).unwrap();
    let mut profiles: Vec<(String, Profile)> = kept_names
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .map(|name| (name.clone(), kept(&name)))
        .collect();
    for entry in std::fs::read_dir(PROFILES).unwrap() {
        let name = entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned();
        profiles.push((name.clone(), shipped(&name)));
    }
    assert!(profiles.len() > 8);
    for (name, profile) in &profiles {
        for layout in StatementKind::ALL.into_iter().filter_map(|kind| profile.statement(kind)) {
            let mut rows = vec![row(layout, 1, PAYMENT, 1_234_567), row(layout, 2, PAYMENT, 90_000)];
            if !layout.fee.is_empty() {
                rows[1].fee = 1_100;
            }
            for effect in [REVERSAL, Effect::None(NoEffect::Failed)] {
                if can_say(layout, effect) {
                    rows.push(row(layout, 3, effect, 50_000));
                }
            }
            check(name, layout, &rows);
            if layout.refund.is_some() {
                rows[0].refund = Some((34_567, morning().plus_ms(60_000)));
                check(name, layout, &rows);
            }
        }
    }
}

#[test]
fn what_a_layout_has_no_word_for_is_not_written() {
    let plain = "[statement]\nevent = [\"id\"]\namount = { column = \"a\", means = \"bill\" }\n\
                 paid_at = { column = \"t\", formats = [\"rfc3339\"] }\n";
    for encoding in ["utf-8", "utf-16le", "utf-16be", "windows-1258"] {
        let profile = profile_with(&format!("{plain}encoding = \"{encoding}\"\n")).unwrap();
        let layout = profile.statement(StatementKind::Partner).unwrap();
        check(encoding, layout, &[row(layout, 1, PAYMENT, 5)]);
        assert!(write(layout, day(DAY), &[row(layout, 1, REVERSAL, 5)]).is_err());
        let nameless = Row { event: Vec::new(), ..row(layout, 1, PAYMENT, 5) };
        assert!(write(layout, day(DAY), &[nameless]).is_err());
    }
}
