//! The session's own transitions.

use chrono::{DateTime, TimeDelta, Utc};
use ids::{CallId, ForceId, IncidentRef, OfficerId, ParticipantId, SessionId, TrackName};

use super::{
    Asked, Cover, Duress, EndReason, Ending, Fact, FastTrack, Illegal, Invitation, MOST_IN, Participant, Recording,
    Role, Silent, Standing, State, Way,
};

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
    /// And, as it stands, to have stills taken.
    pub stills: bool,
    /// And to be recorded also while they have covered the call; and the force allows it.
    pub covered: bool,
    /// They don't speak, as was found at triage.
    pub silent: Option<Silent>,
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
    /// To whom the desk has given it since, and who is yet to come.
    pub successor: Option<OfficerId>,
    /// When the session was made.
    pub started_at: DateTime<Utc>,
    /// Where it stands.
    pub state: State,
    /// Whether what is said and shown is recorded, as it was ordered; see [`Session::recorded`].
    pub recording: Recording,
    /// Whether the caller has covered it.
    pub cover: Cover,
    /// Whether they have asked for help.
    pub duress: Duress,
    /// What the control room was asked for, the oldest first.
    pub fast_tracks: Vec<FastTrack>,
    /// How many stills there are of it.
    pub stills_taken: u32,
    /// How many photographs the caller has sent.
    pub photographs_taken: u32,
    /// Who is in it.
    pub participants: Vec<Participant>,
    /// How the caller was last asked in. Read with the session, and written with the invitation.
    pub asked: Option<Asked>,
}

impl Session {
    /// The session of a call that was just accepted.
    #[must_use]
    pub fn open(id: SessionId, accepted: Accepted, now: DateTime<Utc>) -> Self {
        let recording = if accepted.recording { Recording::On } else { Recording::Refused };
        Self {
            id,
            accepted,
            successor: None,
            started_at: now,
            state: State::Invited,
            recording,
            cover: Cover::default(),
            duress: Duress::default(),
            fast_tracks: Vec::new(),
            stills_taken: 0,
            photographs_taken: 0,
            participants: Vec::new(),
            asked: None,
        }
    }

    /// How it ended, if it has.
    #[must_use]
    pub fn ending(&self) -> Option<Ending> {
        match self.state {
            State::Ended(ending) => Some(ending),
            State::Invited | State::Joined | State::Live => None,
        }
    }

    /// The caller or the officer who is in the call.
    #[must_use]
    pub fn in_role(&self, role: Role) -> Option<&Participant> {
        self.participants.iter().find(|one| one.role == role && one.is_in())
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

    /// May a member of staff join as that? The officer of the call, or whom it was given to, as its officer, any other as an observer.
    ///
    /// # Errors
    /// When the call is another officer's, or the role isn't theirs to take.
    pub fn joined_by(&self, staff: &OfficerId, role: Role) -> Result<(), Illegal> {
        match role {
            Role::Officer if self.successor.as_ref() == Some(staff) => Ok(()),
            Role::Officer => self.commanded_by(staff),
            // Whom another force lends has this call, or takes it over: there is none that they look on at.
            Role::Observer if self.accepted.officer != *staff && staff.lent_by().is_none() => Ok(()),
            _ => Err(Illegal::WrongRole),
        }
    }

    /// A person comes, or comes back. Caller and officer are in at once; the others wait for the officer's word. `fresh`
    /// names whoever hasn't been here before.
    ///
    /// # Errors
    /// When the session has ended.
    pub fn arrive(
        self,
        role: Role,
        staff: Option<OfficerId>,
        fresh: ParticipantId,
        now: DateTime<Utc>,
    ) -> Result<(Self, ParticipantId, Vec<Fact>), Illegal> {
        self.open_still()?;
        // The caller comes by a code, typed into a page that shows the call.
        let (mut session, mut facts) = if role == Role::Caller {
            let (session, turned_away) = self.turn_away_waiting_caller(now);
            let (session, uncovered) = session.uncover(now);
            (session, [turned_away, uncovered].concat())
        } else {
            (self, Vec::new())
        };
        let same = |one: &&Participant| {
            one.role == role
                && one.removed_at.is_none()
                && (role.is_principal() || one.staff.is_some() && one.staff == staff)
        };
        if let Some(known) = session.participants.iter().find(same).map(|participant| participant.id) {
            return Ok((session, known, facts));
        }
        let mut participant = Participant::arriving(fresh, role, staff, now);
        if role.is_principal() {
            participant.admitted_at = Some(now);
            facts.push(Fact::ParticipantAdmitted { participant: fresh, role });
        }
        session.participants.push(participant);
        Ok((session, fresh, facts))
    }

    /// Lets in somebody who waits. Whoever is in stays in, but for a caller whose place another takes.
    ///
    /// # Errors
    /// When the session has ended, they aren't in it or were sent away, or the call is full.
    pub fn admit(self, id: ParticipantId, now: DateTime<Utc>) -> Result<(Self, Vec<Fact>), Illegal> {
        self.open_still()?;
        let role = self.participant(id)?.role;
        match self.participant(id)?.standing().0 {
            Standing::In => return Ok((self, Vec::new())),
            Standing::Removed => return Err(Illegal::Removed),
            Standing::Waiting => {}
        }
        let guests = self.participants.iter().filter(|one| one.is_in() && !one.role.is_principal()).count();
        let (mut session, mut facts) = match role {
            Role::Caller => self.give_way(now)?,
            _ if guests >= MOST_IN - 2 => return Err(Illegal::Full),
            _ => (self, Vec::new()),
        };
        session.participant_mut(id)?.admitted_at = Some(now);
        facts.push(Fact::ParticipantAdmitted { participant: id, role });
        Ok((session, facts))
    }

    /// Sends somebody away, waiting or in. Their media's end is told by the media.
    ///
    /// # Errors
    /// When the session has ended, they aren't in it, or are its officer.
    pub fn remove(mut self, id: ParticipantId, now: DateTime<Utc>) -> Result<(Self, Vec<Fact>), Illegal> {
        self.open_still()?;
        let participant = self.participant_mut(id)?;
        if participant.role == Role::Officer {
            return Err(Illegal::OfficerStays);
        }
        if participant.removed_at.is_some() {
            return Ok((self, Vec::new()));
        }
        // Nobody's page is covered then; one who only waited had none.
        let is_callers = participant.role == Role::Caller && participant.is_in();
        participant.removed_at = Some(now);
        let removed = Fact::ParticipantRemoved { participant: id, role: participant.role };
        let (session, uncovered) = if is_callers { self.uncover(now) } else { (self, Vec::new()) };
        Ok((session, [vec![removed], uncovered].concat()))
    }

    /// May one person watch another? The answer is yes only for whoever is in, and about whoever is in.
    ///
    /// # Errors
    /// Why not.
    pub fn may_watch(&self, viewer: ParticipantId, publisher: ParticipantId) -> Result<(), Illegal> {
        self.open_still()?;
        let_in(self.participant(viewer)?)?;
        let publisher = self.participant(publisher)?;
        if publisher.is_in() { Ok(()) } else { Err(Illegal::UnknownParticipant) }
    }

    /// May this person write to the others? The answer is what they are.
    ///
    /// # Errors
    /// Why not: as for publishing.
    pub fn may_write(&self, id: ParticipantId) -> Result<Role, Illegal> {
        self.open_still()?;
        let participant = self.participant(id)?;
        if !participant.role.publishes() {
            return Err(Illegal::OnlyWatches);
        }
        let_in(participant).map(|()| participant.role)
    }

    /// A code. The caller may be asked back after they have gone, not while they are there; one who waits by an older code waits in
    /// vain from here on. The caller alone is sent a link.
    ///
    /// # Errors
    /// When the session has ended, the caller's media flows, or the role doesn't come this way.
    pub fn invite(self, role: Role, way: Way, now: DateTime<Utc>) -> Result<(Self, Invitation, Vec<Fact>), Illegal> {
        self.may_revoke(role)?;
        if way == Way::Sms && role != Role::Caller {
            return Err(Illegal::WrongRole);
        }
        let invitation = Invitation::issue(role, way, now);
        if role != Role::Caller {
            return Ok((self, invitation, Vec::new()));
        }
        if self.in_role(Role::Caller).is_some_and(|caller| caller.flowing.is_some()) {
            return Err(Illegal::CallerAlreadyJoined);
        }
        let (session, mut facts) = self.turn_away_waiting_caller(now);
        facts.push(Fact::InvitationIssued { expires_at: invitation.expires_at });
        Ok((session, invitation, facts))
    }

    /// May the code of that role be withdrawn?
    ///
    /// # Errors
    /// When the session has ended, or the role doesn't come by a code.
    pub fn may_revoke(&self, role: Role) -> Result<(), Illegal> {
        self.open_still()?;
        if role.comes_by_code() { Ok(()) } else { Err(Illegal::WrongRole) }
    }

    /// A person begins to publish: the name of what will be recorded. Names count up for each role, and are never used
    /// twice.
    ///
    /// # Errors
    /// When the session has ended, or they aren't in it, or their role has nothing to send.
    pub fn publish(mut self, id: ParticipantId) -> Result<(Self, TrackName), Illegal> {
        self.open_still()?;
        let participant = self.participant(id)?;
        let role = participant.role;
        if !role.publishes() {
            return Err(Illegal::OnlyWatches);
        }
        let_in(participant)?;
        let of_role = self.participants.iter().filter(|one| one.role == role);
        let number = of_role.map(|one| one.publications).max().unwrap_or_default() + 1;
        let participant = self.participant_mut(id)?;
        participant.publications = number;
        let track = participant.track(number);
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
        if ended || stale || !participant.is_in() {
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

    /// All connections are lost at once: they were an instance's that carries the session no more.
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

    /// When the session ends by itself unless somebody comes. Nothing while the caller's or the officer's media flows: a
    /// guest's forgotten page keeps no call open.
    #[must_use]
    pub fn gives_up_at(&self, patience: Patience) -> Option<DateTime<Utc>> {
        let principals = || self.participants.iter().filter(|one| one.role.is_principal());
        if self.ending().is_some() || principals().any(|one| one.flowing.is_some()) {
            return None;
        }
        match principals().filter_map(|one| one.last_seen).max() {
            Some(last_seen) => Some(last_seen + patience.both_gone),
            None => Some(self.started_at + patience.never_came),
        }
    }

    pub(super) fn open_still(&self) -> Result<(), Illegal> {
        if self.ending().is_some() { Err(Illegal::SessionEnded) } else { Ok(()) }
    }

    fn participant_mut(&mut self, id: ParticipantId) -> Result<&mut Participant, Illegal> {
        self.participants.iter_mut().find(|participant| participant.id == id).ok_or(Illegal::UnknownParticipant)
    }
}

pub(super) fn let_in(participant: &Participant) -> Result<(), Illegal> {
    match participant.standing().0 {
        Standing::In => Ok(()),
        Standing::Waiting => Err(Illegal::NotAdmitted),
        Standing::Removed => Err(Illegal::Removed),
    }
}

#[cfg(test)]
mod tests;
