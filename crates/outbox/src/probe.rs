//! For the crash tests: the moments between two steps, at which a test may stop the world for good.

use std::{fmt, sync::Arc};

/// A moment after one step and before the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// The relay has read a batch; nothing is published.
    Claimed,
    /// The stream has acknowledged the batch; nothing is marked.
    Published,
    /// The batch is marked.
    Marked,
    /// The consumer has a message; no transaction has begun.
    Received,
    /// The inbox row is in the transaction; the handler has not run.
    Claiming,
    /// The handler has run; nothing is committed.
    Handled,
    /// The effect is committed; the message is not acknowledged.
    Committed,
}

/// Asked at each step whether the process dies here.
#[derive(Clone, Default)]
pub struct Probe(Option<Arc<dyn Fn(Step) -> bool + Send + Sync>>);

impl Probe {
    /// A probe that dies where `dies` says so: whatever reached that step never goes on.
    pub fn new(dies: impl Fn(Step) -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(dies)))
    }

    pub(crate) async fn at(&self, step: Step) {
        if let Some(dies) = &self.0
            && dies(step)
        {
            std::future::pending::<()>().await;
        }
    }
}

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Probe" } else { "no probe" })
    }
}
