//! What processes and the machine used, from /proc.

use std::fs;
use std::path::Path;

/// Ticks a second of /proc; 100 on every Linux we run on.
const TICKS: f64 = 100.0;

/// The fields of a process's stat that follow its name.
fn stat(pid: u32) -> Vec<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name may hold spaces; what follows its bracket does not.
    let after = stat.rsplit(')').next().unwrap_or("");
    after.split_whitespace().map(|field| field.parse().unwrap_or(0)).collect()
}

fn ticks(stat: &[u32], fields: &[usize]) -> f64 {
    fields.iter().filter_map(|n| stat.get(*n)).map(|ticks| f64::from(*ticks)).sum::<f64>() / TICKS
}

/// CPU seconds that a process has used, its threads included.
pub fn cpu_seconds(pid: u32) -> f64 {
    ticks(&stat(pid), &[11, 12])
}

/// CPU seconds of a process and its children, those that have ended included: a PostgreSQL server's.
pub fn family_cpu_seconds(parent: u32) -> f64 {
    let of_parent = ticks(&stat(parent), &[11, 12, 13, 14]);
    let all = fs::read_dir(Path::new("/proc")).into_iter().flatten().flatten();
    let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let children = pids.map(stat).filter(|stat| stat.get(1) == Some(&parent));
    of_parent + children.map(|stat| ticks(&stat, &[11, 12])).sum::<f64>()
}

/// Resident memory in MiB: now, and at its highest.
pub fn resident_mib(pid: u32) -> (f64, f64) {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let kib = |key: &str| {
        let line = status.lines().find_map(|l| l.strip_prefix(key)).unwrap_or("");
        line.split_whitespace().next().and_then(|n| n.parse::<u32>().ok()).map_or(0.0, f64::from)
    };
    (kib("VmRSS:") / 1024.0, kib("VmHWM:") / 1024.0)
}

/// KiB that a process handed to the disk.
pub fn written_kib(pid: u32) -> f64 {
    let io = fs::read_to_string(format!("/proc/{pid}/io")).unwrap_or_default();
    let bytes = io.lines().find_map(|l| l.strip_prefix("write_bytes: ")).and_then(|n| n.parse::<f64>().ok());
    bytes.unwrap_or(0.0) / 1024.0
}

/// CPU seconds that the host took from this machine since its start.
pub fn stolen_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let first = stat.lines().next().unwrap_or("");
    first.split_whitespace().nth(8).and_then(|f| f.parse::<u32>().ok()).map_or(0.0, f64::from) / TICKS
}

/// Model and count of processors, kernel.
pub fn describe() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model =
        cpu.lines().find_map(|l| l.strip_prefix("model name")).map_or("?", |l| l.trim_start_matches(['\t', ' ', ':']));
    let cores = cpu.lines().filter(|l| l.starts_with("processor")).count();
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{cores} x {model}, Linux {}", kernel.trim())
}
