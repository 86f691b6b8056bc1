//! What the process does while an input is read: the memory that it holds, and where it panics.

use std::alloc::{GlobalAlloc, Layout, System};
use std::backtrace::Backtrace;
use std::panic::AssertUnwindSafe;
use std::sync::Mutex;
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};

static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
static LAST: Mutex<String> = Mutex::new(String::new());

/// Counts what Rust code holds. What libFuzzer itself holds does not pass here.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn more(bytes: usize) {
    let held = HELD.fetch_add(bytes, Ordering::Relaxed) + bytes;
    PEAK.fetch_max(held, Ordering::Relaxed);
}

fn less(bytes: usize) {
    HELD.fetch_sub(bytes, Ordering::Relaxed);
}

// SAFETY: each call is passed on to the system's allocator as it came; counting touches no memory of it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        more(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        more(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        less(layout.size());
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // While it is moved both are held.
        more(size);
        let moved = unsafe { System.realloc(at, layout, size) };
        less(layout.size());
        moved
    }
}

/// Runs what reads an input; it must hold less than the cap on top of what was held before, and must not panic. A panic
/// in what others wrote may be caught by the reader, which then refuses; one in our own code is a fault wherever it ends.
pub fn within<T>(cap_bytes: usize, run: impl FnOnce() -> T) -> T {
    static HOOK: Once = Once::new();
    // libFuzzer's own hook ends the process at each panic, one that is caught too.
    HOOK.call_once(|| {
        std::panic::set_hook(Box::new(|info| {
            let ours = info.location().is_none_or(|at| !at.file().starts_with('/'));
            if ours {
                end(&format!("{info}\n{}", Backtrace::force_capture()));
            }
            // No trace: to make one holds more than a reader may.
            if let Ok(mut last) = LAST.lock() {
                *last = info.to_string();
            }
        }));
    });
    let before = HELD.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let Ok(done) = std::panic::catch_unwind(AssertUnwindSafe(run)) else {
        end(&LAST.lock().map_or_else(|_| String::new(), |last| last.clone()));
    };
    let held = PEAK.load(Ordering::Relaxed) - before;
    if held > cap_bytes {
        end(&format!("{held} bytes were held at once, the cap is {cap_bytes}"));
    }
    done
}

/// Says why and ends the process, so that libFuzzer keeps the input.
pub fn end(why: &str) -> ! {
    eprintln!("FOUND: {why}");
    std::process::abort();
}
