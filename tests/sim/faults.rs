//! What goes wrong, by name, and how often it did: a fault that never happens proves nothing.

macro_rules! faults {
    ($($name:ident,)*) => {
        /// One kind of trouble.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Fault { $($name,)* }

        impl Fault {
            pub const ALL: &[Self] = &[$(Self::$name,)*];
        }
    };
}

faults! {
    Repeat, RepeatVerbatim, Conflict, WrongAmount, UnknownInvoice, Contradiction, Pending, Failed, Forged, Unreadable,
    Stale, Refused, ReadAgain, PausedBank, SuccessRead, RepeatsCounted,
    QueueWaits, QueueFull, QueueClosed, TooLate, DoorTimesOut, HungUp, HungUpAfterCommit, PanicAtTheDoor,
    PanicWhileDeciding, CrashWhileQueued,
    ReversalFirst, ReversalOfAnotherAmount, ReversalTwice, ReversalLate,
    InvoiceChanged, InvoiceLate, InvoiceOlder,
    DiskFull, DiskBroken, Contended, StatementRefused, UnknownApplied, UnknownLost, CrashBeforeCommit, CrashAfterCommit,
    CrashWhileSending, ReplyLost, QueuedTogether,
    MarkersGone, MarkersStale, MarkersRefused, MarkerAnswered, MarkerNotTrusted, MarkerOfOtherContent,
    LeaseLost, CoreRefusesConnection, CoreDown, CoreBusy, CoreSaysUnauthorised, CoreRejects, CoreClearedForAnother,
    CoreTakesAndTimesOut, CoreHasItAlready,
    ClockForward, ClockBack, OlderDatabase,
}

/// How often each happened.
#[derive(Clone, Debug, Default)]
pub struct Faults(pub std::collections::BTreeMap<Fault, u64>);

impl Faults {
    pub fn hit(&mut self, fault: Fault) {
        *self.0.entry(fault).or_default() += 1;
    }

    pub fn meet<T>(&mut self, fault: Fault, result: T) -> T {
        self.hit(fault);
        result
    }

    pub fn add(&mut self, other: &Self) {
        for (fault, count) in &other.0 {
            *self.0.entry(*fault).or_default() += count;
        }
    }

    pub fn missing(&self) -> Vec<Fault> {
        Fault::ALL.iter().copied().filter(|fault| !self.0.contains_key(fault)).collect()
    }
}
