//! Who listens to the events, and how often. A page listens once; but one whose phone has changed its network leaves a stream behind
//! that isn't known to be dead for minutes. So the newest few go on, and the oldest gives way: nobody is kept out.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ids::ParticipantId;
use tokio_util::sync::CancellationToken;

/// Streams of one participant.
const MOST: usize = 4;

/// The streams that are open. Clones are the same ones.
#[derive(Debug, Clone, Default)]
pub struct Listeners(Arc<Mutex<HashMap<ParticipantId, Vec<Arc<CancellationToken>>>>>);

/// One stream's place, until dropped.
pub(super) struct Listener {
    all: Listeners,
    who: ParticipantId,
    over: Arc<CancellationToken>,
}

impl Listeners {
    /// One more.
    pub(super) fn admit(&self, who: ParticipantId) -> Listener {
        let over = Arc::new(CancellationToken::new());
        let mut all = self.open();
        let theirs = all.entry(who).or_default();
        if theirs.len() >= MOST {
            theirs.remove(0).cancel();
        }
        theirs.push(over.clone());
        drop(all);
        Listener { all: self.clone(), who, over }
    }

    /// Does any page of theirs listen?
    pub(super) fn hears(&self, who: ParticipantId) -> bool {
        self.open().contains_key(&who)
    }

    /// They go: nothing of theirs listens any more, whatever becomes of its connection.
    pub(super) fn end(&self, who: ParticipantId) {
        for one in self.open().remove(&who).unwrap_or_default() {
            one.cancel();
        }
    }

    fn open(&self) -> MutexGuard<'_, HashMap<ParticipantId, Vec<Arc<CancellationToken>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listener {
    /// Until a newer stream needs its place.
    pub(super) fn over(&self) -> impl Future<Output = ()> + Send + use<> {
        CancellationToken::clone(&self.over).cancelled_owned()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut all = self.all.open();
        if let Some(theirs) = all.get_mut(&self.who) {
            theirs.retain(|one| !Arc::ptr_eq(one, &self.over));
            if theirs.is_empty() {
                all.remove(&self.who);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn the_oldest_of_ones_own_gives_way() {
        let listeners = Listeners::default();
        let [one, other] = [1, 2].map(|number| ParticipantId::from(Uuid::from_u128(number)));
        let is_over = |listener: &Listener| listener.over().now_or_never().is_some();
        let others = listeners.admit(other);
        let mut streams: Vec<_> = (0..=MOST).map(|_| listeners.admit(one)).collect();
        assert_eq!(streams.iter().map(is_over).collect::<Vec<_>>(), [true, false, false, false, false]);
        streams.pop();
        streams.push(listeners.admit(one));
        assert_eq!(streams.iter().filter(|stream| is_over(stream)).count(), 1, "a place that is free is taken first");
        assert!(!is_over(&others));
        listeners.end(one);
        assert!(!listeners.hears(one) && listeners.hears(other) && streams.iter().all(is_over));
        drop((streams, others));
        assert!(listeners.open().is_empty(), "nothing is remembered of those who left");
    }
}
