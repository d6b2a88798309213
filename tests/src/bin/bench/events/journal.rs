//! When each event's effect was committed, told by the consumer's own probe: the handler knows which event it is, and
//! the probe, asked on the same task, when its transaction was over.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use outbox::{
    Delivery, Failure as Unhandled, Handler, Tx,
    probe::{Probe, Step},
};
use tokio::{sync::Notify, task};

use crate::Failure;

/// The times, by the event's number.
pub struct Journal {
    committed: Vec<OnceLock<Instant>>,
    handling: Mutex<HashMap<task::Id, usize>>,
    count: AtomicUsize,
    full: Notify,
}

impl Journal {
    /// For events 0 to `size`, exclusive.
    pub fn new(size: usize) -> Arc<Self> {
        let committed = (0..size).map(|_| OnceLock::new()).collect();
        Arc::new(Self { committed, handling: Mutex::default(), count: AtomicUsize::new(0), full: Notify::new() })
    }

    /// For the consumer whose handler is an [`Effect`] of this journal. It never stops anything.
    pub fn probe(self: &Arc<Self>) -> Probe {
        let journal = Arc::clone(self);
        Probe::new(move |step| {
            if step == Step::Committed {
                journal.committed();
            }
            false
        })
    }

    fn handling(&self, number: usize) {
        if let Some(task) = task::try_id() {
            self.handling.lock().unwrap_or_else(PoisonError::into_inner).insert(task, number);
        }
    }

    fn committed(&self) {
        let now = Instant::now();
        let task = task::try_id();
        let number = task.and_then(|task| self.handling.lock().unwrap_or_else(PoisonError::into_inner).remove(&task));
        // None: an event that an earlier journal has seen already.
        let Some(place) = number.and_then(|number| self.committed.get(number)) else { return };
        if place.set(now).is_ok() && self.count.fetch_add(1, Ordering::Relaxed) + 1 == self.committed.len() {
            self.full.notify_one();
        }
    }

    /// How many have had their effect.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Waits until all have.
    pub async fn full(&self, patience: Duration) -> Result<(), Failure> {
        if tokio::time::timeout(patience, self.full.notified()).await.is_ok() {
            return Ok(());
        }
        Err(format!("after {patience:?} {} of {} events had their effect", self.count(), self.committed.len()).into())
    }

    /// When each had its effect.
    pub fn effects(&self) -> Vec<Instant> {
        self.committed.iter().filter_map(|place| place.get().copied()).collect()
    }
}

/// A payload that says which event it is.
pub fn payload(number: usize, size: usize) -> Vec<u8> {
    let mut payload = (number as u64).to_be_bytes().to_vec();
    payload.resize(size, 7);
    payload
}

/// One row an event.
pub struct Effect(pub Arc<Journal>);

impl Handler for Effect {
    async fn handle(&self, tx: &mut Tx, delivery: &Delivery) -> Result<(), Unhandled> {
        let number = delivery.payload.first_chunk::<8>().map(|bytes| u64::from_be_bytes(*bytes));
        let number = number.and_then(|number| usize::try_from(number).ok());
        self.0.handling(number.ok_or_else(|| Unhandled::Poison("no number".into()))?);
        sqlx::query("insert into effects (call, version, payload) values ($1, $2, $3)")
            .bind(delivery.call.uuid())
            .bind(i64::try_from(delivery.version).unwrap_or(i64::MAX))
            .bind(delivery.payload.as_ref())
            .execute(&mut **tx)
            .await?;
        Ok(())
    }
}
