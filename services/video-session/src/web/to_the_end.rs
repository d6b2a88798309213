//! hyper drops a handler whose client hangs up, wherever it is. What must not be left half done runs by itself.

use std::future::Future;

use tracing::Instrument;

use crate::{error::Error, media::MediaError};

/// Does all of it, whether anybody waits for the outcome or not.
pub(super) async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::spawn(work.in_current_span()).await;
    // It ends early only with the process.
    done.unwrap_or_else(|_| Err(MediaError::ShuttingDown.into()))
}
