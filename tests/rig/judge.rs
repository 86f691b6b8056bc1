//! The checker. Compares three accounts of one run: the driver's diary, the gateway's books as SQL reads them, and the
//! core's journal. Shares no code with the gateway: what must hold is said here a second time.

use crate::core::Told;
use crate::diary::{Answer, Diary};
use crate::plan::{Fate, Payment};
use crate::power::Outage;
use crate::wire::Heard;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::SystemTime;

/// One event as the books keep it.
#[derive(Clone, Debug)]
pub struct EventRow {
    pub key: String,
    pub partner: String,
    pub event: String,
    pub movement: String,
    pub amount: i64,
    pub state: String,
}

/// One line of a posting.
#[derive(Clone, Debug)]
pub struct EntryRow {
    pub posting: i64,
    pub account: String,
    pub amount: i64,
}

/// One posting.
#[derive(Clone, Debug)]
pub struct PostingRow {
    pub no: i64,
    pub event: String,
}

/// One settlement of an invoice by a posting.
#[derive(Clone, Debug)]
pub struct AllocationRow {
    pub posting: i64,
    pub invoice: String,
    pub amount: i64,
}

/// One link of the chain.
#[derive(Clone, Debug)]
pub struct ReceiptRow {
    pub lane: i64,
    pub n: i64,
    pub previous: Vec<u8>,
    pub hash: Vec<u8>,
}

/// One message to the core.
#[derive(Clone, Debug)]
pub struct DispatchRow {
    pub key: String,
    pub invoice: String,
    pub state: String,
}

/// All that is read of the file.
#[derive(Clone, Debug, Default)]
pub struct Books {
    pub events: Vec<EventRow>,
    pub postings: Vec<PostingRow>,
    pub entries: Vec<EntryRow>,
    pub allocations: Vec<AllocationRow>,
    pub receipts: Vec<ReceiptRow>,
    pub dispatches: Vec<DispatchRow>,
    pub totals: HashMap<String, i64>,
}

/// One outage of so many, and one at least, may have answered for a flush that was lost under way.
const MEANWHILE_SHARE: usize = 20;

/// The name of a count: how many writers took part.
pub const LANES: &str = "lanes in the chain";

/// What was found, by class. Empty lists are the goal.
#[derive(Default)]
pub struct Verdict {
    pub lost: Vec<String>,
    /// Booked, and the core never heard of it.
    pub untold: Vec<String>,
    pub doubled: Vec<String>,
    pub told_twice: Vec<String>,
    pub other: Vec<String>,
    /// Counts for people.
    pub counts: BTreeMap<&'static str, usize>,
}

impl Verdict {
    pub fn clean(&self) -> bool {
        self.lost.is_empty()
            && self.untold.is_empty()
            && self.doubled.is_empty()
            && self.told_twice.is_empty()
            && self.other.is_empty()
    }

    pub fn print(&self) {
        for (what, count) in &self.counts {
            println!("    {what}: {count}");
        }
        let classes = [
            ("acknowledged and lost", &self.lost),
            ("booked and never told", &self.untold),
            ("booked twice", &self.doubled),
            ("told under two keys", &self.told_twice),
            ("other findings", &self.other),
        ];
        for (what, found) in classes {
            println!("    {what}: {}", found.len());
            for finding in found.iter().take(5) {
                println!("      - {finding}");
            }
        }
    }
}

/// What the senders heard, and when nobody could have said it.
pub struct Said<'a> {
    pub diary: &'a Diary,
    pub outages: &'a [Outage],
}

impl Said<'_> {
    /// Which outage the answer fell into.
    fn outage(&self, answer: &Answer) -> Option<usize> {
        self.outages.iter().position(|o| (o.went..o.back).contains(&answer.at))
    }
}

/// Compares the three.
pub fn judge(said: &Said<'_>, books: &Books, told: &[Told]) -> Verdict {
    let diary = said.diary;
    let mut verdict = Verdict::default();
    let by_event = events_by_name(books, &mut verdict);
    promises(said, &by_event, books, &mut verdict);
    once(books, &mut verdict);
    balances(books, &mut verdict);
    chain(books, &mut verdict);
    core(books, told, &mut verdict);
    verdict.counts.insert("payments sent", diary.sent.iter().filter(|s| **s).count());
    verdict.counts.insert("events in the books", books.events.len());
    verdict.counts.insert("events in suspense", books.events.iter().filter(|e| e.state == "parked").count());
    verdict.counts.insert("receipts in the chain", books.receipts.len());
    let lanes: HashSet<i64> = books.receipts.iter().map(|r| r.lane).collect();
    verdict.counts.insert(LANES, lanes.len());
    let racing = diary.payments.iter().filter(|p| p.fate == Fate::Races).count();
    verdict.counts.insert("payments that race for a bill", racing);
    verdict.counts.insert("messages the core took", told.len());
    verdict
}

type ByEvent<'a> = HashMap<(String, String), &'a EventRow>;

/// The last field of the event's name is the sender's number in both protocols.
fn events_by_name<'a>(books: &'a Books, verdict: &mut Verdict) -> ByEvent<'a> {
    let mut by_event = ByEvent::new();
    for row in &books.events {
        let number: String = row.event.rsplit(['|', '_']).next().unwrap_or("").to_owned();
        if let Some(first) = by_event.insert((row.partner.clone(), number), row) {
            verdict.doubled.push(format!("{} {} has two rows: {} and {}", row.partner, row.event, first.key, row.key));
        }
    }
    by_event
}

/// I3 and I4: what a sender believes taken is in the books, with the amount it said.
fn promises(said: &Said<'_>, by_event: &ByEvent<'_>, books: &Books, verdict: &mut Verdict) {
    let diary = said.diary;
    let mut acknowledged = 0;
    let mut meanwhile = Meanwhile::default();
    let suspense: HashSet<&str> = parked_keys(books);
    for (payment, heard) in diary.payments.iter().zip(&diary.heard) {
        let row = by_event.get(&(payment.sender.code().to_owned(), payment.event.to_string()));
        let mut amounts: Vec<i64> = heard
            .iter()
            .filter(|answer| answer.heard.taken())
            .filter_map(|answer| payment.amounts.get(answer.variant).copied())
            .collect();
        amounts.dedup();
        let Some(amount) = amounts.first().copied() else { continue };
        acknowledged += 1;
        let name = format!("{} {} over {amount}", payment.sender.code(), payment.event);
        // The first commit alone says "accepted" of a payment that settles; a second one means that the first was lost.
        let accepted: Vec<&Answer> = heard.iter().filter(|answer| answer.heard == Heard::Accepted).collect();
        if let [gone @ .., _kept] = accepted.as_slice()
            && payment.fate == Fate::Settles
            && payment.amounts.len() == 1
        {
            let firm = gone.iter().filter(|answer| !meanwhile.took(said, answer)).count();
            if firm > 0 {
                verdict.lost.push(format!("{name}: was new {} times", accepted.len()));
            }
        }
        if amounts.iter().any(|a| *a != amount) {
            verdict.other.push(format!("{name}: two contents of one event were both acknowledged: {amounts:?}"));
        }
        let Some(row) = row else {
            let firm = heard.iter().filter(|answer| answer.heard.taken() && !meanwhile.took(said, answer)).count();
            if firm > 0 {
                verdict.lost.push(name);
            }
            continue;
        };
        if row.movement != "payment" {
            verdict.other.push(format!("{name}: the books call it a {}", row.movement));
        }
        if row.amount != amount {
            verdict.lost.push(format!("{name}: the books say {}", row.amount));
        }
        let at_fate = fate_fits(payment, row, suspense.contains(row.key.as_str()));
        if let Err(why) = at_fate {
            verdict.other.push(format!("{name}: {why}"));
        }
    }
    verdict.counts.insert("payments acknowledged", acknowledged);
    meanwhile.judge(said.outages.len(), verdict);
    let replied_twice = diary.heard.iter().filter(|h| h.iter().filter(|a| a.heard.taken()).count() > 1).count();
    verdict.counts.insert("payments acknowledged more than once (repeats)", replied_twice);
    let heard = |wanted: Heard| diary.heard.iter().flatten().filter(|answer| answer.heard == wanted).count();
    verdict.counts.insert("calls without a reply", heard(Heard::Nothing));
    verdict.counts.insert("calls told to come again", heard(Heard::Retry));
    verdict.counts.insert("calls refused for good (conflicts)", heard(Heard::Refused));
}

/// Payments that are gone and whose answers came while there was no power. One flush may have been under way in each
/// outage, and a connection waits for one answer: a second one of the same connection was said after a flush that failed.
#[derive(Default)]
struct Meanwhile {
    /// By outage and connection: when they came.
    gone: BTreeMap<(usize, usize), BTreeSet<SystemTime>>,
}

impl Meanwhile {
    /// Was it said without power? Then it is counted.
    fn took(&mut self, said: &Said<'_>, answer: &Answer) -> bool {
        let outage = said.outage(answer);
        if let Some(outage) = outage {
            self.gone.entry((outage, answer.caller)).or_default().insert(answer.at);
        }
        outage.is_some()
    }

    /// A flush that is lost under way was seen in one outage of some two hundred; a gateway that acknowledges what it
    /// failed to flush has payments gone in one of a few.
    fn judge(&self, outages: usize, verdict: &mut Verdict) {
        let hit: HashSet<usize> = self.gone.keys().map(|(outage, _)| *outage).collect();
        verdict.counts.insert("outages with such an answer", hit.len());
        if hit.len() > (outages / MEANWHILE_SHARE).max(1) {
            let hit = hit.len();
            verdict.lost.insert(
                0,
                format!("payments are gone that were answered without power, in {hit} of {outages} outages"),
            );
        }

        verdict.counts.insert("answered without power, and gone", self.gone.values().map(BTreeSet::len).sum());
        for ((outage, caller), answers) in self.gone.iter().filter(|(_, answers)| answers.len() > 1) {
            let count = answers.len();
            verdict
                .lost
                .push(format!("outage {outage}: connection {caller} heard {count} answers of payments that are gone"));
        }
    }
}

/// The events whose money is in a suspense account, by the entries and not by the state's word.
fn parked_keys(books: &Books) -> HashSet<&str> {
    let event_of: HashMap<i64, &str> = books.postings.iter().map(|p| (p.no, p.event.as_str())).collect();
    let mut held: HashMap<&str, i64> = HashMap::new();
    for entry in books.entries.iter().filter(|e| e.account.starts_with("suspense")) {
        if let Some(event) = event_of.get(&entry.posting) {
            *held.entry(event).or_default() += entry.amount;
        }
    }
    held.into_iter().filter(|(_, amount)| *amount != 0).map(|(event, _)| event).collect()
}

fn fate_fits(payment: &Payment, row: &EventRow, in_suspense: bool) -> Result<(), String> {
    let parked = row.state == "parked";
    if parked != in_suspense {
        return Err(format!("its state is {} and its money in suspense: {in_suspense}", row.state));
    }
    let conflicting = payment.amounts.len() > 1;
    match payment.fate {
        Fate::Settles if !conflicting && row.state != "settled" => Err(format!("{} and not settled", row.state)),
        Fate::Parks if !parked => Err(format!("{} and not parked", row.state)),
        Fate::Races | Fate::Settles | Fate::Parks => Ok(()),
    }
}

/// I2: one event, one posting; one invoice, its total at most.
fn once(books: &Books, verdict: &mut Verdict) {
    let mut postings: HashMap<&str, Vec<i64>> = HashMap::new();
    for posting in &books.postings {
        postings.entry(posting.event.as_str()).or_default().push(posting.no);
    }
    for event in &books.events {
        match postings.get(event.key.as_str()).map_or(0, Vec::len) {
            1 => {}
            0 => verdict.lost.push(format!("{} {} has a row and no posting", event.partner, event.event)),
            n => verdict.doubled.push(format!("{} {} has {n} postings", event.partner, event.event)),
        }
    }
    let mut settled: HashMap<&str, i64> = HashMap::new();
    for allocation in &books.allocations {
        *settled.entry(allocation.invoice.as_str()).or_default() += allocation.amount;
    }
    for (invoice, amount) in settled {
        if books.totals.get(invoice) != Some(&amount) {
            let total = books.totals.get(invoice);
            verdict.doubled.push(format!("invoice {invoice} of {total:?} is settled with {amount}"));
        }
    }
}

/// I5: each posting balances, and so do the books.
fn balances(books: &Books, verdict: &mut Verdict) {
    let mut sums: HashMap<i64, i64> = HashMap::new();
    for entry in &books.entries {
        *sums.entry(entry.posting).or_default() += entry.amount;
    }
    for (posting, sum) in sums.iter().filter(|(_, sum)| **sum != 0) {
        verdict.other.push(format!("posting {posting} is out of balance by {sum}"));
    }
    for posting in books.postings.iter().filter(|p| !sums.contains_key(&p.no)) {
        verdict.other.push(format!("posting {} has no entries", posting.no));
    }
    let all: i64 = books.entries.iter().map(|e| e.amount).sum();
    if all != 0 {
        verdict.other.push(format!("the books are out of balance by {all}"));
    }
}

/// Each lane counts from 1 without a gap, and each link names the one before.
fn chain(books: &Books, verdict: &mut Verdict) {
    let mut lanes: BTreeMap<i64, Vec<&ReceiptRow>> = BTreeMap::new();
    for receipt in &books.receipts {
        lanes.entry(receipt.lane).or_default().push(receipt);
    }
    for (lane, mut links) in lanes {
        links.sort_by_key(|r| r.n);
        let mut expected = 1;
        let mut hash = vec![0_u8; 32];
        for link in links {
            if link.n != expected {
                verdict.other.push(format!("lane {lane}: receipt {expected} is missing before {}", link.n));
            }
            if link.previous != hash {
                verdict.other.push(format!("lane {lane}: receipt {} does not name the one before", link.n));
            }
            expected = link.n + 1;
            hash.clone_from(&link.hash);
        }
    }
}

/// I6: each settlement is told once, under one key, and nothing else is told.
fn core(books: &Books, told: &[Told], verdict: &mut Verdict) {
    let mut keys: HashMap<(&str, &str, &str), HashSet<&str>> = HashMap::new();
    for message in told {
        let effect = (message.payment.as_str(), message.invoice.as_str(), message.kind.as_str());
        keys.entry(effect).or_default().insert(message.key.as_str());
    }
    for (effect, keys) in keys.iter().filter(|(_, keys)| keys.len() > 1) {
        verdict.told_twice.push(format!("{effect:?} under {} keys", keys.len()));
    }
    let event_of: HashMap<i64, &str> = books.postings.iter().map(|p| (p.no, p.event.as_str())).collect();
    let mut owed = HashSet::new();
    for allocation in &books.allocations {
        let event = event_of.get(&allocation.posting).copied().unwrap_or("");
        owed.insert((event.to_owned(), allocation.invoice.clone(), allocation.amount));
    }
    let said: HashSet<_> = told.iter().map(|t| (t.payment.clone(), t.invoice.clone(), t.amount)).collect();
    for missing in owed.difference(&said) {
        verdict.untold.push(format!("the core never heard of {missing:?}"));
    }
    for invented in said.difference(&owed) {
        verdict.other.push(format!("the core was told of {invented:?}, which is not in the books"));
    }
    for dispatch in books.dispatches.iter().filter(|d| d.state != "delivered") {
        verdict.other.push(format!("message {} of {} is {}", dispatch.key, dispatch.invoice, dispatch.state));
    }
}

/// The checker's own controls: each damage to clean books must be found.
pub fn controls(said: &Said<'_>, books: &Books, told: &[Told]) -> Result<usize, String> {
    type Damage = (&'static str, fn(&mut Books, &mut Vec<Told>));
    let damages: [Damage; 8] = [
        ("an event is gone", |b, _| drop(b.events.remove(0))),
        ("a posting is written twice", |b, _| {
            let copy = b.postings.last().cloned();
            b.postings.extend(copy);
        }),
        ("an invoice is settled twice", |b, _| {
            let copy = b.allocations.last().cloned();
            b.allocations.extend(copy);
        }),
        ("an entry is off by one dong", |b, _| b.entries.last_mut().map_or((), |e| e.amount += 1)),
        ("a receipt is gone", |b, _| {
            let middle = b.receipts.len() / 2;
            drop(b.receipts.remove(middle));
        }),
        ("a link is changed", |b, _| b.receipts.last_mut().map_or((), |r| r.previous = vec![1; 32])),
        ("the core took one effect under two keys", |_, t| {
            let copy = t.last().cloned().map(|told| Told { key: "dsp_other".to_owned(), ..told });
            t.extend(copy);
        }),
        ("the core never heard of one", |_, t| drop(t.pop())),
    ];
    for (what, damage) in &damages {
        let (mut books, mut told) = (books.clone(), told.to_vec());
        damage(&mut books, &mut told);
        if judge(said, &books, &told).clean() {
            return Err(format!("the checker did not find out that {what}"));
        }
    }
    Ok(damages.len())
}
