//! Where a payment stands, in one word, and since when.

use crate::domain::time::Timestamp;
use crate::finance::show;
use crate::finance::terms;
use crate::finance::told::code;
use crate::finance::words::Words;
use crate::store::reports::DispatchView;
use crate::store::rows::{EventRecord, EventState};

/// Where it stands.
#[derive(Clone, Debug)]
pub(in crate::finance::pages) struct Stand {
    /// In one word.
    pub(in crate::finance::pages) word: &'static str,
    /// Why, if there is more to say.
    pub(in crate::finance::pages) why: String,
    /// The look of the word.
    pub(in crate::finance::pages) look: &'static str,
    /// Since when it waits for something; nothing once it does no more.
    pub(in crate::finance::pages) since: Option<Timestamp>,
    /// Is it settled here, and the core does not know yet?
    pub(in crate::finance::pages) on_its_way: bool,
}

/// Of this payment with its messages to the core.
pub(in crate::finance::pages) fn of(record: &EventRecord, messages: &[DispatchView], w: Words) -> Stand {
    let over = |look| Stand {
        word: terms::event_word(record.state, w),
        why: String::new(),
        look,
        since: None,
        on_its_way: false,
    };
    let waits = |look| Stand { since: Some(record.paid_at), ..over(look) };
    let open = || messages.iter().filter(|message| matches!(message.state.as_str(), "waiting" | "leased" | "parked"));
    let oldest = open().map(|message| message.created_at).min();
    let held = open().find_map(|message| message.cause);
    match record.state {
        EventState::Settled => match (oldest, held) {
            (Some(_), held) => Stand {
                word: w.cu_on_its_way(),
                why: held.map(|cause| code(cause.word(), w)).unwrap_or_default(),
                since: oldest,
                on_its_way: true,
                ..over(if held.is_some() { "bad" } else { "warn" })
            },
            (None, _) => Stand { word: w.cu_paid(), ..over("good") },
        },
        EventState::Parked(reason) => Stand { why: code(reason.word(), w), ..waits("bad") },
        EventState::Reversed if oldest.is_some() => {
            Stand { why: w.cu_core_not_told().to_owned(), since: oldest, ..over("warn") }
        }
        EventState::Expected { .. } | EventState::Waiting => waits("warn"),
        EventState::Reversed | EventState::Applied => over(""),
        EventState::Refused => over("bad"),
    }
}

/// How long ago, for people.
pub(in crate::finance::pages) fn age(since: Timestamp, now: Timestamp, w: Words) -> String {
    let minutes = now.ms_since(since).max(0) / 60_000;
    match minutes {
        0..120 => format!("{minutes}\u{a0}{}", w.cu_minutes()),
        120..2_880 => format!("{}\u{a0}{}", minutes / 60, w.cu_hours()),
        _ => show::days(minutes / 1_440, w),
    }
}
