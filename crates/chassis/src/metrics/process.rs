//! The process itself: what it takes of the machine, since when, and which build it is.

use std::{fs, time::Instant};

use opentelemetry::{KeyValue, global};

use super::{Gauge, METER, observe};
use crate::ServiceInfo;

const BUILD: Gauge =
    Gauge { name: "alcove.build.info", unit: "{process}", about: "1 for each process, with the version that it is of" };
const UPTIME: Gauge = Gauge { name: "process.uptime", unit: "s", about: "How long the process has been running" };

/// Of a second in `/proc`; the kernel's interface has it fixed, whatever its own ticks are.
const TICKS: f64 = 100.0;

/// Has the process measured from here on.
pub(crate) fn measure_process(service: &ServiceInfo) {
    let (since, version) = (Instant::now(), service.version);
    observe(UPTIME, move || vec![(since.elapsed().as_secs_f64(), Vec::new())]);
    observe(BUILD, move || vec![(1.0, vec![KeyValue::new("service.version", version)])]);
    let meter = global::meter(METER);
    meter
        .f64_observable_counter("process.cpu.time")
        .with_unit("s")
        .with_description("CPU time that the process took")
        .with_callback(|observer| {
            if let Some(seconds) = cpu_seconds(&fs::read_to_string("/proc/self/stat").unwrap_or_default()) {
                observer.observe(seconds, &[]);
            }
        })
        .build();
    meter
        .i64_observable_up_down_counter("process.memory.usage")
        .with_unit("By")
        .with_description("Physical memory that the process has")
        .with_callback(|observer| {
            if let Some(bytes) = resident(&fs::read_to_string("/proc/self/status").unwrap_or_default()) {
                observer.observe(bytes, &[]);
            }
        })
        .build();
}

/// User and system time. The second field, the name, may hold spaces and brackets: what follows its last bracket counts.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let (user, system): (f64, f64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some((user + system) / TICKS)
}

fn resident(status: &str) -> Option<i64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<i64>().ok().map(|kilobytes| kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proc_is_read_as_the_kernel_writes_it() {
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194560 1 0 0 0 250 50 0 0 20 0 4 0 99 1 2 3";
        assert_eq!(cpu_seconds(stat), Some(3.0));
        assert_eq!(resident("Name:\tx\nVmRSS:\t   12 kB\nThreads:\t4\n"), Some(12 * 1024));
        assert_eq!((cpu_seconds(""), resident("VmRSS:\n")), (None, None));
    }
}
