//! Whether what is said and shown is recorded: as the officer orders, and never again once consent is withdrawn.

use super::{Fact, Illegal, Session};

/// How the recording stands, the more restrained the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Recording {
    /// Everything is recorded.
    On,
    /// Nothing is, until the officer says so.
    Paused,
    /// Consent was withdrawn in mid-call: nothing is, for good.
    Stopped,
    /// The caller never agreed.
    Refused,
}

/// What can be ordered about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordOrder {
    /// Records nothing for a while.
    Pause,
    /// Goes on.
    Resume,
    /// Records nothing any more.
    Stop,
}

impl Recording {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::On, Self::Paused, Self::Stopped, Self::Refused];

    /// As the database and the pages spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
            Self::Refused => "refused",
        }
    }

    /// The one spelt so, if there is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|recording| recording.as_str() == text)
    }

    /// Is there a recording, going on or to be gone on with?
    #[must_use]
    pub fn is_kept(self) -> bool {
        matches!(self, Self::On | Self::Paused)
    }

    /// What an order makes of it; the same one again makes nothing of it.
    ///
    /// # Errors
    /// When it would be recorded against the caller's will.
    pub fn obey(self, order: RecordOrder) -> Result<Self, Illegal> {
        match (self, order) {
            (Self::On | Self::Paused, RecordOrder::Pause) => Ok(Self::Paused),
            (Self::On | Self::Paused, RecordOrder::Resume) => Ok(Self::On),
            (Self::On | Self::Paused | Self::Stopped, RecordOrder::Stop) => Ok(Self::Stopped),
            (Self::Refused, RecordOrder::Stop) => Ok(Self::Refused),
            (Self::Stopped, RecordOrder::Pause | RecordOrder::Resume) => Err(Illegal::RecordingStopped),
            (Self::Refused, RecordOrder::Pause | RecordOrder::Resume) => Err(Illegal::NotRecorded),
        }
    }
}

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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn orders() -> impl Strategy<Value = Vec<RecordOrder>> {
        let order = prop::sample::select(&[RecordOrder::Pause, RecordOrder::Resume, RecordOrder::Stop]);
        prop::collection::vec(order, 0..12)
    }

    proptest! {
        #[test]
        fn whatever_is_ordered(start in prop::sample::select(&Recording::ALL), orders in orders()) {
            let (mut recording, mut stopped) = (start, !start.is_kept());
            for order in orders {
                let Ok(next) = recording.obey(order) else {
                    prop_assert!(stopped && order != RecordOrder::Stop, "only what is over for good refuses");
                    continue;
                };
                stopped |= order == RecordOrder::Stop;
                prop_assert_eq!(next.obey(order), Ok(next), "a duplicate is harmless");
                prop_assert_eq!(next.is_kept(), !stopped, "stopped is for good");
                prop_assert_eq!(next == Recording::On, order == RecordOrder::Resume);
                prop_assert_eq!(next == Recording::Refused, start == Recording::Refused, "nobody's refusal is forgotten");
                recording = next;
            }
        }
    }

    #[test]
    fn every_state_is_read_as_it_is_written() {
        for recording in Recording::ALL {
            assert_eq!(Recording::parse(recording.as_str()), Some(recording));
        }
    }
}
