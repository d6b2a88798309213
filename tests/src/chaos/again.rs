//! Asking again while there is no answer, as every client of ours does: with the same request id, so that it has its effect once.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};
use tonic::{Code, Status};

/// For one answer: whoever is frozen gives none.
const ANSWER: Duration = Duration::from_secs(4);
const PAUSE: Duration = Duration::from_millis(150);

/// Asks until there is an answer that asking again won't change.
///
/// # Errors
/// That answer, if it is a refusal; or the last one when it takes longer than `patience`.
pub(super) async fn again<T, F>(patience: Duration, mut ask: impl FnMut() -> F) -> Result<T, Status>
where
    F: Future<Output = Result<T, Status>>,
{
    let began = Instant::now();
    loop {
        let refusal = match timeout(ANSWER, ask()).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(status)) if passes(&status) => status,
            Ok(Err(status)) => return Err(status),
            Err(_) => Status::deadline_exceeded("no answer"),
        };
        if began.elapsed() > patience {
            return Err(refusal);
        }
        sleep(PAUSE).await;
    }
}

/// What may be otherwise in a moment. `NOT_FOUND` too: what one service knows, another hears of later.
fn passes(status: &Status) -> bool {
    matches!(
        status.code(),
        Code::Unavailable
            | Code::DeadlineExceeded
            | Code::Cancelled
            | Code::Unknown
            | Code::Internal
            | Code::NotFound
            | Code::ResourceExhausted
            | Code::Aborted
    )
}
