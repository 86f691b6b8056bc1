//! Taking a file of invoices in: by the command alone, and through a gateway while notices come in.

use crate::bench::{BASE, Bench, OPEN_RATE, WARM};
use crate::books::Store;
use crate::driver::{self, Load, Steady};
use crate::processes::TOKEN_NAME;
use crate::requests;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The longest that notices go on beside an import.
const LONGEST: Duration = Duration::from_secs(180);

/// A file of the first `count` invoices of a series.
pub fn write_invoices(path: &Path, series: &str, count: u64) {
    let file = fs::File::create(path).expect("the bench's folder can be written");
    write_rows(file, series, count).expect("the disk has room");
}

/// The rows of such a file, with its header.
pub fn write_rows(to: impl Write, series: &str, count: u64) -> std::io::Result<()> {
    write_lines(to, (0..count).map(|n| requests::invoice_line(series, n)))
}

/// The same of other lines.
pub fn write_lines(to: impl Write, lines: impl Iterator<Item = String>) -> std::io::Result<()> {
    let mut to = std::io::BufWriter::new(to);
    to.write_all(requests::HEADER.as_bytes())?;
    for line in lines {
        to.write_all(line.as_bytes())?;
    }
    to.flush()
}

pub fn run(bench: &mut Bench, round: u64) {
    let file = bench.home.join("more.csv");
    if !file.exists() {
        write_invoices(&file, "M", bench.scale.imported);
    }
    for store in Store::BOTH {
        alone(bench, store, &file);
        flowing(bench, store, &file, round);
    }
}

fn alone(bench: &mut Bench, store: Store, file: &Path) {
    let Some(books) = bench.copy(store, BASE, "import") else { return };
    let since = Instant::now();
    let said = books.setup(&bench.home).run(&["invoice", "import", file.to_str().expect("a plain path")]);
    took(bench, &format!("import, {}", store.word()), since.elapsed(), &said);
    books.remove();
}

/// The same command, with `--url` of a running gateway that is busy with notices.
fn flowing(bench: &mut Bench, store: Store, file: &Path, round: u64) {
    let Some(books) = bench.copy(store, BASE, "import") else { return };
    let setup = books.setup(&bench.home);
    let server = setup.start();
    let warm = Load { calls: Arc::new(requests::fresh("X", 10_000, 6_000 + round)), connections: 64, again: false };
    let warmed = driver::closed(server.public, &warm, WARM).replies;
    let url = format!("http://{}", server.internal);
    let words = ["invoice", "import", file.to_str().expect("a plain path"), "--url", &url, "--token", TOKEN_NAME];
    let calls = requests::fresh("B", u64::from(OPEN_RATE) * LONGEST.as_secs(), 7_000 + round);
    let importing = AtomicBool::new(true);
    let name = format!("import under notices, {}", store.word());
    let (answered, said, time) = std::thread::scope(|scope| {
        let import = scope.spawn(|| {
            let since = Instant::now();
            let said = setup.run(&words);
            importing.store(false, Ordering::SeqCst);
            (said, since.elapsed())
        });
        let go_on = || importing.load(Ordering::SeqCst);
        let steady = Steady { time: LONGEST, go_on: &go_on, ..bench.notices(&calls) };
        let answered = bench.open(&name, &server.public, steady);
        let (said, time) = import.join().expect("the import's thread ends");
        (answered, said, time)
    });
    if time > LONGEST {
        println!("  {name}: notices came in for {LONGEST:?} only, of {time:?}");
    }
    took(bench, &name, time, &said);
    server.stop();
    books.count_rows(warmed + answered);
    books.remove();
}

fn took(bench: &mut Bench, name: &str, time: Duration, said: &str) {
    let rows = u32::try_from(bench.scale.imported).expect("few rows");
    assert!(said.starts_with(&format!("{rows} added, 0 changed")), "{name}: {said}");
    let per_second = f64::from(rows) / time.as_secs_f64();
    bench.figures.add(&format!("{name} rows per second"), per_second);
    println!("  {name:<34} {per_second:>9.0} rows/s");
}
