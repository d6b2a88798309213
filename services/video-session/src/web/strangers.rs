//! Tokens that nobody holds, and wrong codes, cost a look into the database each. An address that has shown too many has the next looked
//! at one at a time, all such addresses together: it can't keep the database from others, and a phone that happens to share
//! the address (a network's, for thousands) is slowed down, not shut out.

use std::{
    future::Future,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use tokio::{sync::Semaphore, time::timeout};

use super::pace::Pace;
use crate::{error::Error, subscriber::Subscriber};

/// How long one waits for one's turn.
const PATIENCE: Duration = Duration::from_secs(2);
/// Wrong tokens and codes a minute from one address, and at once, before that.
const WRONG: u32 = 60;

/// Where wrong tokens and codes come from.
pub struct Strangers {
    wrong: Mutex<Pace<Subscriber>>,
    single_file: Semaphore,
}

impl Default for Strangers {
    fn default() -> Self {
        Self { wrong: Mutex::new(Pace::new(WRONG)), single_file: Semaphore::new(1) }
    }
}

impl Strangers {
    /// Looks a token or a code up, which came from there.
    pub(super) async fn look_up<T>(
        &self,
        from: Subscriber,
        now: DateTime<Utc>,
        look_up: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let mut turn = None;
        if self.wrong().is_spent(from, now) {
            // A semaphore that nobody closes gives way in the end, or time is up.
            turn = timeout(PATIENCE, self.single_file.acquire()).await.map_err(|_| Error::TooFast)?.ok();
        }
        let found = look_up.await;
        drop(turn);
        if matches!(found, Err(Error::TokenUnknown | Error::CodeUnknown)) {
            self.wrong().take(from, now);
        }
        found
    }

    fn wrong(&self) -> std::sync::MutexGuard<'_, Pace<Subscriber>> {
        self.wrong.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Strangers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Strangers").field("wrong", &*self.wrong()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::{future::pending, net::IpAddr};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn wrong_tokens_end_in_single_file_and_right_ones_still_pass() {
        let strangers = Strangers::default();
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let [bad, good] = [1, 2].map(|last| Subscriber::from(IpAddr::from([10, 0, 0, last])));
        let wrong = || async { Err::<(), _>(Error::TokenUnknown) };
        for _ in 0..60 {
            assert!(matches!(strangers.look_up(bad, now, wrong()).await, Err(Error::TokenUnknown)));
        }
        assert!(strangers.look_up(bad, now, async { Ok(()) }).await.is_ok(), "whoever shares the address");

        // One that takes for ever, and one behind it.
        let slow = strangers.look_up(bad, now, pending::<Result<(), Error>>());
        let behind = strangers.look_up(bad, now, async { Ok(()) });
        let other = strangers.look_up(good, now, async { Ok(()) });
        tokio::select! {
            biased;
            _ = slow => unreachable!("it never ends"),
            refused = behind => assert!(matches!(refused, Err(Error::TooFast)), "not for ever"),
        }
        assert!(other.await.is_ok(), "other addresses don't notice");
        let later = now + chrono::TimeDelta::seconds(1);
        let held = strangers.single_file.acquire().await.unwrap();
        assert!(strangers.look_up(bad, later, async { Ok(()) }).await.is_ok(), "a second later it may err once more");
        drop(held);
    }
}
