//! What this machine is, and what a process on it has used, out of `/proc`.

use std::{fs, io, time::Duration};

/// Linux counts a process' time in hundredths of a second on every architecture that we run on.
const TICKS_PER_SECOND: f64 = 100.0;

/// The machine, the build and how busy it was before we began, in a line.
pub fn described() -> String {
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = field(&info, "model name").unwrap_or("unknown").to_owned();
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let gib = field(&memory, "MemTotal").and_then(kib).unwrap_or_default() / 1024.0 / 1024.0;
    let busy = busy_percent();
    let build = if cfg!(debug_assertions) { "debug build, whose figures mean nothing" } else { "release build" };
    let noise = if busy > 10.0 { ": these are the figures of a noisy machine" } else { "" };
    format!("{cores} x {model}, {gib:.0} GiB; {build}; {busy:.0}% busy in the second before the start{noise}")
}

/// How busy all cores together are with anything at all, over a second. Not the load average: that remembers the build.
fn busy_percent() -> f64 {
    let (before, ()) = (spent(), std::thread::sleep(Duration::from_secs(1)));
    let after = spent();
    let (busy, all) = (after.0 - before.0, after.1 - before.1);
    if all > 0.0 { busy / all * 100.0 } else { 0.0 }
}

/// Busy ticks and all ticks since the machine started.
fn spent() -> (f64, f64) {
    let text = fs::read_to_string("/proc/stat").unwrap_or_default();
    let total = text.lines().next().unwrap_or_default();
    let ticks: Vec<f64> = total.split_whitespace().skip(1).filter_map(|ticks| ticks.parse().ok()).collect();
    let all = ticks.iter().take(8).sum::<f64>();
    // The fourth and fifth are idle, and idle while the disk works.
    (all - ticks.iter().skip(3).take(2).sum::<f64>(), all)
}

/// Seconds of CPU, in user and kernel mode, that a process has used.
pub fn cpu_seconds(pid: u32) -> io::Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name may hold blanks; what follows its bracket does not.
    let (_, rest) = stat.rsplit_once(')').ok_or(io::ErrorKind::InvalidData)?;
    let field = |number: usize| rest.split_whitespace().nth(number - 3).and_then(|field| field.parse::<f64>().ok());
    let (user, kernel) = (field(14), field(15));
    Ok((user.ok_or(io::ErrorKind::InvalidData)? + kernel.ok_or(io::ErrorKind::InvalidData)?) / TICKS_PER_SECOND)
}

/// MiB of memory that a process has in RAM.
pub fn rss_mb(pid: u32) -> io::Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    Ok(field(&status, "VmRSS").and_then(kib).ok_or(io::ErrorKind::InvalidData)? / 1024.0)
}

/// `name:   value` of a list of such lines.
fn field<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let lines = text.lines().filter_map(|line| line.split_once(':'));
    lines.filter(|(key, _)| key.trim() == name).map(|(_, value)| value.trim()).next()
}

fn kib(text: &str) -> Option<f64> {
    text.strip_suffix(" kB")?.parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    #[test]
    fn this_process_has_used_something() {
        let me = std::process::id();
        assert!(super::cpu_seconds(me).unwrap() >= 0.0);
        assert!(super::rss_mb(me).unwrap() > 1.0);
        assert!(super::described().contains("GiB"));
    }
}
