//! Each thing a comparison can say, as one short day through one door.

use thuho::domain::ids::{EventKey, EventNo, Movement};
use thuho::domain::statement::LineNo;
use thuho::reconcile::compare::{Leg, Ours, Rule, Rules, Says, Standing, Theirs, compare, payment_mark};

const RULES: Rules = Rules {
    leg: Leg::Partner,
    day_start_s: 0,
    day_end_s: 1_000,
    cutoff_window_s: 100,
    references: true,
    discounts: true,
    fees: true,
};

/// Words of one fact: `a` is its key (`-` for none, a reversal's is told apart), then `500` its amount, then any of
/// `fee:5 disc:5 ref:5 cust:5 at:950 back of:a failed unbooked carried done`.
struct Fact<'a> {
    key: Option<u8>,
    amount: i64,
    words: Vec<&'a str>,
}

impl<'a> Fact<'a> {
    fn read(text: &'a str) -> Self {
        let words: Vec<&str> = text.split_whitespace().collect();
        let key = words[0].bytes().next().filter(|b| *b != b'-');
        Self { key, amount: words[1].parse().unwrap(), words: words[2..].to_vec() }
    }

    fn has(&self, word: &str) -> bool {
        self.words.contains(&word)
    }

    fn number(&self, name: &str, default: i64) -> i64 {
        let value = self.words.iter().find_map(|w| w.strip_prefix(name)?.strip_prefix(':'));
        value.map_or(default, |value| value.parse().unwrap())
    }

    fn key(&self) -> Option<EventKey> {
        let kind = u8::from(self.has("back"));
        self.key.map(|key| EventKey::from_bytes([key, kind, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]))
    }

    fn takes_back(&self) -> u64 {
        let payment = self.words.iter().find_map(|word| word.strip_prefix("of:")?.bytes().next());
        let key = |letter| EventKey::from_bytes([letter, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        payment.map_or(0, |letter| payment_mark(&key(letter)))
    }

    fn text(&self, name: &str) -> u64 {
        u64::try_from(self.number(name, 0)).unwrap()
    }
}

fn word(rule: Rule) -> &'static str {
    match rule {
        Rule::EventKey => "event-key",
        Rule::Reference => "reference-amount",
    }
}

fn event(text: &str, no: i64) -> Ours {
    let fact = Fact::read(text);
    Ours {
        no: EventNo(no),
        key: fact.key().unwrap(),
        movement: if fact.has("back") { Movement::Reversal } else { Movement::Payment },
        booked: !fact.has("unbooked"),
        amount: fact.amount,
        discount: fact.number("disc", 0),
        fee: fact.number("fee", 0),
        reference: fact.text("ref"),
        customer: fact.text("cust"),
        takes_back: fact.takes_back(),
        paid_at_s: u32::try_from(fact.number("at", 500)).unwrap(),
        standing: match (fact.has("carried"), fact.has("done")) {
            (true, _) => Standing::Carried,
            (false, true) => Standing::Done,
            (false, false) => Standing::Today,
        },
    }
}

fn line(text: &str, no: u64) -> Theirs {
    let fact = Fact::read(text);
    Theirs {
        line: LineNo(i64::try_from(no).unwrap()),
        key: fact.key(),
        says: match (fact.has("back"), fact.has("failed")) {
            (true, _) => Says::Reversal,
            (false, true) => Says::Nothing,
            (false, false) => Says::Payment,
        },
        amount: fact.amount,
        discount: fact.number("disc", 0),
        fee: fact.number("fee", 0),
        reference: fact.text("ref"),
        customer: fact.text("cust"),
        paid_at_s: u32::try_from(fact.number("at", 500)).unwrap(),
        carried: fact.has("carried"),
    }
}

/// Ours and theirs, facts divided by `;`; what comes of it, matches first.
fn check(ours: &str, theirs: &str, expected: &str) {
    let facts = |text: &'static str| text.split(';').map(str::trim).filter(|fact| !fact.is_empty());
    let ours: Vec<Ours> = facts(Box::leak(ours.into())).zip(1..).map(|(text, no)| event(text, no)).collect();
    let theirs: Vec<Theirs> = facts(Box::leak(theirs.into())).zip(1..).map(|(text, no)| line(text, no)).collect();
    let compared = compare(&RULES, &ours, &theirs).unwrap();
    compared.sums.ties_out().unwrap();
    let mut said: Vec<String> =
        compared.matches.iter().map(|m| format!("L{}=E{} {}", m.line.0, m.event.0, word(m.rule))).collect();
    for d in &compared.differences {
        let lines: String = d.lines().map(|l| format!("L{}", l.0)).collect();
        let events: String = d.events().map(|e| format!("E{}", e.0)).collect();
        let carry = if d.carry { " carry" } else { "" };
        said.push(format!("{} {} {lines}{events} {:+}{carry}", d.class.code(), d.note.word(), d.signed()));
    }
    assert_eq!(said.join("; "), expected, "ours {ours:?}, theirs {theirs:?}");
}

#[test]
fn a_match_is_made_by_the_key_first_then_by_the_reference_and_the_exact_amount() {
    check("a 500", "a 500", "L1=E1 event-key");
    check("a 500 ref:7", "- 500 ref:7", "L1=E1 reference-amount");
    check("a 500", "- 500", "MISSING_WEBHOOK only-theirs L1 +500 carry; MISSING_IN_STATEMENT only-ours E1 -500 carry");
    check("a 500 ref:7", "a 500", "L1=E1 event-key");
    check("a 500 back", "a 500 back", "L1=E1 event-key");
    check("a 500 back ref:7", "- 500 back ref:7", "L1=E1 reference-amount");
    check(
        "a 500 ref:7; b 500 ref:7",
        "- 500 ref:7",
        "MISSING_WEBHOOK only-theirs L1 +500 carry; MISSING_IN_STATEMENT only-ours E1 -500 carry; \
         MISSING_IN_STATEMENT only-ours E2 -500 carry",
    );
    check("a 500 ref:7; b 500 ref:7", "a 500 ref:7; - 500 ref:7", "L1=E1 event-key; L2=E2 reference-amount");
    check("a 500 carried", "a 500 carried", "L1=E1 event-key");
}

#[test]
fn a_pair_that_differs_says_by_what() {
    check("a 500", "a 501", "AMOUNT_MISMATCH amount L1E1 +1");
    check("a 500 fee:9", "a 491 fee:9", "FEE_MISMATCH amount-by-fee L1E1 -9");
    check("a 491", "a 500 fee:9", "FEE_MISMATCH amount-by-fee L1E1 +9");
    check("a 500 fee:9", "a 500 fee:8", "FEE_MISMATCH fee L1E1 +0");
    check("a 500 disc:50", "a 450 disc:50", "PROMO_MISMATCH amount-by-discount L1E1 -50");
    check("a 500 disc:50", "a 500 disc:40", "PROMO_MISMATCH discount L1E1 +0");
    check("a 500 ref:7", "a 500 ref:8", "REFERENCE_MISMATCH reference L1E1 +0");
    check("a 500", "a 500 failed", "STATUS_MISMATCH not-moved-there L1E1 -500");
    check("a 500 ref:7", "- 500 ref:7 failed", "STATUS_MISMATCH not-moved-there L1E1 -500");
    check("a 500 back unbooked", "a 500 back", "STATUS_MISMATCH not-booked-here L1E1 -500");
    check("a 500 unbooked", "a 500 failed", "");
}

#[test]
fn a_line_is_taken_once_and_a_repetition_is_said() {
    check("a 500", "a 500; a 500", "L1=E1 event-key; DUPLICATE_LINE twice L2 +500");
    check("a 500", "a 499; a 500", "L2=E1 event-key; DUPLICATE_LINE twice L1 +499");
    check("a 500", "a 500 failed; a 500", "L2=E1 event-key");
    check("a 500 done", "a 500", "DUPLICATE_LINE twice-over-days L1 +500");
    check("", "a 500; a 500", "MISSING_WEBHOOK only-theirs L1 +500 carry; DUPLICATE_LINE twice L2 +500");
    check("a 500 ref:7", "- 500 ref:7; - 500 ref:7", "DUPLICATE_LINE twice-unnamed L1L2E1 +500");
}

#[test]
fn what_only_changed_its_shape_is_one_difference() {
    check("a 500 ref:7", "b 500 ref:7", "SWAPPED_ID event-id L1E1 +0");
    check("a 500 ref:7; b 300 ref:8", "b 500 ref:7; a 300 ref:8", "SWAPPED_ID exchanged L1L2E2E1 +0");
    check("a 500 ref:7", "x 200 ref:7; y 300 ref:7", "SPLIT several L1L2E1 +0");
    check("a 500", "a 200; a 300", "SPLIT several L1L2E1 +0");
    check("a 500 ref:7", "a 200 ref:7; y 300 ref:7", "SPLIT several L1L2E1 +0");
    check("a 200 cust:3; b 300 cust:3", "x 500 cust:3", "MERGED several L1E1E2 +0");
    check("a 200 cust:3; b 300 cust:3", "a 500 cust:3", "MERGED several L1E1E2 +0");
    check("a 200 ref:7 back; b 300 ref:7 back", "x 500 ref:7 back", "MERGED several L1E1E2 +0");
    let ours = "REVERSED netted-out E1 -500 carry; REVERSED netted-out E2 +500 carry";
    check("a 500 ref:7; b 500 ref:7 back", "", ours);
    check("a 500 ref:7; b 500 back of:a", "", ours);
    // What says which payment it takes back takes back no other one that is like it.
    check(
        "a 500 ref:7; b 500 ref:7; c 500 ref:7 back of:a",
        "a 500 ref:7",
        "L1=E1 event-key; MISSING_IN_STATEMENT only-ours E2 -500 carry; REVERSED only-ours E3 +500 carry",
    );
    let theirs = "REVERSED netted-out L1 +500 carry; REVERSED netted-out L2 -500 carry";
    check("", "a 500 ref:7; b 500 ref:7 back", theirs);
}

#[test]
fn what_is_missing_near_the_cut_off_waits_for_the_next_day_and_waits_once() {
    check("a 500 at:950", "", "CUTOFF_TIMING only-ours E1 -500 carry");
    check("a 500 at:50", "", "CUTOFF_TIMING only-ours E1 -500 carry");
    check("", "a 500 at:1050", "CUTOFF_TIMING only-theirs L1 +500 carry");
    check("a 500 at:850", "", "MISSING_IN_STATEMENT only-ours E1 -500 carry");
    check("a 500 at:950 carried", "", "MISSING_IN_STATEMENT only-ours E1 -500");
    check("a 500 at:950 carried", "a 500 at:950", "L1=E1 event-key");
    check("a 500 back", "", "REVERSED only-ours E1 +500 carry");
    check("", "a 500 back", "REVERSED only-theirs L1 -500 carry");
    check("", "a 500 back carried", "REVERSED only-theirs L1 -500");
    check("a 500 back unbooked", "", "");
    check("", "a 500 failed", "");
}
