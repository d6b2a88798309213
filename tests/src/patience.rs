//! A stream on which what is waited for never comes is as open as one on which it is about to: nobody waits for ever.

use std::time::Duration;

use tonic::Status;

/// What takes longer than this, on however busy a machine, never comes.
const PATIENCE: Duration = Duration::from_secs(60);

/// What comes of it.
///
/// # Errors
/// Its own, and `DEADLINE_EXCEEDED` when it takes too long: with what never came.
pub(crate) async fn in_time<T>(what: &str, coming: impl Future<Output = Result<T, Status>>) -> Result<T, Status> {
    let late = |_| Err(Status::deadline_exceeded(format!("{what} never came")));
    tokio::time::timeout(PATIENCE, coming).await.unwrap_or_else(late)
}
