//! What minutes say is still owed, against what the bank brings: whoever pays discounts, and whoever states fees, nothing is
//! owed of days whose batches are full. Two days through the real program, under other terms each time.

use crate::harness::postgres::Database;
use crate::harness::program::{Home, ended, signal};
use crate::harness::{http, pays};
use thuho::domain::ids::Movement;
use thuho::domain::money::Money;
use thuho::domain::notice::Effect;
use thuho::domain::time::Timestamp;
use thuho::partner::forge::Wanted;

/// A Friday; its money is due on Monday.
const DAY: &str = "2026-11-20";
const MONDAY: &str = "2026-11-23";

/// 2026-11-20 at 09:00 in the business zone.
const MORNING_MS: i64 = 1_795_140_000_000;
const DAY_MS: i64 = 86_400_000;

/// The shipped profile under other terms.
struct Terms {
    fees: &'static str,
    promotion: &'static str,
    /// Do notices and statements state fees?
    stated: bool,
}

/// What it comes to, in dong.
struct Expected {
    /// Friday's money.
    credit: i64,
    /// Before the bank is asked: what is owed, the fees, and the discounts that the partner does not pay over.
    before: [i64; 3],
    /// The fees that are kept by the schedule.
    fees: i64,
    /// Discounts that the partner does not pay over.
    apart: i64,
}

fn profile(home: &Home, terms: &Terms) {
    let path = home.path("partners").join("standard.toml");
    let mut text = std::fs::read_to_string(&path).unwrap();
    let mut put = |old: &str, new: &str| {
        assert!(text.contains(old), "{old}");
        text = text.replace(old, new);
    };
    put("\nfees = \"net\"\n", &format!("\nfees = \"{}\"\n", terms.fees));
    put(
        "\npromotion = { partner = \"100\", utility = \"0\" }\n",
        &format!("\npromotion = {{ {} }}\n", terms.promotion),
    );
    if !terms.stated {
        put("\nfee = { at = \"json:/data/fee\" }\n", "\n");
        put("\nfee = [\"fee\"]\n", "\n");
        put(", fee = 1100", "");
        put(", fee = 0", "");
    }
    std::fs::write(path, text).unwrap();
}

/// A payment: its number, what the bill is reduced by, the discount in it.
fn notify(home: &Home, (no, amount, discount): (u8, i64, i64), at_ms: i64, back: bool) {
    let dong = |dong| Some(Money::from_dong(dong).unwrap());
    let paid = pays(&format!("P{no}"), &format!("HD-{no}"), amount);
    let paid_at = Some(Timestamp::from_unix_ms(at_ms));
    let paid = Wanted { paid_at, discount: dong(discount), fee: dong(1_100), ..paid };
    let said = if back {
        Wanted {
            effect: Some(Effect::Moves(Movement::Reversal)),
            reverses: Some(vec![format!("P{no}")]),
            event: Some(vec![format!("R{no}")]),
            fee: dong(0),
            ..paid
        }
    } else {
        paid
    };
    let answer = http::call(home.public, &home.call_saying(&said));
    // No bill came: the money is in suspense, and owed by the partner all the same.
    let outcome = if back { "accepted" } else { "unknown_invoice" };
    assert_eq!(answer.json()["outcome"], outcome, "{}", answer.text());
}

fn bring(home: &Home, kind: &str, day: &str, file: &str) {
    let path = format!("/api/v1/statements?partner=standard&date={day}&kind={kind}&name=day.csv");
    let answer = home.internal("POST", &path, "text/csv", file.as_bytes());
    assert_eq!(answer.status, 201, "{}", answer.text());
}

/// The statement of a day: kind, number, amount, discount, fee.
fn statement(home: &Home, day: &str, lines: &[(&str, u8, i64, i64, i64)]) {
    let row = |(kind, no, amount, discount, fee): &(&str, u8, i64, i64, i64)| {
        let (event, reverses) =
            if *kind == "reversed" { (format!("R{no}"), format!("P{no}")) } else { (format!("P{no}"), String::new()) };
        format!("{event},payment.{kind},HD-{no},,,{amount},{discount},{fee},{day}T09:00:00+07:00,{reverses}\n")
    };
    let rows: String = lines.iter().map(row).collect();
    let net: i64 = lines.iter().map(|line| if line.0 == "reversed" { -line.2 } else { line.2 }).sum();
    let header = "payment_id,type,invoice_id,order,customer_code,amount,discount,fee,paid_at,reverses";
    bring(home, "partner", day, &format!("{header}\n{rows}TOTAL,count,{},,,{net},,,,\n", lines.len()));
}

/// What the bank credited on a day for one batch, compared; the states of all batches by then.
fn credit(home: &Home, day: &str, (batch, dong): (&str, i64)) -> Vec<String> {
    bring(home, "bank", day, &format!("value_date,batch,amount\n{day},{batch},{dong}\nTOTAL,,{dong}\ncount,1,\n"));
    let path = format!("/api/v1/reconciliations/standard/{day}?kind=bank");
    let answer = home.internal("POST", &path, "application/json", b"");
    assert_eq!(answer.status, 200, "{}", answer.text());
    let done = answer.json();
    done["batches"].as_array().unwrap().iter().map(|batch| batch["state"].as_str().unwrap().to_owned()).collect()
}

fn minutes(home: &Home, from: &str, to: &str) -> String {
    let answer = home.internal("GET", &format!("/api/v1/minutes/standard?from={from}&to={to}"), "text/html", b"");
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.text()
}

/// A line of what is owed.
fn figure(page: &str, numeral: &str) -> i64 {
    let line = page.split_once(&format!("<td class=\"c\">{numeral}</td><td>")).unwrap_or_else(|| panic!("{page}")).1;
    let number = line.split_once("<td class=\"n\">").unwrap().1.split_once("</td>").unwrap().0;
    number.replace('.', "").parse().unwrap()
}

#[track_caller]
fn owed(page: &str, expected: &[(&str, i64)]) {
    let found: Vec<(&str, i64)> = expected.iter().map(|(numeral, _)| (*numeral, figure(page, numeral))).collect();
    assert_eq!(found, expected);
}

fn friday(home: &Home, terms: &Terms, expected: &Expected) {
    profile(home, terms);
    let gateway = home.serve();
    for payment in [(1, 150_000, 20_000), (2, 100_000, 0), (3, 60_000, 5_000)] {
        notify(home, payment, MORNING_MS, false);
    }
    notify(home, (3, 60_000, 5_000), MORNING_MS + 1, true);

    // Nobody asked the bank yet: the terms count, and the fees that the notices state.
    let [owes, fees, apart] = expected.before;
    let page = minutes(home, DAY, DAY);
    owed(&page, &[("I", 0), ("II", 310_000), ("III", 0), ("IV.1", 60_000), ("IV.2", 0)]);
    owed(&page, &[("IV.3", apart), ("V", fees), ("VI", owes)]);
    assert!(page.contains("Chưa đối chiếu với ngân hàng: 1 ngày trong kỳ (20/11/2026)"), "{page}");

    let lines = [
        ("succeeded", 1, 150_000, 20_000, 1_100),
        ("succeeded", 2, 100_000, 0, 1_100),
        ("succeeded", 3, 60_000, 5_000, 1_100),
        ("reversed", 3, 60_000, 5_000, 0),
    ];
    statement(home, DAY, &lines);
    notify(home, (4, 80_000, 0), MORNING_MS + 3 * DAY_MS, false);
    statement(home, MONDAY, &[("succeeded", 4, 80_000, 0, 1_100)]);
    assert_eq!(credit(home, MONDAY, ("STD20261120", expected.credit)), ["full", "waiting"]);
    let page = minutes(home, DAY, DAY);
    owed(&page, &[("II", 310_000), ("III", expected.credit), ("IV.1", 60_000), ("IV.3", expected.apart)]);
    owed(&page, &[("V", expected.fees), ("VI", 0)]);
    assert!(page.contains("Bằng chữ: Không đồng.") && !page.contains("Chưa đối chiếu với ngân hàng"), "{page}");

    // A day that waits for its money is owed with nothing left over from the one before.
    let kept = if terms.fees == "net" { 1_100 } else { 0 };
    owed(&minutes(home, MONDAY, MONDAY), &[("I", 0), ("II", 80_000), ("III", 0), ("V", kept), ("VI", 80_000 - kept)]);
    assert_eq!(credit(home, "2026-11-24", ("STD20261123", 80_000 - kept)), ["full", "full"]);
    owed(&minutes(home, DAY, MONDAY), &[("I", 0), ("II", 390_000), ("VI", 0)]);
    signal(&gateway, "-TERM");
    assert_eq!(ended(gateway).0, Some(0));
}

const PARTNER: &str = "partner = \"100\", utility = \"0\"";
const UTILITY: &str = "partner = \"0\", utility = \"100\"";
const SHARED: &str = "partner = \"60\", utility = \"40\"";

#[test]
fn discounts_that_the_partner_pays_are_owed() {
    let terms = Terms { fees: "net", promotion: PARTNER, stated: true };
    let expected = Expected { credit: 246_700, before: [247_800, 2_200, 0], fees: 3_300, apart: 0 };
    friday(&Home::new(), &terms, &expected);
    if let Some(database) = Database::fresh("what is owed, on a server") {
        friday(&Home::over(database.url()), &terms, &expected);
    }
}

#[test]
fn discounts_that_the_utility_pays_are_not_owed() {
    let terms = Terms { fees: "net", promotion: UTILITY, stated: true };
    let expected = Expected { credit: 226_700, before: [227_800, 2_200, 20_000], fees: 3_300, apart: 20_000 };
    friday(&Home::new(), &terms, &expected);
}

#[test]
fn of_shared_discounts_the_partners_part_is_owed() {
    let terms = Terms { fees: "net", promotion: SHARED, stated: true };
    let expected = Expected { credit: 238_700, before: [239_800, 2_200, 8_000], fees: 3_300, apart: 8_000 };
    friday(&Home::new(), &terms, &expected);
}

#[test]
fn fees_that_no_notice_states_are_kept_by_the_schedule() {
    let terms = Terms { fees: "net", promotion: PARTNER, stated: false };
    let expected = Expected { credit: 246_700, before: [250_000, 0, 0], fees: 3_300, apart: 0 };
    friday(&Home::new(), &terms, &expected);
}

#[test]
fn fees_that_are_invoiced_apart_take_nothing_off_what_is_owed() {
    let terms = Terms { fees: "gross", promotion: PARTNER, stated: true };
    let expected = Expected { credit: 250_000, before: [250_000, 0, 0], fees: 0, apart: 0 };
    friday(&Home::new(), &terms, &expected);
}
