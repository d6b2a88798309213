//! Waiting for what gives no sign of itself: a row, a file, what another process answers. Where there is an event, a test
//! waits for that instead.

use std::{collections::BTreeMap, path::Path, time::Duration};

use crate::{Error, service::read_addresses};

/// Nothing in a test takes long; what takes longer than this, on however busy a machine, never comes.
const PATIENCE: Duration = Duration::from_secs(60);
/// Only spares the machine: what is waited for is the answer.
const PAUSE: Duration = Duration::from_millis(10);

/// Asks until there is an answer.
///
/// # Errors
/// [`Error::Late`] when there is none after a minute.
pub async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> Result<T, Error> {
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    // Around the question too: one that is never answered is as late as one that is always answered no.
    let late = |_| Error::Late { what: what.to_owned(), seconds: PATIENCE.as_secs(), log: String::new() };
    tokio::time::timeout(PATIENCE, asking).await.map_err(late)
}

/// Waits until something is so.
///
/// # Panics
/// When it isn't after a minute: the test has failed, and says what never came.
#[expect(clippy::panic, reason = "a test that waits in vain has failed; the message says for what")]
pub async fn until(what: &str, mut so: impl AsyncFnMut() -> bool) {
    let came = eventually(what, async || so().await.then_some(())).await;
    came.unwrap_or_else(|late| panic!("{late}"));
}

/// Where a service that runs in this process listens, by listener: what it writes to its `address_file` once it does.
///
/// # Errors
/// [`Error::Late`] when it never listens.
pub async fn listening(address_file: &Path) -> Result<BTreeMap<String, String>, Error> {
    eventually(&address_file.display().to_string(), async || read_addresses(address_file)).await
}
