//! A disk whose flushes take 2 ms longer, as a cloud's do: a few lines of C are compiled and loaded into the measured
//! processes before the C library, and wait in front of each flush. What they do is shown before it is counted on.

use crate::bench::{Bench, Loop};
use crate::driver;
use crate::requests;
use crate::servers::Handler;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What each flush takes longer.
const EXTRA_MS: f64 = 2.0;

const SHIM: &str = "
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>
static int later(const char *name, int fd) {
    struct timespec wait = {0, 2000000};
    int (*flush)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    nanosleep(&wait, 0);
    return flush(fd);
}
int fsync(int fd) { return later(\"fsync\", fd); }
int fdatasync(int fd) { return later(\"fdatasync\", fd); }
";

/// The library, or nothing where there is no C compiler.
fn shim(home: &Path) -> Option<PathBuf> {
    let (source, library) = (home.join("slow.c"), home.join("slow.so"));
    if library.exists() {
        return Some(library);
    }
    std::fs::write(&source, SHIM).expect("the bench's folder can be written");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(&source).args(["-ldl"]);
    let done = compiler.stdin(Stdio::null()).status();
    done.is_ok_and(|status| status.success()).then_some(library)
}

pub fn run(bench: &mut Bench, round: u64) {
    let Some(shim) = shim(&bench.home) else {
        if round == 0 {
            bench.skip("slow flushes: there is no C compiler (cc) for the lines that slow them");
        }
        return;
    };
    let preload = shim.to_str().expect("a plain path");
    for (name, naive) in [("naive, slow disk", true), ("gateway, slow disk", false)] {
        let setup = bench.books("slow").setup(&bench.home);
        let server = if naive { setup.handler(Handler::Naive) } else { setup.start() };
        let few = requests::fresh("X", 50, 8_000 + round);
        let without = driver::one_by_one_ms(server.public, &few);
        drop(server);
        let books = bench.books("slow");
        let setup = books.setup(&bench.home).with("LD_PRELOAD", preload);
        let server = if naive { setup.handler(Handler::Naive) } else { setup.start() };
        let with = driver::one_by_one_ms(server.public, &few);
        println!("  {name:<26} one notice after another: {without:.2} ms each, {with:.2} ms with the slow flush");
        assert!(with >= EXTRA_MS && with > without, "the slow flush does not act on {name}");
        bench.figures.add(&format!("{name} one by one ms"), with);
        bench.figures.add(&format!("{name} one by one ms without"), without);
        let (load, warm) = bench.load(round);
        let answered = bench.closed(&Loop { name, server: &server, postgres: None, load, warm });
        if !naive {
            server.stop();
            books.count_rows(answered.all() + u32::try_from(few.len()).expect("few calls"));
        }
    }
}
