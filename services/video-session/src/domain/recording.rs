//! Whether what is said and shown is recorded: as the officer orders, and never again once consent is withdrawn.

use super::Illegal;

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
