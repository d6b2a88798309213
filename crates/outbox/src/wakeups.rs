//! News within a service: one listener on Postgres feeds everybody in the process who waits for something to change.
//!
//! What it passes on is only "look again": who is slow looks later, and never holds up a writer or another watcher. What was
//! missed while the line was down is answered by waking everybody.

use std::{
    collections::HashMap,
    hash::Hash,
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chassis::Shutdown;
use sqlx::{PgPool, postgres::PgPoolOptions};
use tokio::sync::watch;

use crate::{backoff::Backoff, line::Line};

/// The longest wait between two attempts to listen.
const BACKOFF_LIMIT: Duration = Duration::from_secs(2);

type Ears<T> = Arc<Mutex<HashMap<T, watch::Sender<()>>>>;

/// What is waited for in this process, by topic: the payload of a NOTIFY. One whose payload isn't a topic (another version's)
/// is news of all of them.
#[derive(Debug)]
pub struct Wakeups<T>(Ears<T>);

/// One watcher's ear; dropping it forgets the topic if nobody else watches it.
#[derive(Debug)]
pub struct Wakeup<T: Eq + Hash> {
    topic: T,
    news: watch::Receiver<()>,
    ears: Ears<T>,
}

impl<T> Default for Wakeups<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T> Clone for Wakeups<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Clone + Eq + Hash + FromStr> Wakeups<T> {
    /// Hears news of it from now on.
    #[must_use]
    pub fn subscribe(&self, topic: T) -> Wakeup<T> {
        let mut ears = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let news = ears.entry(topic.clone()).or_insert_with(|| watch::Sender::new(())).subscribe();
        Wakeup { topic, news, ears: self.0.clone() }
    }

    /// Listens on a channel until the shutdown, on a connection of its own beside the pool's, which goes by `name` at the
    /// server. While Postgres is away it keeps trying; then everybody looks again, for news may have been missed.
    pub async fn run(self, pool: PgPool, (channel, name): (&'static str, &'static str), shutdown: Shutdown) {
        let mut backoff = Backoff::capped(BACKOFF_LIMIT);
        loop {
            let listening = async {
                let options = pool.connect_options().as_ref().clone().application_name(name);
                let own = PgPoolOptions::new().max_connections(1).connect_lazy_with(options);
                let mut line = Line::open(&own, channel).await?;
                self.wake_all();
                backoff.reset();
                loop {
                    match line.hear().await?.payload().parse() {
                        Ok(topic) => self.wake(&topic),
                        Err(_) => self.wake_all(),
                    }
                }
            };
            let Some(ended) = shutdown.or(listening).await else { return };
            let pause = backoff.step();
            let ended: Result<(), sqlx::Error> = ended;
            if let Err(error) = ended {
                tracing::warn!(error = chassis::chain(&error), channel, ?pause, "not hearing of changes");
                self.wake_all();
            }
            if shutdown.or(tokio::time::sleep(pause)).await.is_none() {
                return;
            }
        }
    }

    fn wake(&self, topic: &T) {
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

impl<T: Eq + Hash> Wakeup<T> {
    /// Returns when there may be news since the last time.
    pub async fn news(&mut self) {
        // The sender is in the map as long as we are, so waiting can't fail.
        let _ = self.news.changed().await;
    }
}

impl<T: Eq + Hash> Drop for Wakeup<T> {
    fn drop(&mut self) {
        let mut ears = self.ears.lock().unwrap_or_else(PoisonError::into_inner);
        if ears.get(&self.topic).is_some_and(|news| news.receiver_count() <= 1) {
            ears.remove(&self.topic);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn only_the_topic_s_own_watches_wake_and_news_is_not_lost_between_looks() {
        let wakeups = Wakeups::<u32>::default();
        let (mut mine, mut other) = (wakeups.subscribe(1), wakeups.subscribe(2));
        wakeups.wake(&1);
        wakeups.wake(&1);
        mine.news().await;
        assert!(futures::poll!(std::pin::pin!(mine.news())).is_pending(), "two pieces of news, one look");
        assert!(futures::poll!(std::pin::pin!(other.news())).is_pending());
        wakeups.wake_all();
        mine.news().await;
        other.news().await;
        assert!(futures::poll!(std::pin::pin!(mine.news())).is_pending());
    }

    #[test]
    fn the_last_watch_to_go_is_forgotten() {
        let wakeups = Wakeups::<u32>::default();
        let (one, two) = (wakeups.subscribe(1), wakeups.subscribe(1));
        drop(one);
        assert_eq!(wakeups.0.lock().unwrap().len(), 1);
        drop(two);
        assert!(wakeups.0.lock().unwrap().is_empty());
    }
}
