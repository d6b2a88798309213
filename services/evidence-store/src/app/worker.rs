//! The sealing worker: whatever has ended gets sealed, by this process or, after a crash, by the next. Each exhibit goes its own
//! way: one that waits, or is read back for a long time, never keeps another from its seal.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use chassis::Shutdown;
use chrono::{DateTime, Utc};
use ids::ExhibitId;
use tokio::{
    task::{Id, JoinSet},
    time::Instant,
};

use super::{App, Step, seal::WaitsFor};
use crate::{
    error::Error,
    metrics,
    store::{self, Wake},
};
use outbox::{Line, Scope};

/// How long a step that failed is left alone.
const AFTER_FAILURE: Duration = Duration::from_secs(10);
/// How often an addendum looks whether its parent is sealed.
const AFTER_PARENT: Duration = Duration::from_secs(1);
/// Notifications are only sent to who listens: this catches what was missed.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// How an exhibit's steps ended for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    /// Sealed, or its session goes on.
    Done,
    /// Segments are owed, until then at the latest.
    Owed(DateTime<Utc>),
    /// Somebody else has to do something first.
    Waits(WaitsFor),
    /// The last step failed.
    Failed,
}

/// Exhibits on their way.
#[derive(Default)]
struct UnderWay {
    tasks: JoinSet<Rest>,
    exhibits: HashMap<Id, ExhibitId>,
    /// Those of them about whom something was heard since they were sent on their way: it may be what they found missing.
    again: HashSet<ExhibitId>,
    /// Those that are left alone for a while, and why.
    resting: HashMap<ExhibitId, (Rest, Instant)>,
}

impl App {
    /// Seals until the shutdown, or until the database is known to be behind.
    pub async fn seal_all(self, shutdown: Shutdown) {
        let listening = {
            let (app, shutdown) = (self.clone(), shutdown.clone());
            tokio::spawn(async move { app.listen(shutdown).await })
        };
        tokio::select! {
            () = self.seal_on() => {}
            () = shutdown.requested() => {}
            () = self.log.standing().lost() => {}
        }
        listening.abort();
    }

    async fn seal_on(&self) {
        self.log.standing().compared().await;
        let mut under_way = UnderWay::default();
        loop {
            if let Err(error) = self.look(&mut under_way).await {
                tracing::warn!(error = chassis::chain(&error), "sealing waits");
            }
            // Whatever ends between two looks only has to be remembered.
            loop {
                let next = under_way.next_look();
                let owed_until = under_way.owed_until();
                tokio::select! {
                    () = self.waiting.wake.notified() => break,
                    () = tokio::time::sleep_until(next) => break,
                    () = self.clock.sleep_until(owed_until) => break,
                    Some(ended) = under_way.tasks.join_next_with_id() => {
                        if under_way.ended(ended) {
                            break;
                        }
                        self.waiting.set_owed(under_way.owed_until() < DateTime::<Utc>::MAX_UTC);
                    }
                }
            }
        }
    }

    /// Sends on their way all that have ended, don't rest and aren't on it.
    async fn look(&self, under_way: &mut UnderWay) -> Result<(), Error> {
        // A segment that comes in while we look must not go unheard.
        self.waiting.set_owed(true);
        let mut tx = self.store.begin("unsealed", Scope::All).await?;
        let unsealed = store::unsealed(&mut tx).await?;
        drop(tx);
        let (covered, answers) = self.waiting.take_news();
        let now = Instant::now();
        under_way.resting.retain(|_, (rest, until)| match rest {
            Rest::Done | Rest::Owed(_) => false,
            Rest::Waits(WaitsFor::Log) => !covered && *until > now,
            Rest::Waits(WaitsFor::Authority(_)) => !answers && *until > now,
            Rest::Waits(WaitsFor::Parent) | Rest::Failed => *until > now,
        });
        let busy: HashSet<ExhibitId> = under_way.exhibits.values().copied().collect();
        for (id, ended) in unsealed {
            if busy.contains(&id) {
                under_way.again.insert(id);
            } else if ended && !under_way.resting.contains_key(&id) {
                let app = self.clone();
                let task = under_way.tasks.spawn(async move { app.seal_one(id).await });
                under_way.exhibits.insert(task.id(), id);
            }
        }
        under_way.measure();
        Ok(())
    }

    /// Takes one exhibit as far as it can go now.
    async fn seal_one(&self, id: ExhibitId) -> Rest {
        loop {
            match self.step(id).await {
                Ok(Step::Done) => {}
                Ok(Step::Sealed | Step::SessionNotEnded) => return Rest::Done,
                Ok(Step::WaitUntil(when)) => {
                    self.say(id, "segments that were recorded and have not come yet").await;
                    return Rest::Owed(when);
                }
                Ok(Step::Waits(what)) => return Rest::Waits(what),
                Err(error) => {
                    if error.is_away() {
                        tracing::warn!(exhibit = %id, error = chassis::chain(&error), "sealing waits");
                    } else {
                        tracing::error!(exhibit = %id, error = chassis::chain(&error), "can't seal");
                        self.say(id, waits_for_a_person(&error)).await;
                    }
                    return Rest::Failed;
                }
            }
        }
    }

    /// Says what an exhibit waits for. That it can't be said changes nothing for the exhibit.
    async fn say(&self, id: ExhibitId, what: &str) {
        if let Err(error) = self.set_waits_for(id, what).await {
            tracing::debug!(exhibit = %id, error = chassis::chain(&error), "can't say what sealing waits for");
        }
    }

    /// Hears what whichever process tells: of sessions that ended, of the log's growth, of entries for it.
    async fn listen(&self, shutdown: Shutdown) {
        loop {
            let listened: Result<(), sqlx::Error> = async {
                let mut line = Line::open(self.store.pool(), Wake::CHANNEL).await?;
                // What was told before we listened.
                self.waiting.log_covers_more();
                self.log.wake.notify_one();
                loop {
                    match Wake::parse(line.hear().await?.payload()) {
                        Some(Wake::Log) => self.log.wake.notify_one(),
                        Some(Wake::Covered) => self.waiting.log_covers_more(),
                        Some(Wake::Sealing) | None => self.waiting.wake.notify_one(),
                    }
                }
            }
            .await;
            if let Err(error) = listened {
                tracing::debug!(%error, "not listening");
            }
            if shutdown.or(tokio::time::sleep(Duration::from_secs(1))).await.is_none() {
                return;
            }
        }
    }
}

fn waits_for_a_person(error: &Error) -> &'static str {
    match error {
        Error::Damaged { .. } => "a person: a part of what was recorded can't be read back as it was acknowledged",
        _ => "a person: sealing failed, and the service's log says why",
    }
}

impl UnderWay {
    /// Remembers how one rests; true if it is to be looked at again at once.
    fn ended(&mut self, ended: Result<(Id, Rest), tokio::task::JoinError>) -> bool {
        let (id, rest) = match ended {
            Ok(ended) => ended,
            Err(error) => {
                tracing::error!(%error, "sealing ended badly");
                (error.id(), Rest::Failed)
            }
        };
        let Some(exhibit) = self.exhibits.remove(&id) else { return false };
        let again = self.again.remove(&exhibit);
        let pause = match rest {
            Rest::Done => return again,
            Rest::Owed(_) | Rest::Waits(_) if again => return true,
            Rest::Owed(_) | Rest::Waits(WaitsFor::Log) => LOOK_AGAIN,
            Rest::Waits(WaitsFor::Authority(pause)) => pause,
            Rest::Waits(WaitsFor::Parent) => AFTER_PARENT,
            Rest::Failed => AFTER_FAILURE,
        };
        self.resting.insert(exhibit, (rest, Instant::now() + pause));
        false
    }

    /// When somebody's rest is over. By the machine's uptime: nobody's clock can put it off.
    fn next_look(&self) -> Instant {
        let latest = Instant::now() + LOOK_AGAIN;
        self.resting.values().map(|(_, until)| *until).min().map_or(latest, |first| first.min(latest))
    }

    /// When the first of those who are owed segments has waited long enough.
    fn owed_until(&self) -> DateTime<Utc> {
        let owed = |(rest, _): &(Rest, Instant)| if let Rest::Owed(until) = rest { Some(*until) } else { None };
        self.resting.values().filter_map(owed).min().unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    fn measure(&self) {
        let count = |what: fn(&Rest) -> bool| self.resting.values().filter(|(rest, _)| what(rest)).count() as u64;
        let counts = [
            ("authority", count(|rest| matches!(rest, Rest::Waits(WaitsFor::Authority(_))))),
            ("log", count(|rest| matches!(rest, Rest::Waits(WaitsFor::Log)))),
            ("parent", count(|rest| matches!(rest, Rest::Waits(WaitsFor::Parent)))),
            ("segments", count(|rest| matches!(rest, Rest::Owed(_)))),
            ("failed", count(|rest| matches!(rest, Rest::Failed))),
        ];
        for (what, count) in counts {
            metrics::sealing_waits(what, count);
        }
    }
}
