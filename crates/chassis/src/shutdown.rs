//! The wish to stop, passed to everything that runs. SIGTERM or SIGINT asks once; what hears it drains and returns.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Heard by whatever runs until it is told to stop. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Shutdown(CancellationToken);

/// Asks for the shutdown: the signal handler's, or a test's, hand on the switch. Dropping it asks for nothing.
#[derive(Debug, Clone)]
pub struct ShutdownTrigger(CancellationToken);

impl Shutdown {
    /// A shutdown that a test asks for.
    #[must_use]
    pub fn manual() -> (ShutdownTrigger, Self) {
        let token = CancellationToken::new();
        (ShutdownTrigger(token.clone()), Self(token))
    }

    /// A shutdown that SIGTERM and SIGINT ask for. A second signal does nothing more: draining has its own limits.
    ///
    /// # Errors
    /// When the signal handlers can't be installed.
    pub fn on_signals() -> std::io::Result<Self> {
        let (trigger, shutdown) = Self::manual();
        let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        tokio::spawn(async move {
            let name = tokio::select! {
                _ = term.recv() => "SIGTERM",
                _ = int.recv() => "SIGINT",
            };
            tracing::info!(signal = name, "shutting down");
            trigger.request();
        });
        Ok(shutdown)
    }

    /// Returns once the shutdown has been asked for.
    pub async fn requested(&self) {
        self.0.cancelled().await;
    }

    /// As [`Shutdown::requested`], for what must own its future.
    pub async fn requested_owned(self) {
        self.0.cancelled_owned().await;
    }

    /// Returns once `limit` has passed since the shutdown was asked for (and this was called).
    pub async fn overdue(&self, limit: Duration) {
        self.requested().await;
        tokio::time::sleep(limit).await;
    }

    /// Has it been asked for?
    #[must_use]
    pub fn is_requested(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Gives `future`'s output, or `None` if the shutdown was asked for first.
    pub async fn or<F: Future>(&self, future: F) -> Option<F::Output> {
        self.0.run_until_cancelled(future).await
    }
}

impl ShutdownTrigger {
    /// Asks for the shutdown. Asking again changes nothing.
    pub fn request(&self) {
        self.0.cancel();
    }
}
