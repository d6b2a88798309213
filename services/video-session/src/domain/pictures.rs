//! Pictures that are kept of a call: stills of its recording, and photographs that the caller sends. Only if the caller agrees, and
//! only of a call that is recorded.

use ids::ParticipantId;

use super::{Fact, Illegal, Recording, Role, Session, session::let_in};

/// Photographs of one call.
pub const MOST_PHOTOGRAPHS: u32 = 20;

impl Session {
    /// A picture of the recording is to be kept. Gives its number, beyond those that are known elsewhere.
    ///
    /// # Errors
    /// When the session has ended, the caller doesn't agree, or there is no recording any more.
    pub fn still(mut self, known: u32) -> Result<(Self, u32, Vec<Fact>), Illegal> {
        self.keeps_pictures()?;
        let number = self.stills_taken.max(known) + 1;
        self.stills_taken = number;
        Ok((self, number, vec![Fact::StillCaptured { number }]))
    }

    /// May this person send photographs? Only of themselves, whom the call is for.
    ///
    /// # Errors
    /// When they aren't the caller, or not in the call.
    pub fn photographed_by(&self, id: ParticipantId) -> Result<(), Illegal> {
        let participant = self.participant(id)?;
        if participant.role != Role::Caller {
            return Err(Illegal::WrongRole);
        }
        let_in(participant)
    }

    /// A photograph is to be kept. Gives its number, beyond those that are known elsewhere.
    ///
    /// # Errors
    /// As for a still; in a pause, and when there are enough.
    pub fn photograph(mut self, known: u32) -> Result<(Self, u32, Vec<Fact>), Illegal> {
        self.keeps_pictures()?;
        if self.recorded() == Recording::Paused {
            return Err(Illegal::RecordingPaused);
        }
        let number = self.photographs_taken.max(known) + 1;
        if number > MOST_PHOTOGRAPHS {
            return Err(Illegal::EnoughPhotographs);
        }
        self.photographs_taken = number;
        Ok((self, number, vec![Fact::PhotographTaken { number }]))
    }

    fn keeps_pictures(&self) -> Result<(), Illegal> {
        self.open_still()?;
        match self.recording {
            _ if !self.accepted.stills => Err(Illegal::NoStills),
            Recording::On | Recording::Paused => Ok(()),
            Recording::Stopped => Err(Illegal::RecordingStopped),
            Recording::Refused => Err(Illegal::NotRecorded),
        }
    }
}
