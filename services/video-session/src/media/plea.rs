//! A caller asks for help without saying so. Nothing of the media changes: it comes here so that it is counted once, is in the ledger in
//! its order, and is heard of by the officer with the database away as well. What the rows say of it comes here, too, for an instance
//! that takes the call over has counted nothing yet.

use chrono::{DateTime, Utc};
use ids::{ParticipantId, SessionId};

use super::{MediaEvent, engine::Engine};
use crate::domain::{How, Pleas};

/// That a caller asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plea {
    /// In which session.
    pub session: SessionId,
    /// Who.
    pub caller: ParticipantId,
    /// How.
    pub how: How,
    /// The how-manieth in this way.
    pub n: u32,
    /// When it was heard.
    pub at: DateTime<Utc>,
}

impl Engine {
    /// A caller asks. False: that was known, or overtaken.
    pub(super) fn plead(&mut self, plea: Plea) -> bool {
        let is_new = self.pleas.entry(plea.session).or_default().count(plea.how, plea.n);
        if is_new {
            self.tell([MediaEvent::Pleaded(plea)]);
        }
        is_new
    }

    /// The rows say how far it is counted.
    pub(super) fn pleas_known(&mut self, Pleas { session, counted }: Pleas) {
        let known = self.pleas.entry(session).or_default();
        *known = known.or(counted);
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::bare::{engine, participant, session},
        *,
    };
    use crate::domain::Counted;

    #[test]
    fn each_is_told_of_once_whatever_the_rows_have_heard_of() {
        let (mut engine, mut events) = engine();
        let plea = |how, n| Plea { session: session(), caller: participant(1), how, n, at: DateTime::UNIX_EPOCH };
        let rows = |word, corner| Pleas { session: session(), counted: Counted { word, corner } };
        engine.pleas_known(rows(0, 2));
        assert!(!engine.plead(plea(How::Corner, 2)), "another instance was told");
        assert!(engine.plead(plea(How::Corner, 3)));
        engine.pleas_known(rows(0, 2));
        assert!(!engine.plead(plea(How::Corner, 3)), "said until it is heard");
        assert!(engine.plead(plea(How::Word, 1)), "each is counted by itself");
        let told = std::iter::from_fn(|| events.try_recv().ok()).filter_map(|event| match event {
            MediaEvent::Pleaded(Plea { how, n, .. }) => Some((how, n)),
            _ => None,
        });
        assert_eq!(told.collect::<Vec<_>>(), [(How::Corner, 3), (How::Word, 1)]);
    }
}
