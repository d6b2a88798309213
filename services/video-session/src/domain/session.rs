//! The session's own transitions.

use chrono::{DateTime, TimeDelta, Utc};
use ids::{CallId, ForceId, IncidentRef, OfficerId, ParticipantId, SessionId, TrackName};

use super::{EndReason, Ending, Fact, Illegal, Invitation, Participant, Role, State};

/// What is known of a call when an officer takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The call: the aggregate of every event.
    pub call: CallId,
    /// Whose call it is.
    pub force: ForceId,
    /// Who took it.
    pub officer: OfficerId,
    /// The force's own reference, for the exhibit.
    pub incident: IncidentRef,
    /// The caller agreed to be recorded.
    pub recording: bool,
}

/// How long a session bears with nobody being there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// After the last one's media stopped.
    pub both_gone: TimeDelta,
    /// From the start, when nobody ever came.
    pub never_came: TimeDelta,
}

/// One video call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The session.
    pub id: SessionId,
    /// What it was made of.
    pub accepted: Accepted,
    /// When the session was made.
    pub started_at: DateTime<Utc>,
    /// Where it stands.
    pub state: State,
    /// Who is in it.
    pub participants: Vec<Participant>,
}

impl Session {
    /// The session of a call that was just accepted.
    #[must_use]
    pub fn open(id: SessionId, accepted: Accepted, now: DateTime<Utc>) -> Self {
        Self { id, accepted, started_at: now, state: State::Invited, participants: Vec::new() }
    }

    /// How it ended, if it has.
    #[must_use]
    pub fn ending(&self) -> Option<Ending> {
        match self.state {
            State::Ended(ending) => Some(ending),
            State::Invited | State::Joined | State::Live => None,
        }
    }

    /// The person of that role, if they have ever been let in.
    #[must_use]
    pub fn in_role(&self, role: Role) -> Option<&Participant> {
        self.participants.iter().find(|participant| participant.role == role)
    }

    /// The person with that id.
    ///
    /// # Errors
    /// When they aren't in this session.
    pub fn participant(&self, id: ParticipantId) -> Result<&Participant, Illegal> {
        self.participants.iter().find(|participant| participant.id == id).ok_or(Illegal::UnknownParticipant)
    }

    /// Only the officer who accepted may command.
    ///
    /// # Errors
    /// For anybody else.
    pub fn commanded_by(&self, officer: &OfficerId) -> Result<(), Illegal> {
        if self.accepted.officer == *officer { Ok(()) } else { Err(Illegal::NotYourCall) }
    }

    /// Lets a person in, or back in. `fresh` names them if it is the first time.
    ///
    /// # Errors
    /// When the session has ended.
    pub fn admit(mut self, role: Role, fresh: ParticipantId) -> Result<(Self, ParticipantId), Illegal> {
        self.open_still()?;
        if let Some(known) = self.in_role(role).map(|participant| participant.id) {
            return Ok((self, known));
        }
        self.participants.push(Participant { id: fresh, role, publications: 0, flowing: None, last_seen: None });
        Ok((self, fresh))
    }

    /// A code for the caller. They may be asked back after they have gone, not while they are there.
    ///
    /// # Errors
    /// When the session has ended, or the caller's media flows.
    pub fn invite(&self, now: DateTime<Utc>) -> Result<(Invitation, Vec<Fact>), Illegal> {
        self.open_still()?;
        if self.in_role(Role::Caller).is_some_and(|caller| caller.flowing.is_some()) {
            return Err(Illegal::CallerAlreadyJoined);
        }
        let invitation = Invitation::issue(now);
        let issued = Fact::InvitationIssued { expires_at: invitation.expires_at };
        Ok((invitation, vec![issued]))
    }

    /// A person begins to publish: the name of what will be recorded. Names are never used twice.
    ///
    /// # Errors
    /// When the session has ended, or they aren't in it.
    pub fn publish(mut self, id: ParticipantId) -> Result<(Self, TrackName), Illegal> {
        self.open_still()?;
        let participant = self.participant_mut(id)?;
        participant.publications += 1;
        let track = participant.track(participant.publications);
        Ok((self, track))
    }

    /// The first media of a person's nth publication has arrived.
    ///
    /// # Errors
    /// When they aren't in this session.
    pub fn media_flows(mut self, id: ParticipantId, publication: u32) -> Result<(Self, Vec<Fact>), Illegal> {
        let ended = self.ending().is_some();
        let participant = self.participant_mut(id)?;
        let stale =
            publication == 0 || publication > participant.publications || participant.flowing >= Some(publication);
        if ended || stale {
            return Ok((self, Vec::new()));
        }
        let role = participant.role;
        let mut facts = Vec::new();
        if participant.flowing.replace(publication).is_none() {
            facts.push(Fact::ParticipantJoined { participant: id, role });
        }
        if role == Role::Caller && self.state == State::Invited {
            self.state = State::Joined;
            facts.push(Fact::CallerJoined);
        }
        let flowing = |role| self.in_role(role).is_some_and(|participant| participant.flowing.is_some());
        if self.state == State::Joined && flowing(Role::Officer) && flowing(Role::Caller) {
            self.state = State::Live;
        }
        Ok((self, facts))
    }

    /// The media of a person's nth publication flows no more. Goes through after the end too: it is what empties the room.
    ///
    /// # Errors
    /// When they aren't in this session.
    pub fn media_stops(
        mut self,
        id: ParticipantId,
        publication: u32,
        now: DateTime<Utc>,
    ) -> Result<(Self, Vec<Fact>), Illegal> {
        let participant = self.participant_mut(id)?;
        if participant.flowing != Some(publication) {
            return Ok((self, Vec::new()));
        }
        participant.flowing = None;
        participant.last_seen = Some(now);
        let left = Fact::ParticipantLeft { participant: id, role: participant.role };
        Ok((self, vec![left]))
    }

    /// All connections are lost at once: this process has just started, so none of them can have lived on.
    #[must_use]
    pub fn all_lost(mut self, now: DateTime<Utc>) -> (Self, Vec<Fact>) {
        let mut facts = Vec::new();
        for participant in &mut self.participants {
            if participant.flowing.take().is_some() {
                participant.last_seen = Some(now);
                facts.push(Fact::ParticipantLeft { participant: participant.id, role: participant.role });
            }
        }
        (self, facts)
    }

    /// Ends the call; an ended one keeps its first ending.
    #[must_use]
    pub fn end(mut self, reason: EndReason, now: DateTime<Utc>) -> (Self, Ending) {
        let ending = self.ending().unwrap_or(Ending { reason, at: now });
        self.state = State::Ended(ending);
        (self, ending)
    }

    /// When the session ends by itself unless somebody comes. Nothing while anybody's media flows.
    #[must_use]
    pub fn gives_up_at(&self, patience: Patience) -> Option<DateTime<Utc>> {
        if self.ending().is_some() || self.participants.iter().any(|participant| participant.flowing.is_some()) {
            return None;
        }
        match self.participants.iter().filter_map(|participant| participant.last_seen).max() {
            Some(last_seen) => Some(last_seen + patience.both_gone),
            None => Some(self.started_at + patience.never_came),
        }
    }

    fn open_still(&self) -> Result<(), Illegal> {
        if self.ending().is_some() { Err(Illegal::SessionEnded) } else { Ok(()) }
    }

    fn participant_mut(&mut self, id: ParticipantId) -> Result<&mut Participant, Illegal> {
        self.participants.iter_mut().find(|participant| participant.id == id).ok_or(Illegal::UnknownParticipant)
    }
}

#[cfg(test)]
mod tests;
