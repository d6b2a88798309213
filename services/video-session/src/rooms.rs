//! Which WHIP and WHEP resources this process holds, and whose they are. In memory only: they die with the process.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ids::{ParticipantId, SessionId, TrackName};
use tokio::sync::watch;

use crate::media::ResourceId;

/// The register. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Rooms(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    held: Mutex<HashMap<ResourceId, Held>>,
    /// Who is shown no picture of whom, because their network carries only the sound.
    unseen: Mutex<BTreeSet<(ParticipantId, ParticipantId)>>,
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
    Watches,
    /// WHIP.
    Publishes {
        /// Its track.
        track: TrackName,
        /// Its first media has been seen.
        flowed: bool,
        /// ICE lost it, or it is being closed: its owner may publish anew.
        lost: bool,
    },
}

impl Default for Rooms {
    fn default() -> Self {
        Self(Arc::new(Inner { held: Mutex::default(), unseen: Mutex::default(), changes: watch::Sender::new(0) }))
    }
}

impl Rooms {
    /// A resource was made.
    pub fn add(&self, resource: ResourceId, held: Held) {
        self.held().insert(resource, held);
        self.tell();
    }

    /// A resource is gone.
    pub fn remove(&self, resource: ResourceId) {
        self.held().remove(&resource);
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
        self.publishes(participant).is_some()
    }

    /// The track that this participant publishes now.
    #[must_use]
    pub fn publishes(&self, participant: ParticipantId) -> Option<TrackName> {
        self.held().values().filter(|held| held.participant == participant).find_map(|held| match &held.kind {
            Kind::Publishes { track, lost: false, .. } => Some(track.clone()),
            _ => None,
        })
    }

    /// Is there a publication of this participant's, connected or not?
    #[must_use]
    pub fn has_publication(&self, participant: ParticipantId) -> bool {
        self.held().values().any(|held| held.participant == participant && held.kind != Kind::Watches)
    }

    /// What this participant published and lost, or holds by an older token (a page that was closed or reloaded).
    #[must_use]
    pub fn stale(&self, participant: ParticipantId, token_hash: [u8; 32]) -> Vec<ResourceId> {
        let lost = |held: &Held| matches!(held.kind, Kind::Publishes { lost: true, .. });
        self.select(|held| held.participant == participant && (held.token_hash != token_hash || lost(held)))
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
        self.held().values().any(|held| held.session == session && held.kind != Kind::Watches)
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
            Kind::Publishes { track, flowed, lost } => {
                *lost = is_lost;
                flowed.then(|| (held.session, track.clone()))
            }
            Kind::Watches => None,
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

    /// Wakes when a resource comes or goes, or a picture does.
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

    fn held(&self) -> MutexGuard<'_, HashMap<ResourceId, Held>> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn is_of(&self, track: &TrackName) -> bool {
        matches!(&self.kind, Kind::Publishes { track: own, .. } if own == track)
    }
}
