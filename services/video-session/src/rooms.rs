//! Which WHIP and WHEP resources this process holds, and whose they are. In memory only: they die with the process.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ids::{ParticipantId, SessionId, TrackName};
use tokio::sync::watch;

use crate::{
    domain::{Raised, Tap, is_callers, publication_number},
    media::ResourceId,
    store::Named,
};

/// The register. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Rooms(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    held: Mutex<HashMap<ResourceId, Held>>,
    /// Viewers whose end was heard before they were added: their publisher had gone at that very moment. Locked after `held`.
    over: Mutex<BTreeSet<ResourceId>>,
    /// Who is shown no picture of whom, because their network carries only the sound.
    unseen: Mutex<BTreeSet<(ParticipantId, ParticipantId)>>,
    /// The newest tap of each session whose caller has covered it, or had.
    covers: Mutex<HashMap<SessionId, (u32, Tap)>>,
    /// What each caller asked last, as it was news.
    pleas: Mutex<HashMap<SessionId, Raised>>,
    changes: watch::Sender<u64>,
}

/// One resource.
#[derive(Debug, Clone)]
pub struct Held {
    /// Its session.
    pub session: SessionId,
    /// Whose it is: nobody else may touch it.
    pub participant: ParticipantId,
    /// Hash of the token it was made with: a newer token of the same person takes its place.
    pub token_hash: [u8; 32],
    /// What it does.
    pub kind: Kind,
}

/// What a resource does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// WHEP.
    Watches(
        /// Whom.
        ParticipantId,
    ),
    /// WHIP.
    Publishes {
        /// Its track.
        track: TrackName,
        /// Its first media has been seen.
        flowed: bool,
        /// ICE lost it, or it is being closed: its owner may publish anew.
        lost: bool,
        /// Its page said that the microphone is off by choice. A page says so again of whatever it publishes next.
        silent: bool,
    },
}

impl Default for Rooms {
    fn default() -> Self {
        let (held, over, unseen, covers, pleas) = Default::default();
        Self(Arc::new(Inner { held, over, unseen, covers, pleas, changes: watch::Sender::new(0) }))
    }
}

impl Rooms {
    /// A resource was made.
    pub fn add(&self, resource: ResourceId, held: Held) {
        let mut all = self.held();
        if !self.over().remove(&resource) {
            all.insert(resource, held);
        }
        drop(all);
        self.tell();
    }

    /// A viewer is gone, known here or yet to be added.
    pub fn remove(&self, resource: ResourceId) {
        let mut all = self.held();
        if all.remove(&resource).is_none() {
            self.over().insert(resource);
        }
        drop(all);
        self.tell();
    }

    /// A publication is gone.
    pub fn remove_track(&self, session: SessionId, track: &TrackName) {
        self.held().retain(|_, held| held.session != session || !held.is_of(track));
        self.tell();
    }

    /// May this participant touch the resource?
    #[must_use]
    pub fn is_owned(&self, resource: ResourceId, participant: ParticipantId) -> bool {
        self.held().get(&resource).is_some_and(|held| held.participant == participant)
    }

    /// Does this participant publish, as far as anybody can tell?
    #[must_use]
    pub fn is_publishing(&self, participant: ParticipantId) -> bool {
        let publishes = |held: &Held| matches!(held.kind, Kind::Publishes { lost: false, .. });
        self.held().values().any(|held| held.participant == participant && publishes(held))
    }

    /// The newest track of this participant's, connected or not: it is as good as lost just when there is something to say of it.
    #[must_use]
    pub fn track(&self, participant: ParticipantId) -> Option<TrackName> {
        let held = self.held();
        let tracks = held.values().filter(|held| held.participant == participant).filter_map(|held| match &held.kind {
            Kind::Publishes { track, .. } => Some(track),
            Kind::Watches(_) => None,
        });
        tracks.max_by_key(|track| publication_number(track)).cloned()
    }

    /// Is there a publication of this participant's, connected or not?
    #[must_use]
    pub fn has_publication(&self, participant: ParticipantId) -> bool {
        self.held().values().any(|held| held.participant == participant && held.kind.publishes())
    }

    /// What gives way to a new publication of this participant's: what they published and lost, what never flowed (its answer may
    /// not have got there), and what they hold by an older token (a page that was closed or reloaded).
    #[must_use]
    pub fn stale(&self, participant: ParticipantId, token_hash: [u8; 32]) -> Vec<ResourceId> {
        let dead = |held: &Held| {
            matches!(held.kind, Kind::Publishes { lost: true, .. } | Kind::Publishes { flowed: false, .. })
        };
        self.select(|held| held.participant == participant && (held.token_hash != token_hash || dead(held)))
    }

    /// By what this participant watches that one: one resource, unless an answer got lost, or somebody asks for more than a page does.
    #[must_use]
    pub fn watched_by(&self, viewer: ParticipantId, publisher: ParticipantId) -> Vec<ResourceId> {
        self.select(|held| held.participant == viewer && held.kind == Kind::Watches(publisher))
    }

    /// Everything this participant holds.
    #[must_use]
    pub fn of_participant(&self, participant: ParticipantId) -> Vec<ResourceId> {
        self.select(|held| held.participant == participant)
    }

    /// Everything of a session.
    #[must_use]
    pub fn of_session(&self, session: SessionId) -> Vec<ResourceId> {
        self.select(|held| held.session == session)
    }

    /// Every session of which anything is held.
    #[must_use]
    pub fn sessions(&self) -> BTreeSet<SessionId> {
        self.held().values().map(|held| held.session).collect()
    }

    /// Is anything still being recorded in this session?
    #[must_use]
    pub fn has_publications(&self, session: SessionId) -> bool {
        self.held().values().any(|held| held.session == session && held.kind.publishes())
    }

    /// A publication's first media was seen.
    pub fn first_media(&self, session: SessionId, track: &TrackName) {
        for held in self.held().values_mut().filter(|held| held.session == session) {
            if let Kind::Publishes { track: own, flowed, .. } = &mut held.kind
                && own == track
            {
                *flowed = true;
            }
        }
    }

    /// A publication was lost, or is back. Gives back what it is, if it is a publication whose media has flowed.
    pub fn set_lost(&self, resource: ResourceId, is_lost: bool) -> Option<(SessionId, TrackName)> {
        let mut all = self.held();
        let held = all.get_mut(&resource)?;
        match &mut held.kind {
            Kind::Publishes { track, flowed, lost, .. } => {
                *lost = is_lost;
                flowed.then(|| (held.session, track.clone()))
            }
            Kind::Watches(_) => None,
        }
    }

    /// A publication is over, and what was recorded of it isn't kept yet: its owner may publish anew.
    pub fn lose_track(&self, session: SessionId, track: &TrackName) {
        for held in self.held().values_mut().filter(|held| held.session == session && held.is_of(track)) {
            if let Kind::Publishes { lost, .. } = &mut held.kind {
                *lost = true;
            }
        }
    }

    /// A page says that its microphone is off by choice, or on again.
    pub fn set_silent(&self, participant: ParticipantId, is_silent: bool) {
        for held in self.held().values_mut().filter(|held| held.participant == participant) {
            if let Kind::Publishes { silent, .. } = &mut held.kind {
                *silent = is_silent;
            }
        }
        self.tell();
    }

    /// Whose microphones are off by choice in this session.
    #[must_use]
    pub fn silent_in(&self, session: SessionId) -> BTreeSet<ParticipantId> {
        let is_silent =
            |held: &&Held| held.session == session && matches!(held.kind, Kind::Publishes { silent: true, .. });
        self.held().values().filter(is_silent).map(|held| held.participant).collect()
    }

    /// A viewer is shown no picture of a publisher for now, or is again.
    pub fn set_unseen(&self, viewer: ParticipantId, publisher: ParticipantId, is_unseen: bool) {
        let mut unseen = self.0.unseen.lock().unwrap_or_else(PoisonError::into_inner);
        if is_unseen {
            unseen.insert((viewer, publisher));
        } else {
            unseen.remove(&(viewer, publisher));
        }
        drop(unseen);
        self.tell();
    }

    /// Of whom this viewer is shown no picture, because their network carries only the sound.
    #[must_use]
    pub fn unseen_by(&self, viewer: ParticipantId) -> Vec<ParticipantId> {
        let unseen = self.0.unseen.lock().unwrap_or_else(PoisonError::into_inner);
        unseen.iter().filter(|(by, _)| *by == viewer).map(|(_, whom)| *whom).collect()
    }

    /// The caller who holds a token, as far as that is known without the database: by what they publish here.
    #[must_use]
    pub fn caller_by(&self, token_hash: &[u8; 32]) -> Option<Named> {
        let held = self.held();
        let theirs = held.values().find(|held| held.token_hash == *token_hash && held.is_callers())?;
        Some(Named { session: theirs.session, participant: theirs.participant })
    }

    /// Does this participant publish here as the caller?
    #[must_use]
    pub fn is_caller(&self, participant: ParticipantId) -> bool {
        self.held().values().any(|held| held.participant == participant && held.is_callers())
    }

    /// A caller has covered the call with their nth tap, or is back with it.
    pub fn set_cover(&self, session: SessionId, n: u32, tap: Tap) {
        self.covers().insert(session, (n, tap));
        self.tell();
    }

    /// The newest tap that was heard of here.
    #[must_use]
    pub fn cover(&self, session: SessionId) -> Option<(u32, Tap)> {
        self.covers().get(&session).copied()
    }

    /// A caller asks for help.
    pub fn set_plea(&self, session: SessionId, raised: Raised) {
        let mut pleas = self.pleas();
        if raised.is_news_after(pleas.get(&session).copied()) {
            pleas.insert(session, raised);
        }
        drop(pleas);
        self.tell();
    }

    /// What the caller asked last, as far as it was heard of here.
    #[must_use]
    pub fn plea(&self, session: SessionId) -> Option<Raised> {
        self.pleas().get(&session).copied()
    }

    /// A session is over.
    pub fn forget(&self, session: SessionId) {
        self.covers().remove(&session);
        self.pleas().remove(&session);
    }

    /// Wakes when a resource comes or goes, a picture or a voice does, a cover, or a caller asks for help.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    fn select(&self, wanted: impl Fn(&Held) -> bool) -> Vec<ResourceId> {
        self.held().iter().filter(|(_, held)| wanted(held)).map(|(resource, _)| *resource).collect()
    }

    fn tell(&self) {
        self.0.changes.send_modify(|version| *version = version.wrapping_add(1));
    }

    pub(crate) fn held(&self) -> MutexGuard<'_, HashMap<ResourceId, Held>> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn covers(&self) -> MutexGuard<'_, HashMap<SessionId, (u32, Tap)>> {
        self.0.covers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pleas(&self) -> MutexGuard<'_, HashMap<SessionId, Raised>> {
        self.0.pleas.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn over(&self) -> MutexGuard<'_, BTreeSet<ResourceId>> {
        self.0.over.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kind {
    fn publishes(&self) -> bool {
        matches!(self, Self::Publishes { .. })
    }
}

impl Held {
    fn is_callers(&self) -> bool {
        matches!(&self.kind, Kind::Publishes { track, .. } if is_callers(track))
    }

    fn is_of(&self, track: &TrackName) -> bool {
        matches!(&self.kind, Kind::Publishes { track: own, .. } if own == track)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use uuid::Uuid;

    use super::*;

    fn of(kind: Kind) -> Held {
        let [session, participant] = [1, 2].map(Uuid::from_u128);
        Held { session: session.into(), participant: participant.into(), token_hash: [7; 32], kind }
    }

    fn resource(number: u8) -> ResourceId {
        format!("{number:032x}").parse().unwrap()
    }

    #[test]
    fn an_end_that_is_heard_before_its_beginning_leaves_nothing() {
        let (rooms, viewer) = (Rooms::default(), of(Kind::Watches(Uuid::from_u128(3).into())));
        for first in [true, false] {
            if first {
                rooms.remove(resource(1));
            }
            rooms.add(resource(1), viewer.clone());
            assert_eq!(rooms.is_owned(resource(1), viewer.participant), !first);
            assert!(rooms.over().is_empty());
        }
        rooms.remove(resource(1));
        assert!(rooms.sessions().is_empty() && rooms.over().is_empty());
    }

    #[test]
    fn silence_is_of_what_was_published_when_it_was_said() {
        let rooms = Rooms::default();
        let track: TrackName = "caller-1".parse().unwrap();
        let published = of(Kind::Publishes { track: track.clone(), flowed: true, lost: false, silent: false });
        let Held { session, participant: who, .. } = published;
        rooms.add(resource(1), published.clone());
        rooms.set_silent(who, true);
        assert_eq!(rooms.silent_in(session), [who].into());
        assert!(rooms.silent_in(Uuid::from_u128(3).into()).is_empty());
        rooms.remove_track(session, &track);
        rooms.add(resource(2), published);
        assert!(rooms.silent_in(session).is_empty(), "made anew, and not told of again");
    }

    #[test]
    fn the_newest_track_is_known_though_it_is_lost() {
        let rooms = Rooms::default();
        for (number, lost) in [(2, false), (10, true), (9, false)] {
            let track: TrackName = format!("caller-{number}").parse().unwrap();
            rooms.add(resource(number), of(Kind::Publishes { track, flowed: true, lost, silent: false }));
        }
        let who = Uuid::from_u128(2).into();
        assert_eq!(rooms.track(who).unwrap().as_str(), "caller-10");
        assert_eq!(rooms.stale(who, [7; 32]), [resource(10)]);
        assert_eq!(rooms.stale(who, [8; 32]).len(), 3, "a newer token's page has none of them");
    }
}
