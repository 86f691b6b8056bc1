//! The tables and the JSON file of a run, of whatever it measured.

use crate::bench::Bench;
use crate::goals;
use crate::machine;
use crate::report::Figures;
use std::path::Path;

/// Prints everything. A missed goal is printed and fails nothing.
pub fn print(bench: &Bench, audited: Option<bool>) {
    let f = &bench.figures;
    closed_loops(f);
    open_loops(f);
    for (what, unit) in [(" rows per second", "rows/s"), (" messages per second", "messages/s")] {
        for name in f.ending(what) {
            println!("{name:<40} {:>26} {unit}", f.spread(&format!("{name}{what}")));
        }
    }
    if f.has("duplicates answered by seen, per cent") {
        println!("duplicates answered by seen: {:.1} %", f.median("duplicates answered by seen, per cent"));
    }
    if f.has("import seconds") {
        println!(
            "import of {} invoices by PUT under 2,000/s: {:.1} s",
            bench.scale.imported,
            f.median("import seconds")
        );
    }
    let goals = goals::of(f);
    println!();
    goals.iter().for_each(|g| println!("{}", g.line()));
    for skipped in &bench.skipped {
        println!("SKIPPED {skipped}");
    }
    let not_run = crate::stages::not_run(&bench.stages);
    for (word, what) in &not_run {
        println!("NOT RUN {word}: {what}");
    }
    match audited {
        Some(passed) => println!("audit of the last round's books: {}", if passed { "passed" } else { "FAILED" }),
        None => println!("audit: no books of the gateway stage to look at"),
    }
    let lines: Vec<serde_json::Value> = goals
        .iter()
        .map(|g| serde_json::json!({ "goal": g.what, "figure": g.figure, "unit": g.unit, "met": g.met() }))
        .collect();
    let all = serde_json::json!({
        "machine": machine::describe(), "rounds": bench.scale.rounds, "audit": audited, "goals": lines,
        "stages": bench.stages.iter().map(|stage| stage.word()).collect::<Vec<_>>(),
        "not run": not_run.iter().map(|(word, _)| word).collect::<Vec<_>>(),
        "skipped": bench.skipped, "invoices imported": bench.scale.imported, "invoices in the big books": bench.scale.big,
        "figures": f.to_json(),
    });
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench");
    std::fs::create_dir_all(&folder).expect("the target folder can be written");
    std::fs::write(folder.join("gateway.json"), format!("{all:#}\n")).expect("the target folder can be written");
}

fn closed_loops(f: &Figures) {
    // What is not a closed loop has no memory beside its rate.
    let names: Vec<&str> = f.ending(" resident").into_iter().collect();
    if names.is_empty() {
        return;
    }
    println!(
        "\n{:<28} {:>24} {:>16} {:>16} {:>13} {:>9}",
        "closed loop", "per second", "CPU s per 1,000", "+ PostgreSQL's", "resident MiB", "stolen s"
    );
    for name in names {
        let of = |what: &str| f.median(&format!("{name} {what}"));
        let rate = f.spread(&format!("{name} per second"));
        let database = format!("{name} database CPU s per 1,000");
        let database = if f.has(&database) { format!("{:.4}", f.median(&database)) } else { String::new() };
        println!(
            "{name:<28} {rate:>24} {:>16.4} {database:>16} {:>13.1} {:>9.2}",
            of("CPU s per 1,000"),
            of("resident"),
            of("stolen s")
        );
    }
}

fn open_loops(f: &Figures) {
    let names = f.ending(" p99.9 ms");
    if names.is_empty() {
        return;
    }
    println!("\n{:<40} {:>10} {:>10} {:>10}", "open loop", "p50 ms", "p99 ms", "p99.9 ms");
    for name in names {
        let of = |what: &str| f.median(&format!("{name} {what}"));
        println!("{name:<40} {:>10.2} {:>10.2} {:>10.2}", of("p50 ms"), of("p99 ms"), of("p99.9 ms"));
    }
    println!();
}
