//! Days with known truth. A world makes payments as both sides should see them, plants differences among them, and keeps
//! what a right comparison must say of each fact: nothing more, nothing less. What crosses midnight comes with the next
//! day, as it does from a store.

use std::collections::{BTreeMap, BTreeSet};
use thuho::domain::ids::{EventId, EventKey, EventNo, Movement, PartnerCode};
use thuho::domain::review::BreakClass;
use thuho::domain::statement::LineNo;
use thuho::reconcile::compare::{Compared, Leg, Match, Ours, Rule, Rules, Says, Standing, Theirs, payment_mark};

const DAY_S: i64 = 86_400;
const WINDOW_S: i64 = 15 * 60;

/// Numbers from a seed.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, end: i64) -> i64 {
        i64::try_from(self.roll() % u64::try_from(end).unwrap()).unwrap()
    }

    pub fn percent(&mut self, percent: i64) -> bool {
        self.below(100) < percent
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            let other = usize::try_from(self.below(i64::try_from(at).unwrap() + 1)).unwrap();
            items.swap(at, other);
        }
    }
}

/// A difference that must be found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Expected {
    pub class: BreakClass,
    pub lines: Vec<LineNo>,
    pub events: Vec<EventNo>,
    pub signed: i64,
    pub carried: bool,
    pub carry: bool,
}

/// What comes of a day's facts on the next one.
pub struct Later {
    pub lines: Vec<Theirs>,
    pub events: Vec<Ours>,
    pub fresh_lines: Vec<Theirs>,
    pub fresh_events: Vec<Ours>,
    /// They match, or stay a difference of this class.
    pub class: Option<BreakClass>,
}

/// One day's facts and their truth.
pub struct Day {
    pub rules: Rules,
    pub ours: Vec<Ours>,
    pub theirs: Vec<Theirs>,
    pub matches: BTreeSet<Match>,
    pub differences: BTreeSet<Expected>,
    /// How often each plant was planted.
    pub planted: BTreeMap<&'static str, u32>,
    pub later: Vec<Later>,
}

/// Where days come from.
pub struct World {
    pub dice: Dice,
    partner: PartnerCode,
    day: i64,
    number: u64,
    /// Payments of yesterday that were matched.
    pub done: Vec<(Ours, Theirs)>,
}

impl World {
    pub fn new(seed: u64) -> Self {
        let partner = PartnerCode::parse("wallet").unwrap();
        Self { dice: Dice::new(seed), partner, day: 0, number: 0, done: Vec::new() }
    }

    /// A day that has nothing but what waited.
    pub fn start(&mut self, waited: Vec<Later>) -> Day {
        self.day += 1;
        let day_start_s = 1_767_200_400 + self.day * DAY_S;
        let rules = Rules {
            leg: Leg::Partner,
            day_start_s,
            day_end_s: day_start_s + DAY_S,
            cutoff_window_s: WINDOW_S,
            references: true,
            discounts: true,
            fees: true,
        };
        let mut day = Day {
            rules,
            ours: Vec::new(),
            theirs: Vec::new(),
            matches: BTreeSet::new(),
            differences: BTreeSet::new(),
            planted: BTreeMap::new(),
            later: Vec::new(),
        };
        waited.into_iter().for_each(|later| day.take_up(later));
        day
    }

    fn next(&mut self) -> u64 {
        self.number += 1;
        self.number
    }

    pub fn event_no(&mut self) -> EventNo {
        EventNo(i64::try_from(self.next()).unwrap())
    }

    pub fn line_no(&mut self) -> LineNo {
        LineNo(i64::try_from(self.next()).unwrap())
    }

    /// A key that nobody has yet.
    pub fn key(&mut self, movement: Movement) -> EventKey {
        let event = EventId::parse(vec![format!("T{}", self.next())]).unwrap();
        EventKey::of(&self.partner, "app-1", &event, movement)
    }

    /// A reference or a customer that nobody has yet.
    pub fn text(&mut self) -> u64 {
        self.dice.roll() | 1
    }

    /// A payment in the middle of the day, as both sides should see it. Its line names the event and the reference.
    pub fn payment(&mut self, rules: &Rules) -> (Ours, Theirs) {
        let fee = 1_100 + self.dice.below(4) * 550;
        let amount = 20_000 + self.dice.below(3_000_000);
        // Never the fee, so that a difference has one explanation.
        let discount = if self.dice.percent(20) { 5_003 + self.dice.below(9_000) } else { 0 };
        let middle = rules.day_end_s - rules.day_start_s - 2 * WINDOW_S - 2;
        let ours = Ours {
            no: self.event_no(),
            key: self.key(Movement::Payment),
            movement: Movement::Payment,
            booked: true,
            amount,
            discount,
            fee,
            reference: self.text(),
            // Some customers pay several bills a day.
            customer: 1 + u64::try_from(self.dice.below(60)).unwrap(),
            takes_back: 0,
            paid_at_s: second(rules.day_start_s + WINDOW_S + 1 + self.dice.below(middle)),
            standing: Standing::Today,
        };
        (ours, self.line_of(&ours))
    }

    /// The line that a right statement has for an event.
    pub fn line_of(&mut self, ours: &Ours) -> Theirs {
        Theirs {
            line: self.line_no(),
            key: Some(ours.key),
            says: match ours.movement {
                Movement::Payment => Says::Payment,
                Movement::Reversal => Says::Reversal,
            },
            amount: ours.amount,
            discount: ours.discount,
            fee: ours.fee,
            reference: ours.reference,
            customer: ours.customer,
            paid_at_s: ours.paid_at_s,
            carried: false,
        }
    }

    /// The reversal of a payment, booked.
    pub fn reversal(&mut self, payment: &Ours) -> Ours {
        let (no, key) = (self.event_no(), self.key(Movement::Reversal));
        Ours { no, key, movement: Movement::Reversal, takes_back: payment_mark(&payment.key), ..*payment }
    }

    /// A moment near the day's end, or near its start.
    pub fn near_midnight(&mut self, rules: &Rules) -> u32 {
        let off = self.dice.below(WINDOW_S);
        second(if self.dice.percent(70) { rules.day_end_s - 1 - off } else { rules.day_start_s + off })
    }
}

fn second(at: i64) -> u32 {
    u32::try_from(at).unwrap()
}

impl Day {
    /// Both say the same.
    pub fn agree(&mut self, ours: Ours, line: Theirs) {
        let rule = if line.key.is_some() { Rule::EventKey } else { Rule::Reference };
        self.matches.insert(Match {
            line: line.line,
            event: ours.no,
            rule,
            line_carried: line.carried,
            event_carried: ours.standing == Standing::Carried,
        });
        self.ours.push(ours);
        self.theirs.push(line);
    }

    /// They are one difference.
    pub fn differ(&mut self, class: BreakClass, lines: &[Theirs], events: &[Ours]) {
        let there: i64 = lines.iter().map(Theirs::signed).sum();
        let here: i64 = events.iter().map(Ours::signed).sum();
        let carried = lines.iter().any(|t| t.carried) || events.iter().any(|o| o.standing == Standing::Carried);
        let one_sided = lines.is_empty() || events.is_empty();
        let mut expected = Expected {
            class,
            lines: lines.iter().map(|t| t.line).collect(),
            events: events.iter().map(|o| o.no).collect(),
            signed: there - here,
            carried,
            carry: one_sided && !carried && class != BreakClass::DuplicateLine,
        };
        expected.lines.sort();
        expected.events.sort();
        self.differences.insert(expected);
        self.theirs.extend(lines);
        self.ours.extend(events);
    }

    /// One side only, and nothing comes later: tomorrow it is of class `then`.
    pub fn never(&mut self, (now, then): (BreakClass, BreakClass), lines: &[Theirs], events: &[Ours]) {
        self.differ(now, lines, events);
        let (lines, events) = (lines.to_vec(), events.to_vec());
        let (fresh_lines, fresh_events) = (Vec::new(), Vec::new());
        self.later.push(Later { lines, events, fresh_lines, fresh_events, class: Some(then) });
    }

    /// Our side today, their line tomorrow.
    pub fn line_tomorrow(&mut self, now: BreakClass, ours: Ours, line: Theirs) {
        self.differ(now, &[], &[ours]);
        let (lines, fresh_events) = (Vec::new(), Vec::new());
        self.later.push(Later { lines, events: vec![ours], fresh_lines: vec![line], fresh_events, class: None });
    }

    /// Their line today, our event tomorrow.
    pub fn event_tomorrow(&mut self, now: BreakClass, ours: Ours, line: Theirs) {
        self.differ(now, &[line], &[]);
        let (events, fresh_lines) = (Vec::new(), Vec::new());
        self.later.push(Later { lines: vec![line], events, fresh_lines, fresh_events: vec![ours], class: None });
    }

    fn take_up(&mut self, later: Later) {
        let carried_line = |line: Theirs| Theirs { carried: true, ..line };
        let carried_event = |ours: Ours| Ours { standing: Standing::Carried, ..ours };
        let mut lines: Vec<Theirs> = later.lines.into_iter().map(carried_line).collect();
        let mut events: Vec<Ours> = later.events.into_iter().map(carried_event).collect();
        lines.extend(later.fresh_lines);
        events.extend(later.fresh_events);
        match later.class {
            Some(class) => self.differ(class, &lines, &events),
            None => self.agree(events[0], lines[0]),
        }
    }

    /// The first thing that a comparison says and the truth does not, or the other way round.
    pub fn judge(&self, compared: &Compared) -> Result<(), String> {
        let found: BTreeSet<Match> = compared.matches.iter().copied().collect();
        if found.len() != compared.matches.len() {
            return Err("a match was made twice".to_owned());
        }
        if let Some(wrong) = found.difference(&self.matches).next() {
            return Err(format!("a false match: {wrong:?}"));
        }
        if let Some(missed) = self.matches.difference(&found).next() {
            return Err(format!("a match that was not made: {missed:?}"));
        }
        let found = differences(compared);
        if let Some(wrong) = found.difference(&self.differences).next() {
            return Err(format!("a false difference: {wrong:?}"));
        }
        if let Some(missed) = self.differences.difference(&found).next() {
            return Err(format!("a difference that was not found: {missed:?}"));
        }
        compared.sums.ties_out()?;
        self.sums(compared)
    }

    /// I14 once more, from the truth instead of from the comparison.
    fn sums(&self, compared: &Compared) -> Result<(), String> {
        let sums = &compared.sums;
        let there: i64 = self.theirs.iter().filter(|t| !t.carried).map(Theirs::signed).sum();
        let today = |o: &&Ours| o.standing == Standing::Today;
        let here: i64 = self.ours.iter().filter(today).map(Ours::signed).sum();
        let open: i64 = self.differences.iter().map(|d| d.signed).sum();
        let waits: i64 = self.differences.iter().filter(|d| d.carry).map(|d| d.signed).sum();
        let said = [
            sums.theirs.total.dong,
            sums.ours.total.dong,
            sums.differences.dong,
            sums.theirs.carried_out.dong - sums.ours.carried_out.dong,
        ];
        if said == [there, here, open, waits] {
            Ok(())
        } else {
            Err(format!("the sums {said:?} should be {:?}", [there, here, open, waits]))
        }
    }
}

/// What a comparison found, in the truth's words.
pub fn differences(compared: &Compared) -> BTreeSet<Expected> {
    let one = |d: &thuho::reconcile::compare::Difference| {
        let mut lines: Vec<LineNo> = d.lines().collect();
        let mut events: Vec<EventNo> = d.events().collect();
        lines.sort();
        events.sort();
        Expected { class: d.class, lines, events, signed: d.signed(), carried: d.carried, carry: d.carry }
    };
    compared.differences.iter().map(one).collect()
}
