//! What an earlier process of this disk was ordered about recording, or was asked by a caller, and may not have got to the sessions:
//! without Postgres its ledgers are all that is left of it.

use chassis::chain;
use ids::{ParticipantId, SessionId};

use crate::{
    domain::{Raised, RecordOrder, Remark},
    ledger,
    media::{Instruction, Media},
    spool::{Lines, Spool},
};

/// What is to be told to the sessions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recalled {
    pub(super) orders: Vec<(SessionId, RecordOrder)>,
    pub(super) pleas: Vec<LastPlea>,
}

/// The last time that a session's caller asked for help, as far as its ledger goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastPlea {
    /// In which session.
    pub session: SessionId,
    /// Who.
    pub caller: ParticipantId,
    /// How, and when.
    pub raised: Raised,
}

/// Reads the ledgers, and has the media core carry out the orders in them: to be done before anybody can publish, for whoever took back
/// their consent is not recorded until the rows know. That recording goes on is never among them: it is written down first.
pub async fn recall(spool: &Spool, media: &Media) -> Recalled {
    let read = spool.clone();
    let recalled = tokio::task::spawn_blocking(move || {
        let mut recalled = Recalled::default();
        for session in read.sessions() {
            recalled.read(&read, session);
        }
        recalled
    });
    let recalled = recalled.await.unwrap_or_else(|error| {
        tracing::error!(error = chain(&error), "orders about recording can't be recalled");
        let orders = spool.sessions().into_iter().map(|session| (session, RecordOrder::Pause)).collect();
        Recalled { orders, pleas: Vec::new() }
    });
    for (session, order) in recalled.orders.iter().copied() {
        let instruction = Instruction { session, order, by: None, reason: Remark::none() };
        // Nothing was ordered of this session yet, so there is nothing that could forbid it.
        let _ = media.record(instruction).await;
    }
    recalled
}

impl Recalled {
    /// Of orders only what is less than recording, and was ordered last.
    fn read(&mut self, spool: &Spool, session: SessionId) {
        let lines = match spool.lines_by_part(session, Lines::Ledger) {
            Ok(parts) => parts.into_values().flatten().collect::<Vec<_>>(),
            Err(error) => {
                tracing::error!(session_id = %session, %error, "the ledger can't be read for orders about recording: paused");
                return self.orders.push((session, RecordOrder::Pause));
            }
        };
        let standing = ledger::standing_order(&lines).filter(|order| *order != RecordOrder::Resume);
        self.orders.extend(standing.map(|order| (session, order)));
        let asked = ledger::last_plea(&lines);
        self.pleas.extend(asked.map(|(caller, raised)| LastPlea { session, caller, raised }));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use chassis::{Clock, Entropy};
    use chrono::DateTime;
    use tokio::sync::mpsc::unbounded_channel;

    use super::*;
    use crate::{
        domain::{How, Illegal},
        media::{MediaConfig, MediaError, Plea},
        spool::Owner,
    };

    fn ordering(owner: &Owner, order: RecordOrder) -> Instruction {
        Instruction { session: owner.session, order, by: None, reason: Remark::none() }
    }

    #[tokio::test]
    async fn what_was_ordered_is_so_before_anybody_publishes() {
        use RecordOrder::{Pause, Resume, Stop};
        let dir = tempfile::tempdir().unwrap();
        let spool = Spool::open(&dir.path().join("spool"), &dir.path().join("receipts"), None).unwrap();
        let noted = |owner: &Owner, orders: &[RecordOrder]| {
            spool.prepare(owner).unwrap();
            let lines: Vec<_> =
                orders.iter().map(|order| ledger::ordered(&ordering(owner, *order), DateTime::UNIX_EPOCH)).collect();
            spool.note(owner.session, &lines).unwrap();
        };
        let [stopped, paused, resumed, unreadable] = [1, 2, 3, 4].map(Owner::numbered);
        noted(&stopped, &[Pause, Stop]);
        // It has come back since, and the part after it is silent about it.
        ledger::leave_part(&spool, &stopped, DateTime::UNIX_EPOCH).unwrap();
        noted(&Owner { part: 3, ..Owner::numbered(1) }, &[]);
        noted(&paused, &[Pause, Resume, Pause]);
        noted(&resumed, &[Pause, Resume]);
        noted(&unreadable, &[]);
        // Asked twice.
        let plea = |n: u32| Plea {
            session: resumed.session,
            caller: uuid::Uuid::from_u128(7).into(),
            how: How::Corner,
            n,
            at: DateTime::from_timestamp_millis(1_800_000_000_500 * i64::from(n)).unwrap(),
        };
        spool.note(resumed.session, &[1, 2].map(|n| ledger::pleaded(&plea(n)))).unwrap();
        let folder = dir.path().join("spool").join(unreadable.session.to_string());
        std::fs::create_dir(folder.join("ledger.jsonl")).unwrap();

        let config = MediaConfig { listen: "127.0.0.1:0".parse().unwrap(), advertise: Vec::new(), tcp: false };
        let (events, mut heard) = unbounded_channel();
        let media = Media::start(config, Clock::system(), Entropy::seeded(1), events).unwrap();
        let Recalled { mut orders, pleas } = recall(&spool, &media).await;
        let Plea { session, caller, how, at, .. } = plea(2);
        assert_eq!(pleas, [LastPlea { session, caller, raised: Raised { how, at } }]);
        orders.sort_by_key(|(session, _)| *session);
        assert_eq!(orders, [(stopped.session, Stop), (paused.session, Pause), (unreadable.session, Pause)]);
        let refused = media.record(ordering(&stopped, Resume)).await;
        assert_eq!(refused, Err(MediaError::Recording(Illegal::RecordingStopped)));
        assert!(heard.try_recv().is_err(), "its line is in the ledger already");
    }
}
