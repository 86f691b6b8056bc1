//! The end of every run: no more faults, everything unanswered is said until it is answered, the core hears everything,
//! and then the three accounts are compared.

use crate::core::Core;
use crate::diary::Diary;
use crate::gateway::Gateway;
use crate::judge::{self, Books, Said, Verdict};
use crate::load::{CLIENTS, Load};
use crate::plan::Job;
use crate::power::Outage;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// While messages wait, the core must hear a new one at least this often: longer than a dead process's lease.
const SILENCE_MAX: Duration = Duration::from_secs(100);
/// Rounds of repeating what is unanswered.
const ROUNDS: usize = 5;

/// What the three accounts say, and what the checker says of planted damage.
pub struct Compared {
    pub verdict: Verdict,
    pub controls: Result<usize, String>,
}

/// Everything unanswered is said until it is answered.
pub fn say_what_is_unanswered(gateways: &[&Gateway], diary: &Mutex<Diary>) {
    let to: Vec<_> = gateways.iter().map(|g| g.public.into()).collect();
    for _ in 0..ROUNDS {
        let jobs: Vec<Job> = diary.lock().expect("no client panics").unanswered();
        if jobs.is_empty() {
            return;
        }
        let load = Load::once(&to, diary, &jobs);
        std::thread::scope(|scope| {
            (0..CLIENTS).for_each(|n| {
                drop(scope.spawn({
                    let load = &load;
                    move || load.client(n)
                }))
            })
        });
    }
}

/// Waits until no message waits.
pub fn drain(gateway: &Gateway, core: &Core) -> Result<(), String> {
    let mut told = 0;
    let mut since = Instant::now();
    loop {
        let waiting = ["waiting", "leased"].map(|state| {
            let path = format!("/api/v1/outbox?state={state}&limit=1");
            gateway.ask("GET", &path, "application/json", b"").map(|r| (r.status, r.text()))
        });
        if waiting.iter().all(|w| w.as_ref().is_ok_and(|(status, text)| *status == 200 && text.trim() == "[]")) {
            return Ok(());
        }
        let now_told = core.journal.lock().expect("no thread of the core panics").taken.len();
        if now_told > told {
            (told, since) = (now_told, Instant::now());
        }
        if since.elapsed() > SILENCE_MAX {
            return Err(format!("the outbox does not drain: {waiting:?}"));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Compares, and if nothing is wrong, plants damage that must be found.
pub fn compare(diary: &Diary, books: &Books, core: &Core, outages: &[Outage]) -> Compared {
    let journal = core.journal.lock().expect("no thread of the core panics");
    let mut verdict = judge::judge(&Said { diary, outages }, books, &journal.taken);
    verdict.counts.insert("calls the core heard", usize::try_from(journal.calls).unwrap_or(usize::MAX));
    verdict.other.extend(journal.wrong.iter().cloned());
    for job in diary.unanswered() {
        verdict.other.push(format!("never answered: {:?}", diary.payments.get(job.payment)));
    }
    let controls = if verdict.clean() {
        judge::controls(&Said { diary, outages }, books, &journal.taken)
    } else {
        Err("not run: the books were not clean to begin with".to_owned())
    };
    Compared { verdict, controls }
}
