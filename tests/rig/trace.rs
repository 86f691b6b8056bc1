//! The order of system calls: before each reply to a notice, the books were flushed. Stands in where the machine
//! forbids the power-cut loop, and is run beside it where it does not.

use crate::core::Core;
use crate::diary::Diary;
use crate::gateway::{self, Gateway, Setup};
use crate::load::Load;
use crate::plan::{self, Bill, Fate, Payment};
use crate::wire::{self, Sender};
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Payments in the trace, one after the other.
pub const PAYMENTS: usize = 100;

/// What the trace shows.
pub struct Trace {
    pub replies: usize,
    pub unflushed: usize,
}

/// `Err` where nothing can be traced.
pub fn run(home: &Path, fault: Option<&'static str>) -> Result<Trace, String> {
    let core = Core::start(wire::CORE_SECRET, 1, false).map_err(|e| e.to_string())?;
    // No core to tell: its messages' own commits would flush between a notice and its reply and hide a missing one.
    let nowhere = core.address;
    let setup = Setup {
        home: home.to_path_buf(),
        store: format!("sqlite://{}/books.db", home.display()),
        core: nowhere,
        seen: "memory".to_owned(),
        listen: None,
        ready_ms: 0,
        fault,
    };
    gateway::write_setup(&setup).map_err(|e| e.to_string())?;
    gateway::edit_config(&setup, "[core]\nurl = ", "[core]\nurl = \"\" # ").map_err(|e| e.to_string())?;
    gateway::edit_config(&setup, "every_s = 2", "every_s = 3600").map_err(|e| e.to_string())?;
    let gateway = Gateway::start(&setup, None)?;
    let (bills, payments) = script();
    let lines: Vec<String> = bills.iter().map(Bill::to_json).collect();
    let body = lines.join("\n");
    let imported = gateway.ask("PUT", "/api/v1/invoices", "application/x-ndjson", body.as_bytes());
    if !imported.as_ref().is_ok_and(|r| r.status == 200) {
        return Err(format!("the import: {:?}", imported.map(|r| r.text())));
    }
    let mut diary = Diary::open(&home.join("diary")).map_err(|e| e.to_string())?;
    diary.take_up(payments);
    let jobs: Vec<plan::Job> = (0..PAYMENTS).map(|payment| plan::Job { payment, variant: 0 }).collect();
    let diary = Mutex::new(diary);
    let log = home.join("strace.log");
    let mut tracer = attach(gateway.id(), &log)?;
    Load::once(&[gateway.public.into()], &diary, &jobs).client(0);
    gateway.stop()?;
    // The tracer ends with the traced.
    tracer.wait().map_err(|e| e.to_string())?;
    let taken =
        diary.lock().expect("no client panics").heard.iter().flatten().filter(|answer| answer.heard.taken()).count();
    if taken != PAYMENTS {
        return Err(format!("{taken} of {PAYMENTS} payments were taken"));
    }
    Ok(read(&fs::read_to_string(&log).map_err(|e| e.to_string())?))
}

fn script() -> (Vec<Bill>, Vec<Payment>) {
    let each = (0..PAYMENTS).map(|n| {
        let id = format!("T{n:06}");
        let event = 77_000_000 + u64::try_from(n).unwrap_or(0);
        let total = 110_000;
        let (invoice, amounts) = (id.clone(), vec![total]);
        (Bill { id, total }, Payment { sender: Sender::Wallet, event, invoice, amounts, fate: Fate::Settles })
    });
    each.unzip()
}

fn attach(pid: u32, log: &Path) -> Result<Child, String> {
    let mut tracer = Command::new("strace")
        .args(["-f", "-s", "40", "-e", "trace=fsync,fdatasync,write,writev,sendto,sendmsg", "-o"])
        .arg(log)
        .args(["-p", &pid.to_string()])
        .stderr(Stdio::null())
        .spawn()
        .map_err(|e| format!("strace: {e}"))?;
    let since = Instant::now();
    while since.elapsed() < Duration::from_secs(10) {
        let tasks = fs::read_dir(format!("/proc/{pid}/task")).map_err(|e| e.to_string())?;
        let traced = |task: fs::DirEntry| {
            let status = fs::read_to_string(task.path().join("status")).unwrap_or_default();
            status.lines().any(|l| l.strip_prefix("TracerPid:").is_some_and(|p| p.trim() != "0"))
        };
        if tasks.flatten().all(traced) {
            return Ok(tracer);
        }
        if tracer.try_wait().map_err(|e| e.to_string())?.is_some() {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    drop(tracer.kill());
    drop(tracer.wait());
    Err("strace may not trace here".to_owned())
}

/// Replies, and those with no finished flush since the reply before.
fn read(log: &str) -> Trace {
    let mut trace = Trace { replies: 0, unflushed: 0 };
    let mut flushed = false;
    for line in log.lines() {
        let flush = line.contains("fdatasync") || line.contains("fsync");
        if flush && line.trim_end().ends_with("= 0") {
            flushed = true;
        } else if line.contains("\"HTTP/1.1 ") {
            trace.replies += 1;
            trace.unflushed += usize::from(!flushed);
            flushed = false;
        }
    }
    trace
}
