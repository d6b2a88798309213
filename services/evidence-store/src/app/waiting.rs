//! What the sealing worker and the archiver are woken by.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::sync::{Notify, watch};

/// The sealing worker and the archiver, and what they wait for. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Waiting {
    /// Wakes the worker.
    pub wake: Arc<Notify>,
    /// Wakes the archiver: something is sealed, or the index knows where a seal or a tombstone lies.
    pub archive: Arc<Notify>,
    /// A segment may be what it waits for.
    pub owed: Arc<AtomicBool>,
    covered: Arc<AtomicBool>,
    /// Counts how often the log came to cover more, for whoever waits for that.
    coverage: Arc<watch::Sender<u64>>,
    answers: Arc<AtomicBool>,
}

impl Waiting {
    /// Whether a segment may be what it waits for.
    pub fn set_owed(&self, owed: bool) {
        self.owed.store(owed, Ordering::Relaxed);
    }

    /// A checkpoint covers more of the log than before.
    pub fn log_covers_more(&self) {
        self.covered.store(true, Ordering::Release);
        self.coverage.send_modify(|times| *times += 1);
        self.wake.notify_one();
    }

    /// Changes whenever the log covers more.
    #[must_use]
    pub fn coverage(&self) -> watch::Receiver<u64> {
        self.coverage.subscribe()
    }

    /// The timestamp authority, which did not, answers.
    pub fn authority_answers(&self) {
        self.answers.store(true, Ordering::Release);
        self.wake.notify_one();
    }

    /// Whether the log covers more, and whether the authority answers again, since this was last asked.
    #[must_use]
    pub fn take_news(&self) -> (bool, bool) {
        (self.covered.swap(false, Ordering::AcqRel), self.answers.swap(false, Ordering::AcqRel))
    }
}
