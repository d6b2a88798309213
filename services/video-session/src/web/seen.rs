//! The session as a participant's page hears of it, in words that say nothing of what the call is about. Whoever waits hears
//! only that they do.

use std::collections::BTreeSet;

use ids::ParticipantId;
use serde::Serialize;

use crate::domain::{Participant, Recording, Role, Session, Standing, State};

/// What an event says.
#[derive(Serialize)]
pub(super) struct Seen {
    state: &'static str,
    /// `on`, `paused`, `stopped` or `refused`: whether what is said and shown is recorded. Empty for whoever waits.
    recording: &'static str,
    /// What the page turns into when it is covered.
    pretext: &'static str,
    /// It goes on sending when it is covered: what it sends is recorded meanwhile, as they agreed.
    keeps: bool,
    /// The page's own: `waiting`, `in` or `removed`.
    standing: &'static str,
    /// Who else is in the call, whether they publish or not.
    people: Vec<Person>,
    publishing: Vec<Publishing>,
    /// Whose picture this participant isn't shown for now: their network carries only the sound.
    pub(super) held: Vec<String>,
}

#[derive(Serialize)]
struct Person {
    participant_id: String,
    role: &'static str,
}

#[derive(Serialize)]
struct Publishing {
    participant_id: String,
    role: &'static str,
    /// Changes when they publish anew: then watch them anew.
    track: String,
    /// Not while their microphone is off by choice.
    sound: bool,
}

/// What a participant lacks of the others, of which the rows know nothing.
#[derive(Default, PartialEq, Eq)]
pub(super) struct Lacks {
    /// Whose picture they aren't shown: their network carries only the sound.
    pub(super) pictures: Vec<ParticipantId>,
    /// Whose microphone is off by choice.
    pub(super) sound: BTreeSet<ParticipantId>,
}

impl Seen {
    /// As this participant's page hears it.
    pub(super) fn by(session: &Session, who: ParticipantId, lacks: &Lacks) -> Self {
        let standing = session.participant(who).map_or(Standing::Removed, |own| own.standing().0);
        // Whoever waits hears of nobody, and not of how it goes: they may have guessed their code.
        let (is_in, recorded) = (standing == Standing::In, session.recorded());
        let state = match session.state {
            State::Ended(_) => "ended",
            State::Joined if is_in => "joined",
            State::Live if is_in => "live",
            _ => "invited",
        };
        let heard = session.participants.iter().filter(|one| standing == Standing::In && one.is_in());
        let person = |one: &Participant| Person { participant_id: one.id.to_string(), role: role_word(one.role) };
        let publishing = |one: &Participant| {
            let (participant_id, role) = (one.id.to_string(), role_word(one.role));
            let sound = !lacks.sound.contains(&one.id);
            Some(Publishing { participant_id, role, track: track_word(one)?, sound })
        };
        Self {
            state,
            recording: if is_in { recorded.as_str() } else { "" },
            pretext: session.cover.pretext.id(),
            keeps: is_in && session.accepted.covered && session.recording == Recording::On,
            standing: standing_word(standing),
            people: heard.clone().filter(|one| one.id != who).map(person).collect(),
            publishing: heard.filter_map(publishing).collect(),
            held: lacks.pictures.iter().map(ToString::to_string).collect(),
        }
    }
}

pub(super) fn standing_word(standing: Standing) -> &'static str {
    match standing {
        Standing::Waiting => "waiting",
        Standing::In => "in",
        Standing::Removed => "removed",
    }
}

/// Roles as a page hears them: it must not say what the other side is.
pub(super) fn role_word(role: Role) -> &'static str {
    match role {
        Role::Caller => "guest",
        Role::Officer => "host",
        Role::Observer => "listener",
        Role::Interpreter | Role::Supporter => "helper",
    }
}

/// Names what a participant publishes now; another name means: watch anew.
pub(super) fn track_word(participant: &Participant) -> Option<String> {
    participant.flowing.map(|number| format!("{}-{number}", role_word(participant.role)))
}
