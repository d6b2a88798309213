//! How a session is recorded at a moment: as its officer has ordered, as the caller agrees to, and as the cover allows.

use super::{Fact, Illegal, RecordOrder, Recording, Session};

/// What the caller has told the control room that they agree to; nothing said, nothing changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Consents {
    /// To be recorded.
    pub recording: Option<bool>,
    /// To have stills taken.
    pub stills: Option<bool>,
    /// To be recorded also while they have covered the call; and the force allows it.
    pub covered: Option<bool>,
}

impl Session {
    /// How it is recorded at this moment: as ordered, but not while it is covered, unless it may be.
    #[must_use]
    pub fn recorded(&self) -> Recording {
        if self.is_withheld() { self.recording.max(Recording::Paused) } else { self.recording }
    }

    /// Pauses the recording of everybody, goes on with it, or stops it for good.
    ///
    /// # Errors
    /// When the session has ended, or it would be recorded against the caller's will.
    pub fn record(mut self, order: RecordOrder) -> Result<(Self, Vec<Fact>), Illegal> {
        self.open_still()?;
        let before = self.recorded();
        self.recording = self.recording.obey(order)?;
        if order == RecordOrder::Resume && self.is_withheld() {
            return Err(Illegal::Covered);
        }
        let told = self.told_since(before);
        Ok((self, told))
    }

    /// The caller has told the control room anew what they agree to. Recording that was refused or stopped isn't begun by this: not in
    /// mid-call.
    #[must_use]
    pub fn consented(mut self, Consents { recording, stills, covered }: Consents) -> (Self, Vec<Fact>) {
        if self.ending().is_some() {
            return (self, Vec::new());
        }
        let before = self.recorded();
        self.accepted.stills = stills.unwrap_or(self.accepted.stills);
        self.accepted.covered = covered.unwrap_or(self.accepted.covered);
        if recording == Some(false) {
            self.recording = self.recording.obey(RecordOrder::Stop).unwrap_or(self.recording);
        }
        let told = self.told_since(before);
        (self, told)
    }

    /// Is there anything that an order may have been about which nobody could write down?
    #[must_use]
    pub fn may_have_been_stopped(&self) -> bool {
        self.ending().is_none()
            && self.recording == Recording::On
            && self.participants.iter().any(|one| one.publications > 0)
    }

    /// What there is to tell, if it was recorded so before.
    pub(super) fn told_since(&self, before: Recording) -> Vec<Fact> {
        let recording = self.recorded();
        (recording != before).then_some(Fact::RecordingChanged { recording }).into_iter().collect()
    }
}
