//! A watch on a call: the log from some sequence on, page by page, then whatever is added.
//!
//! One listener on Postgres feeds all watches of the process, and what
//! it passes on is only "look again": a watch that is slow reads later, and never holds up the call or another watch.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chassis::Shutdown;
use ids::CallId;
use sqlx::PgPool;
use tokio::sync::watch;

use super::On;
use crate::{
    domain::Told,
    error::Error,
    store::{self, Listener, Store},
};

/// How many updates are read at once.
const PAGE: i64 = 100;

/// The longest wait between two attempts to listen.
const BACKOFF_LIMIT: Duration = Duration::from_secs(2);

type Calls = Arc<Mutex<HashMap<CallId, watch::Sender<()>>>>;

/// The watches of this process.
#[derive(Debug, Clone, Default)]
pub struct Wakeups(Calls);

/// One watch's ear; dropping it forgets the call if nobody else watches it.
#[derive(Debug)]
pub struct Wakeup {
    call: CallId,
    news: watch::Receiver<()>,
    calls: Calls,
}

/// A call being watched.
#[derive(Debug)]
pub struct CallWatch {
    store: Store,
    wakeup: Wakeup,
    on: On,
    after: u64,
    page: VecDeque<Told>,
}

impl CallWatch {
    pub(super) fn new(store: Store, wakeup: Wakeup, on: On, after: u64) -> Self {
        Self { store, wakeup, on, after, page: VecDeque::new() }
    }

    /// The next update; waits for it. `None` once the call is over and all of it was told.
    ///
    /// # Errors
    /// The database is away: the watch is to be taken up again from the last sequence.
    pub async fn next(&mut self) -> Result<Option<Told>, Error> {
        loop {
            if let Some(told) = self.page.pop_front() {
                self.after = told.sequence;
                return Ok(Some(told));
            }
            self.page = store::updates_after(&self.store, self.on.call, self.after, PAGE).await?.into();
            if !self.page.is_empty() {
                continue;
            }
            let call = self.store.call(&self.on.force, self.on.call).await?.ok_or(Error::UnknownCall)?;
            if self.after < call.told {
                continue;
            }
            if call.is_over() {
                return Ok(None);
            }
            self.wakeup.news().await;
        }
    }
}

impl Wakeups {
    /// Hears news of a call from now on.
    #[must_use]
    pub fn subscribe(&self, call: CallId) -> Wakeup {
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let news = calls.entry(call).or_insert_with(|| watch::Sender::new(())).subscribe();
        Wakeup { call, news, calls: self.0.clone() }
    }

    /// Listens until the shutdown. While Postgres is away it keeps trying; then everybody looks again, for news may
    /// have been missed.
    pub async fn run(self, pool: PgPool, shutdown: Shutdown) {
        let mut backoff = Duration::from_millis(50);
        loop {
            let listening = async {
                let mut listener = Listener::start(&pool).await?;
                self.wake_all();
                backoff = Duration::from_millis(50);
                loop {
                    match listener.next().await {
                        Ok(Some(call)) => self.wake(call),
                        Ok(None) => self.wake_all(),
                        Err(error) => return Err::<(), _>(error),
                    }
                }
            };
            let Some(ended) = shutdown.or(listening).await else { return };
            if let Err(error) = ended {
                tracing::warn!(error = chassis::chain(&error), ?backoff, "not hearing of new updates");
                self.wake_all();
            }
            if shutdown.or(tokio::time::sleep(backoff)).await.is_none() {
                return;
            }
            backoff = (backoff * 2).min(BACKOFF_LIMIT);
        }
    }

    fn wake(&self, call: CallId) {
        if let Some(news) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&call) {
            news.send_replace(());
        }
    }

    fn wake_all(&self) {
        for news in self.0.lock().unwrap_or_else(PoisonError::into_inner).values() {
            news.send_replace(());
        }
    }
}

impl Wakeup {
    /// Returns when there may be news since the last time.
    pub async fn news(&mut self) {
        // The sender is in the map as long as we are, so waiting can't fail.
        let _ = self.news.changed().await;
    }
}

impl Drop for Wakeup {
    fn drop(&mut self) {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        if calls.get(&self.call).is_some_and(|news| news.receiver_count() <= 1) {
            calls.remove(&self.call);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(n: u128) -> CallId {
        CallId::from(uuid::Uuid::from_u128(n))
    }

    #[tokio::test]
    async fn only_the_call_s_own_watches_wake_and_news_is_not_lost_between_looks() {
        let wakeups = Wakeups::default();
        let (mut mine, mut other) = (wakeups.subscribe(call(1)), wakeups.subscribe(call(2)));
        wakeups.wake(call(1));
        wakeups.wake(call(1));
        mine.news().await;
        assert!(futures::poll!(std::pin::pin!(mine.news())).is_pending(), "two pieces of news, one look");
        assert!(futures::poll!(std::pin::pin!(other.news())).is_pending());
        wakeups.wake_all();
        mine.news().await;
        other.news().await;
    }

    #[test]
    fn the_last_watch_to_go_is_forgotten() {
        let wakeups = Wakeups::default();
        let (one, two) = (wakeups.subscribe(call(1)), wakeups.subscribe(call(1)));
        drop(one);
        assert_eq!(wakeups.0.lock().unwrap().len(), 1);
        drop(two);
        assert!(wakeups.0.lock().unwrap().is_empty());
    }
}
