//! What a profile may say of fees and settlement, and how a wrong one is named.

use jiff::civil::date;
use rust_decimal::Decimal;
use thuho::partner::settlement::{Counted, Fees, Rounding};
use thuho::partner::{Partners, Profile, ProfileErrors};

const FILE: &str = "config/partners/standard.toml";

fn shipped() -> String {
    std::fs::read_to_string(crate::harness::shipped().join("standard.toml")).unwrap()
}

fn with(old: &str, new: &str) -> (String, Result<Profile, ProfileErrors>) {
    let text = shipped();
    assert!(text.contains(old), "{old}");
    let text = text.replace(old, new);
    let compiled = Partners::compile(FILE, &text, None);
    (text, compiled)
}

/// Refused, once, where the part stands.
fn check(old: &str, new: &str, (part, expected): (&str, &str)) {
    let (text, compiled) = with(old, new);
    let line = text[..text.find(part).unwrap_or_else(|| panic!("{part}"))].matches('\n').count() + 1;
    let errors = compiled.map(drop).unwrap_err().to_string();
    assert_eq!(errors, format!("{FILE}:{line}: {expected}"));
}

#[test]
fn the_entry_that_began_last_counts() {
    let later = "[[fee]]\nfrom = \"2026-07-01\"\ntiers = [{ up_to = 5, percent = \"0.5\" }, { fixed = 7 }]\nminimum = 1\n\
                 maximum = 9\nvat = \"8.25\"\nrounding = \"per-day\"\n\n[[settlement]]\nfrom = \"2026-07-01\"\nfees = \
                 \"gross\"\ncycle = \"T+30\"\ncounted = \"calendar\"\nbatch = \"X%d%m%Y\"\npromotion = { partner = \
                 \"33.3\", utility = \"66.7\" }\n\n# --- examples: 1";
    let profile = with("# --- examples: 1", later).1.unwrap();
    let terms = profile.terms();
    assert_eq!((terms.schedule_on(date(2025, 12, 31)), terms.settlement_on(date(2025, 12, 31))), (None, None));
    let (old, new) = (terms.schedule_on(date(2026, 6, 30)).unwrap(), terms.schedule_on(date(2026, 7, 1)).unwrap());
    assert_eq!((old.from, old.rounding), (date(2026, 1, 1), Rounding::PerTransaction));
    assert_eq!((new.tiers.len(), new.tiers[0].up_to, new.tiers[1].fixed), (2, Some(5), 7));
    assert_eq!((new.minimum, new.maximum, new.vat), (1, Some(9), Decimal::new(825, 2)));
    let settlement = terms.settlement_on(date(2027, 1, 1)).unwrap();
    assert_eq!(
        (settlement.fees, settlement.cycle.days, settlement.cycle.counted),
        (Fees::Gross, 30, Counted::Calendar)
    );
    assert_eq!(settlement.batch_of(date(2027, 2, 3)).as_deref(), Some("X03022027"));
}

#[test]
fn every_shipped_profile_says_how_its_money_comes() {
    let partners = Partners::load_without_secrets(&crate::harness::shipped()).unwrap();
    let mut names = std::collections::BTreeSet::new();
    for profile in partners.iter() {
        let day = date(2026, 11, 20);
        assert!(profile.terms().schedule_on(day).is_some(), "{}", profile.code());
        names.insert(profile.terms().settlement_on(day).and_then(|terms| terms.batch_of(day)).unwrap());
    }
    assert_eq!(names.len(), 3, "{names:?}");
}

#[test]
fn a_wrong_schedule_is_refused_by_file_line_and_key() {
    let fixed = "fixed = 1000";
    check(fixed, "fixed = -1", ("fixed = -1", "fee[1].fixed: expected 0 to 1000000000000000 dong"));
    check(fixed, "minimum = 0", ("[[fee]]", "fee[1].tiers: expected either tiers, or fixed, percent or both"));
    let percent = "fee[1].percent: expected \"0\" to \"100\" with at most 4 digits behind the point";
    for wrong in ["100.1", "0.00001", "-1", "1e1", "", "x"] {
        let new = format!("percent = \"{wrong}\"");
        check(fixed, &new, (&new, percent));
    }
    check(
        fixed,
        "fixed = 9\nminimum = 5\nmaximum = 4",
        ("maximum = 4", "fee[1].maximum: expected at least the minimum"),
    );
    let vat = "fee[1].vat: expected \"0\" to \"100\" with at most 2 digits behind the point";
    check("vat = \"10\"", "vat = \"10.125\"", ("vat = ", vat));
    let tiers = "tiers = [{ up_to = 9, fixed = 1 }, { up_to = 9, fixed = 2 }, { fixed = 3 }]";
    check(fixed, tiers, ("tiers =", "fee[1].tiers[2].up_to: expected more than in the tier above, and more than 0"));
    let tiers = "tiers = [{ up_to = 9, fixed = 1 }]";
    check(fixed, tiers, ("tiers =", "fee[1].tiers[1].up_to: expected none in the last tier: it has no end"));
    let tiers = "tiers = [{ fixed = 1 }, { fixed = 2 }]";
    check(fixed, tiers, ("tiers =", "fee[1].tiers[1].up_to: expected the largest amount of the tier"));
    let again = "[[fee]]\nfrom = \"2026-01-01\"\nfixed = 1\nrounding = \"per-day\"\n# --- examples: 1";
    let (text, compiled) = with("# --- examples: 1", again);
    let line = text[..text.find("# --- examples: 1").unwrap()].matches("\n").count() - 2;
    let expected = "fee[2].from: expected a later day than 2026-01-01, that of the entry above";
    assert_eq!(compiled.map(drop).unwrap_err().to_string(), format!("{FILE}:{line}: {expected}"));
    let unknown = with(fixed, "fixed = 1\nfixd = 2").1.map(drop).unwrap_err().to_string();
    assert!(unknown.contains("fee.[1].fixd: unknown field `fixd`") || unknown.contains("fixd"), "{unknown}");
    // A number would have been a float.
    let number = with(fixed, "percent = 0.1").1.map(drop).unwrap_err().to_string();
    assert!(number.contains("invalid type: floating point `0.1`, expected a string"), "{number}");
}

#[test]
fn a_wrong_settlement_is_refused_by_file_line_and_key() {
    for wrong in ["T+0", "T+93", "T1", "T+", "T+1+1"] {
        let new = format!("cycle = \"{wrong}\"");
        check("cycle = \"T+1\"", &new, (&new, "settlement[1].cycle: expected T+1 to T+92"));
    }
    let batch = "settlement[1].batch: expected a pattern such as ABC%Y%m%d that names each day, 64 bytes";
    for wrong in ["STD%Y%m", "STD%m%d", "", "STD%Q%Y%m%d", " %Y%m%d"] {
        let new = format!("batch = \"{wrong}\"");
        check("batch = \"STD%Y%m%d\"", &new, (&new, batch));
    }
    let promotion = "promotion = { partner = \"100\", utility = \"0\" }";
    let hundred = "settlement[1].promotion: expected parts that are 100 together";
    check(promotion, "promotion = { partner = \"60\", utility = \"41\" }", ("promotion =", hundred));
    let none = "settlement[1]: expected promotion = { partner, utility }: the statement states discounts";
    check(promotion, "", ("[[settlement]]", none));
    let fee = "[[fee]]\nfrom = \"2026-01-01\"";
    let net = "settlement[1].fees: expected a [[fee]] from 2026-01-01 or before beside \"net\"";
    check(fee, "[[fee]]\nfrom = \"2026-01-02\"", ("fees = \"net\"", net));
    let column = "statement_bank: expected order or invoice: the column that names the batch of a credit";
    check("order = \"batch\"", "customer = \"batch\"", ("[statement_bank]", column));
}
