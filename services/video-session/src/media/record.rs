//! Recording under command: carried out here and at once, because whoever takes back their consent doesn't wait for a database.
//! What is forwarded is never touched.

use std::time::Instant;

use ids::{ParticipantId, SessionId};

use super::{
    Instruction, MediaError, MediaEvent,
    engine::Engine,
    forward::ask_for_key_frame,
    peer::{Peer, Role},
    shown,
};
use crate::domain::{Illegal, Recording};

impl Engine {
    /// How a session is recorded, given what the database said of it: whichever of the two is more restrained, until the other
    /// knows.
    pub(super) fn stands(&mut self, session: SessionId, said: Recording) -> Recording {
        let known = self.recording.entry(session).or_insert(said);
        *known = said.max(*known);
        self.recorded(session)
    }

    /// Does to every publication of the session what was ordered.
    pub(super) fn record(&mut self, now: Instant, instruction: Instruction) -> Result<Recording, Illegal> {
        let session = instruction.session;
        let known = self.recording.get(&session).copied();
        let (ordered, before) = (known.unwrap_or(Recording::On), self.recorded(session));
        let obeyed = ordered.obey(instruction.order)?;
        if obeyed == ordered {
            return Ok(before);
        }
        self.recording.insert(session, obeyed);
        let recording = self.recorded(session);
        if recording != before {
            self.carry_out(now, session, recording);
        }
        // What is only repeated to a process that has recorded nothing of this session was told by the one before.
        if known.is_some() || instruction.by.is_some() {
            self.tell([MediaEvent::Instructed { instruction, at: self.clock.now() }]);
        }
        Ok(recording)
    }

    /// Every publication of the session is recorded so from here on.
    pub(super) fn carry_out(&mut self, now: Instant, session: SessionId, recording: Recording) {
        let (mut events, mut asked) = (Vec::new(), Vec::new());
        for peer in self.peers.values_mut() {
            let Peer { role: Role::Publisher(publisher), .. } = peer else { continue };
            if publisher.session() == session {
                publisher.record(now, recording, &mut events);
                if ask_for_key_frame(now, peer) {
                    asked.push(peer.id);
                }
            }
        }
        self.tell(events);
        asked.into_iter().for_each(|publisher| self.touch(publisher));
    }

    /// Finds the picture of a publisher that was stamped so.
    pub(super) fn frame(&mut self, publisher: ParticipantId, rtp_timestamp: u32, answer: shown::Answer) {
        let peer = self.by_participant.get(&publisher).and_then(|resource| self.peers.get_mut(resource));
        match peer {
            Some(Peer { role: Role::Publisher(publisher), .. }) => publisher.shown.ask(rtp_timestamp, answer),
            _ => drop(answer.send(Err(MediaError::NoSuchFrame))),
        }
    }
}
