//! What an audit found, in words.

use std::fmt;

use chrono::DateTime;
use serde::Serialize;

use super::files::Files;
use crate::{
    sha256::Digest,
    tlog::{Entry, Error},
    verify::{Failure, write_findings},
};

/// How many entries of each kind there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Exhibits sealed.
    pub seals: u64,
    /// Chain heads of open exhibits.
    pub heads: u64,
    /// Heads of logs of access.
    pub accesses: u64,
    /// Exhibits disposed of.
    pub tombstones: u64,
}

/// The findings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whose log it must be: the name of the key that was given.
    pub log: String,
    /// Number of entries that the checkpoint covers; none if the checkpoint can't be believed.
    pub size: Option<u64>,
    /// Its root.
    pub root: Option<Digest>,
    /// The entries, by kind.
    pub count: Counts,
    /// Each witness that cosigned, and when it says it did, in seconds since 1970.
    pub cosigned: Vec<(String, u64)>,
    /// Size of the older checkpoint that this log was shown to begin with.
    pub older: Option<u64>,
    /// What was proved.
    pub proved: Vec<String>,
    /// What was not, and why.
    pub not_proved: Vec<String>,
    /// What is wrong; empty if nothing is.
    pub failures: Vec<Failure>,
}

impl Counts {
    pub(super) fn add(&mut self, entry: &Entry) {
        *match entry {
            Entry::Seal { .. } => &mut self.seals,
            Entry::Heads { .. } => &mut self.heads,
            Entry::Access { .. } => &mut self.accesses,
            Entry::Tombstone { .. } => &mut self.tombstones,
        } += 1;
    }
}

impl Report {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_intact(&self) -> bool {
        self.failures.is_empty()
    }

    pub(super) fn fail(&mut self, file: &str, what: &str) {
        let failure = Failure { file: plain(file), what: plain(what) };
        if !self.failures.contains(&failure) {
            self.failures.push(failure);
        }
    }

    /// As [`Report::fail`], for a place that can't go on.
    pub(super) fn failed<T>(&mut self, file: &str, error: &Error) -> Option<T> {
        self.fail(file, &error.to_string());
        None
    }

    /// Says what all this amounts to, once every check has been made.
    pub(super) fn conclude(&mut self, files: &Files) {
        let plural = |n: usize| if n == 1 { "file" } else { "files" };
        if let (true, Some(size), Some(root)) = (self.failures.is_empty(), self.size, self.root) {
            let Counts { seals, heads, accesses, tombstones } = self.count;
            self.proved.push(format!("The checkpoint is signed by the key of {} that you gave.", self.log));
            self.proved.push(format!(
                "Its root ({root}) was recomputed from all {size} entries: {seals} seals, {heads} chain heads, {accesses} heads of \
                 access logs, {tombstones} disposals. Each is well-formed."
            ));
            let n = files.count() - files.beyond(size);
            self.proved
                .push(format!("All {n} {} of tiles, whole and partial, of every level agree with them.", plural(n)));
            for (witness, at) in &self.cosigned {
                self.proved
                    .push(format!("{witness} says it saw this tree, and no other of the kind, at {}.", time(*at)));
            }
            if let Some(older) = self.older {
                self.proved.push(format!(
                    "Its first {older} entries are those of the older checkpoint: nothing in them was changed or removed."
                ));
            }
            let beyond = files.beyond(size);
            if beyond > 0 {
                self.not_proved.push(format!(
                    "Anything of entries after the checkpoint: {beyond} {} hold some, which only a later checkpoint covers.",
                    plural(beyond)
                ));
            }
        } else {
            self.not_proved.push("That this is the log that was signed: see what is wrong with it.".to_owned());
        }
        if self.cosigned.is_empty() {
            self.not_proved.push(
                "That nobody was shown another tree under the same name: no witness's key was given (--witness-key), or it did not cosign."
                    .to_owned(),
            );
        }
        if self.older.is_none() {
            self.not_proved
                .push("That this continues what you saw before: no older checkpoint was given (--older).".to_owned());
        }
        self.not_proved
            .push("That what the entries stand for exists: each names its proofs by digest only.".to_owned());
        if let [first, ..] = &files.strange[..] {
            let n = files.strange.len();
            self.not_proved.push(format!(
                "Anything about {n} {} in `tile` that can be no tile: {}",
                plural(n),
                plain(first)
            ));
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcome = if self.is_intact() { "LOG INTACT" } else { "FAILED: this is not the log that was signed" };
        writeln!(f, "{outcome}\n\n  {:9} {}", "log", self.log)?;
        if let (Some(size), Some(root)) = (self.size, self.root) {
            writeln!(f, "  {:9} {size}\n  {:9} {root}", "entries", "root")?;
        }
        write_findings(f, &self.failures, &self.proved, &self.not_proved)
    }
}

fn time(unix_seconds: u64) -> String {
    let at = i64::try_from(unix_seconds).ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    at.map_or_else(|| format!("second {unix_seconds}"), |at| at.format("%Y-%m-%d %H:%M:%S UTC").to_string())
}

/// A hostile log must not write to the reader's terminal.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
