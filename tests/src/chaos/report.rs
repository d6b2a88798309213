//! What came of it: the plan, what of it happened, and each invariant with its evidence.

use std::{
    fmt::{self, Display},
    io,
    path::Path,
};

use serde::Serialize;

use super::plan::{Fault, Plan};

/// The whole of it.
#[derive(Debug, Serialize)]
pub struct Report {
    /// What was to happen.
    pub plan: Plan,
    /// What happened, with the milliseconds at which it really began and ended.
    pub happened: Vec<(Fault, u64, u64)>,
    /// What couldn't be had here, and why.
    pub left_out: Vec<(Fault, String)>,
    /// What must hold.
    pub invariants: Vec<Invariant>,
}

/// Something that must hold.
#[derive(Debug, Serialize)]
pub struct Invariant {
    /// What.
    pub what: &'static str,
    /// What was looked at, with its numbers.
    pub evidence: String,
    /// Each case in which it doesn't hold; none: it does.
    pub broken: Vec<String>,
}

impl Report {
    /// Whether every invariant holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.invariants.iter().all(|one| one.broken.is_empty())
    }

    /// Writes `report.md` and `report.json` into a folder.
    ///
    /// # Errors
    /// The disk's.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        std::fs::write(folder.join("report.md"), self.to_string())?;
        std::fs::write(folder.join("report.json"), serde_json::to_vec_pretty(self)?)
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Plan { seed, length_ms, at_once, calls, .. } = &self.plan;
        writeln!(f, "# Faults, seed {seed}\n")?;
        let (seconds, faults) = (length_ms / 1_000, self.happened.len());
        writeln!(f, "{seconds} s, {} calls, {at_once} at once, {faults} faults. Again:\n", calls.len())?;
        writeln!(f, "    make chaos CHAOS_SEED={seed} CHAOS_SECONDS={seconds} CHAOS_CALLS={at_once}\n")?;
        writeln!(f, "| holds | what | evidence |\n|---|---|---|")?;
        for Invariant { what, evidence, broken } in &self.invariants {
            let holds = if broken.is_empty() { "yes" } else { "**NO**" };
            writeln!(f, "| {holds} | {what} | {evidence} |")?;
        }
        let broken: Vec<_> = self.invariants.iter().filter(|one| !one.broken.is_empty()).collect();
        if !broken.is_empty() {
            writeln!(f, "\n## Broken")?;
        }
        for Invariant { what, broken, .. } in broken {
            writeln!(f, "\n{what}:\n")?;
            for one in broken {
                writeln!(f, "- {}", one.replace('\n', "\n  "))?;
            }
        }
        writeln!(f, "\n## What happened\n\n| from | to | what |\n|---|---|---|")?;
        for (fault, from, to) in &self.happened {
            writeln!(f, "| {:.1} s | {:.1} s | {} |", *from as f64 / 1e3, *to as f64 / 1e3, fault.what)?;
        }
        for (fault, why) in &self.left_out {
            writeln!(f, "\nLeft out at {:.1} s: {}: {why}.", fault.at_ms as f64 / 1e3, fault.what)?;
        }
        Ok(())
    }
}
