//! A watch on a call, or on a force: its log from some sequence on, page by page, then whatever is added.
//!
//! One listener on Postgres feeds all watches of the process, and what it passes on is only "look again": a watch that
//! is slow reads later, and never holds up a call or another watch. Both logs are gapless to whoever reads them:
//! numbers are taken under a lock that is held until the commit, the call's row for the one and the force's for the
//! other (store/force.rs).

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chassis::Shutdown;
use ids::ForceId;
use sqlx::PgPool;
use tokio::sync::watch;

use super::{Intake, On};
use crate::{
    domain::{ForceNews, Told, Update},
    error::Error,
    store::{self, Listener, Store, Topic},
};

/// How many updates are read at once.
const PAGE: i64 = 100;

/// The longest wait between two attempts to listen.
const BACKOFF_LIMIT: Duration = Duration::from_secs(2);

type Ears = Arc<Mutex<HashMap<Topic, watch::Sender<()>>>>;

/// The watches of this process.
#[derive(Debug, Clone, Default)]
pub struct Wakeups(Ears);

/// One watch's ear; dropping it forgets the topic if nobody else watches it.
#[derive(Debug)]
pub struct Wakeup {
    topic: Topic,
    news: watch::Receiver<()>,
    ears: Ears,
}

/// What a watch reads.
pub trait Log: Send + Sync {
    /// What it tells.
    type Update: Send;

    /// The next page of what came after that sequence, oldest first.
    fn after(&self, sequence: u64) -> impl Future<Output = Result<Vec<Told<Self::Update>>, Error>> + Send;

    /// Nothing will ever come after that sequence.
    fn ends_at(&self, sequence: u64) -> impl Future<Output = Result<bool, Error>> + Send;
}

/// The log of a call: it ends with the call.
#[derive(Debug)]
pub struct CallLog {
    store: Store,
    on: On,
}

/// The log of a force: it has no end.
#[derive(Debug)]
pub struct ForceLog {
    store: Store,
    force: ForceId,
}

/// A log being watched.
#[derive(Debug)]
pub struct Watch<L: Log> {
    log: L,
    wakeup: Wakeup,
    after: u64,
    page: VecDeque<Told<L::Update>>,
}

impl Intake {
    /// All that happens to the call after that sequence.
    ///
    /// # Errors
    /// Unknown, or the database is away.
    pub async fn watch_call(&self, on: On, after: u64) -> Result<Watch<CallLog>, Error> {
        // The ear first, then the look: nothing can fall between.
        let wakeup = self.wakeups.subscribe(Topic::Call(on.call));
        self.store.call(&on.force, on.call).await?.ok_or(Error::UnknownCall)?;
        Ok(Watch { log: CallLog { store: self.store.clone(), on }, wakeup, after, page: VecDeque::new() })
    }

    /// What the force's control room must see of all its calls, after that sequence.
    #[must_use]
    pub fn watch_force(&self, force: ForceId, after: u64) -> Watch<ForceLog> {
        let wakeup = self.wakeups.subscribe(Topic::Force(force.clone()));
        Watch { log: ForceLog { store: self.store.clone(), force }, wakeup, after, page: VecDeque::new() }
    }
}

impl Log for CallLog {
    type Update = Update;

    async fn after(&self, sequence: u64) -> Result<Vec<Told>, Error> {
        Ok(store::updates_after(&self.store, (&self.on.force, self.on.call), sequence, PAGE).await?)
    }

    async fn ends_at(&self, sequence: u64) -> Result<bool, Error> {
        let call = self.store.call(&self.on.force, self.on.call).await?.ok_or(Error::UnknownCall)?;
        Ok(call.is_over() && sequence >= call.told)
    }
}

impl Log for ForceLog {
    type Update = ForceNews;

    async fn after(&self, sequence: u64) -> Result<Vec<Told<ForceNews>>, Error> {
        Ok(store::force_updates_after(&self.store, &self.force, sequence, PAGE).await?)
    }

    async fn ends_at(&self, _: u64) -> Result<bool, Error> {
        Ok(false)
    }
}

impl<L: Log> Watch<L> {
    /// The next update; waits for it. `None` once nothing more is to come.
    ///
    /// # Errors
    /// The database is away: the watch is to be taken up again from the last sequence.
    pub async fn next(&mut self) -> Result<Option<Told<L::Update>>, Error> {
        loop {
            if let Some(told) = self.page.pop_front() {
                self.after = told.sequence;
                return Ok(Some(told));
            }
            self.page = self.log.after(self.after).await?.into();
            if !self.page.is_empty() {
                continue;
            }
            if self.log.ends_at(self.after).await? {
                return Ok(None);
            }
            // What was added since the look wakes at once.
            self.wakeup.news().await;
        }
    }
}

impl Wakeups {
    /// Hears news of it from now on.
    #[must_use]
    pub fn subscribe(&self, topic: Topic) -> Wakeup {
        let mut ears = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let news = ears.entry(topic.clone()).or_insert_with(|| watch::Sender::new(())).subscribe();
        Wakeup { topic, news, ears: self.0.clone() }
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
                        Ok(Some(topic)) => self.wake(&topic),
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

    fn wake(&self, topic: &Topic) {
        if let Some(news) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(topic) {
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
        let mut ears = self.ears.lock().unwrap_or_else(PoisonError::into_inner);
        if ears.get(&self.topic).is_some_and(|news| news.receiver_count() <= 1) {
            ears.remove(&self.topic);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(n: u128) -> Topic {
        Topic::Call(uuid::Uuid::from_u128(n).into())
    }

    #[tokio::test]
    async fn only_the_topic_s_own_watches_wake_and_news_is_not_lost_between_looks() {
        let wakeups = Wakeups::default();
        let (mut mine, mut other) = (wakeups.subscribe(call(1)), wakeups.subscribe(call(2)));
        wakeups.wake(&call(1));
        wakeups.wake(&call(1));
        mine.news().await;
        assert!(futures::poll!(std::pin::pin!(mine.news())).is_pending(), "two pieces of news, one look");
        assert!(futures::poll!(std::pin::pin!(other.news())).is_pending());
        wakeups.wake_all();
        mine.news().await;
        other.news().await;
        // A force is another topic than any call.
        let mut force = wakeups.subscribe(Topic::Force("wmp".parse().unwrap()));
        wakeups.wake(&Topic::Force("wmp".parse().unwrap()));
        force.news().await;
        assert!(futures::poll!(std::pin::pin!(mine.news())).is_pending());
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
