//! Named places where the rigs make the process die or do wrong on purpose. Without the `fault-injection` feature
//! everything here is empty and compiles away: a release has none of it. Not a way to test logic: that is the
//! simulator's. Serves the proofs of I2 and I4.

/// A place where the process may die: aborts at the n-th hit of the point that `THUHO_CRASH_POINT=name:nth` names.
#[inline]
pub fn point(name: &str) {
    imp::point(name);
}

/// Is this deliberate fault asked for by `THUHO_FAULT=name[,name]`? Always false in a release.
#[inline]
#[must_use]
pub fn fault(name: &str) -> bool {
    imp::fault(name)
}

#[cfg(not(feature = "fault-injection"))]
mod imp {
    #[inline]
    pub fn point(_name: &str) {}

    #[inline]
    pub fn fault(_name: &str) -> bool {
        false
    }
}

#[cfg(feature = "fault-injection")]
mod imp {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    struct Plan {
        point: Option<(String, u64)>,
        hits: AtomicU64,
        faults: Vec<String>,
    }

    fn plan() -> &'static Plan {
        static PLAN: OnceLock<Plan> = OnceLock::new();
        PLAN.get_or_init(|| Plan {
            point: read("THUHO_CRASH_POINT").and_then(|text| {
                let (name, nth) = text.split_once(':')?;
                Some((name.to_owned(), nth.parse().ok()?))
            }),
            hits: AtomicU64::new(0),
            faults: read("THUHO_FAULT").map(|t| t.split(',').map(str::to_owned).collect()).unwrap_or_default(),
        })
    }

    #[expect(clippy::disallowed_methods, reason = "a rig's switch, not configuration; absent from releases")]
    fn read(name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    pub fn point(name: &str) {
        let plan = plan();
        if let Some((wanted, nth)) = &plan.point
            && wanted == name
            && plan.hits.fetch_add(1, Ordering::SeqCst).saturating_add(1) == *nth
        {
            std::process::abort();
        }
    }

    pub fn fault(name: &str) -> bool {
        plan().faults.iter().any(|f| f == name)
    }
}
