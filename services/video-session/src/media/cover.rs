//! Cover: nothing of the others goes to a caller who has covered the call, and nothing is recorded meanwhile unless it may be.
//!
//! Carried out here and at once, with the database away as well. The page has silenced itself before it asked: this is for what is on
//! its way to it, and for the recording, which is nobody's but ours. What the rows say of it comes here, too, and never undoes a tap
//! that they haven't heard of yet: taps are counted.

use std::time::Instant;

use chrono::{DateTime, Utc};
use ids::{ParticipantId, SessionId};

use super::{
    MediaEvent,
    engine::Engine,
    peer::{Peer, Role},
};
use crate::domain::{Covering, Recording, Tap};

/// What a caller's page has said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tapped {
    /// In which session.
    pub session: SessionId,
    /// Whose page.
    pub caller: ParticipantId,
    /// What it shows.
    pub tap: Tap,
    /// As the page counts it.
    pub n: u32,
    /// When it was heard.
    pub at: DateTime<Utc>,
}

/// A session's cover, as far as it was tapped or said here.
#[derive(Debug, Default)]
pub(super) struct Cover {
    is_on: bool,
    caller: Option<ParticipantId>,
    /// The newest that was heard of.
    n: u32,
    /// It is recorded while it is on, too.
    is_recorded: bool,
}

impl Cover {
    fn hides_from(&self, viewer: ParticipantId) -> bool {
        self.is_on && self.caller == Some(viewer)
    }
}

impl Engine {
    /// A caller's page says what it shows. False: that was known, or overtaken.
    pub(super) fn tap(&mut self, now: Instant, tapped: Tapped) -> bool {
        let Tapped { session, caller, tap, n, .. } = tapped;
        let known = self.covers.entry(session).or_default();
        let (is_new, is_on) = (n > known.n, tap == Tap::Away);
        let changes = is_new && known.is_on != is_on;
        if is_new {
            self.cover(now, session, |cover| (cover.n, cover.caller, cover.is_on) = (n, Some(caller), is_on));
        }
        if changes {
            self.tell([MediaEvent::Covered { tapped, recording: self.recorded(session) }]);
        }
        changes
    }

    /// The rows say how it stands. Where it was tapped here before, this is news as well: the caller has come in anew, or was sent
    /// away.
    pub(super) fn covering(&mut self, now: Instant, said: Covering) {
        let Covering { session, is_on, n, .. } = said;
        let known = self.covers.entry(session).or_default();
        let (is_newer, caller) = (n > known.n, said.caller.or(known.caller));
        let is_news = is_newer && known.n > 0 && known.is_on != is_on;
        self.cover(now, session, |cover| {
            cover.is_recorded = said.is_recorded;
            if is_newer {
                (cover.n, cover.caller, cover.is_on) = (n, caller, is_on);
            }
        });
        if let Some(caller) = caller.filter(|_| is_news) {
            let tap = if is_on { Tap::Away } else { Tap::Back };
            let tapped = Tapped { session, caller, tap, n, at: self.clock.now() };
            self.tell([MediaEvent::Covered { tapped, recording: self.recorded(session) }]);
        }
    }

    /// Does nothing of the others go to this viewer?
    pub(super) fn hides(&self, session: SessionId, viewer: ParticipantId) -> bool {
        self.covers.get(&session).is_some_and(|cover| cover.hides_from(viewer))
    }

    /// How a session is recorded at this moment.
    pub(super) fn recorded(&self, session: SessionId) -> Recording {
        let ordered = self.recording.get(&session).copied().unwrap_or(Recording::On);
        let is_withheld = self.covers.get(&session).is_some_and(|cover| cover.is_on && !cover.is_recorded);
        if is_withheld { ordered.max(Recording::Paused) } else { ordered }
    }

    fn cover(&mut self, now: Instant, session: SessionId, change: impl FnOnce(&mut Cover)) {
        let before = self.recorded(session);
        let cover = self.covers.entry(session).or_default();
        change(cover);
        for peer in self.peers.values_mut() {
            if let Peer { role: Role::Viewer(viewer), participant, .. } = peer
                && viewer.seat.session() == session
            {
                viewer.hide(cover.hides_from(*participant));
            }
        }
        let after = self.recorded(session);
        if after != before {
            self.carry_out(now, session, after);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::bare::{engine, participant, session},
        *,
    };

    #[test]
    fn the_rows_never_undo_a_tap_that_they_have_not_heard_of() {
        let ((mut engine, mut events), now) = (engine(), Instant::now());
        let [caller, other] = [1, 2].map(participant);
        let tapped = |tap, n| Tapped { session: session(), caller, tap, n, at: DateTime::UNIX_EPOCH };
        let rows = |is_on, n, is_recorded| Covering { session: session(), caller: Some(caller), is_on, n, is_recorded };
        engine.covering(now, rows(false, 0, false));
        assert!(engine.tap(now, tapped(Tap::Away, 3)));
        engine.covering(now, rows(false, 2, false));
        assert!(engine.hides(session(), caller) && !engine.hides(session(), other));
        assert_eq!(engine.recorded(session()), Recording::Paused);
        assert!(!engine.tap(now, tapped(Tap::Away, 3)) && !engine.tap(now, tapped(Tap::Back, 2)));
        engine.covering(now, rows(true, 3, true));
        assert_eq!(engine.recorded(session()), Recording::On, "they agree to it");
        engine.covering(now, rows(false, 4, true));
        assert!(!engine.hides(session(), caller), "they came in anew");
        engine.covering(now, rows(false, 4, true));
        let told = std::iter::from_fn(|| events.try_recv().ok()).filter_map(|event| match event {
            MediaEvent::Covered { tapped, recording } => Some((tapped.tap, tapped.n, recording)),
            _ => None,
        });
        assert_eq!(told.collect::<Vec<_>>(), [(Tap::Away, 3, Recording::Paused), (Tap::Back, 4, Recording::On)]);
    }
}
