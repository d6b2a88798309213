//! How a session is recorded at a moment: as its officer has ordered, as the caller agrees to, and as the cover allows.

use chrono::{DateTime, Utc};
use ids::SessionId;

use super::{Accepted, EndReason, Fact, Illegal, RecordOrder, Recording, Session};

/// What the caller has told the control room that they agree to; nothing said, nothing changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Consents {
    /// To video at all.
    pub video: Option<bool>,
    /// To be recorded.
    pub recording: Option<bool>,
    /// To have stills taken.
    pub stills: Option<bool>,
    /// To be recorded also while they have covered the call; and the force allows it.
    pub covered: Option<bool>,
}

/// The same, with its place in all that intake tells of the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    /// The greater is the newer.
    pub version: u64,
    /// What was said.
    pub consents: Consents,
}

impl Consents {
    /// What holds after all of these, in whatever order they were heard: of each kind what was said last.
    fn last_of(mut said: Vec<Said>) -> Self {
        said.sort_by_key(|said| said.version);
        said.into_iter().fold(Self::default(), |before, Said { consents: newer, .. }| Self {
            video: newer.video.or(before.video),
            recording: newer.recording.or(before.recording),
            stills: newer.stills.or(before.stills),
            covered: newer.covered.or(before.covered),
        })
    }
}

impl Session {
    /// The session of a call that was just accepted, about which this was heard earlier. Either the desk or we may have heard less than the
    /// other: where they differ nothing is done that one of them has a no to. Without video it is over as it begins.
    #[must_use]
    pub fn open_heeding(id: SessionId, mut accepted: Accepted, said: Vec<Said>, now: DateTime<Utc>) -> Self {
        let Consents { video, recording, stills, covered } = Consents::last_of(said);
        accepted.recording &= recording != Some(false);
        accepted.stills &= stills != Some(false);
        accepted.covered &= covered != Some(false);
        let session = Self::open(id, accepted, now);
        if video == Some(false) { session.end(EndReason::VideoConsentWithdrawn, now).0 } else { session }
    }

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
    /// mid-call. Without video the call is over.
    #[must_use]
    pub fn consented(mut self, consents: Consents, now: DateTime<Utc>) -> (Self, Vec<Fact>) {
        if self.ending().is_some() {
            return (self, Vec::new());
        }
        let Consents { video, recording, stills, covered } = consents;
        let before = self.recorded();
        self.accepted.stills = stills.unwrap_or(self.accepted.stills);
        self.accepted.covered = covered.unwrap_or(self.accepted.covered);
        if let Some(given) = recording {
            self.consented_to_recording(given);
        }
        let told = self.told_since(before);
        if video == Some(false) {
            self = self.end(EndReason::VideoConsentWithdrawn, now).0;
        }
        (self, told)
    }

    /// Until somebody sends anything it is as if the call had been accepted so: what was said last may be heard only now. From then on
    /// what was recorded stays, and no more comes.
    fn consented_to_recording(&mut self, given: bool) {
        let untouched = self.participants.iter().all(|one| one.publications == 0);
        self.recording = match (self.recording, given) {
            (Recording::On | Recording::Paused, false) if untouched => Recording::Refused,
            (Recording::Refused, true) if untouched => Recording::On,
            (recording, false) => recording.obey(RecordOrder::Stop).unwrap_or(recording),
            (recording, true) => recording,
        };
        if untouched {
            self.accepted.recording = self.recording != Recording::Refused;
        }
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
    #![allow(clippy::unwrap_used)]
    use ids::IncidentRef;
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::domain::Role;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    /// What was said last of a kind.
    type Kind = fn(&Consents) -> Option<bool>;
    fn last(history: &[Consents], kind: Kind) -> Option<bool> {
        history.iter().rev().find_map(kind)
    }

    /// As the desk tells of it that has heard this much.
    fn accepted(heard: &[Consents]) -> Accepted {
        let given = |kind| last(heard, kind).unwrap_or(false);
        Accepted {
            call: Uuid::from_u128(1).into(),
            force: "wmp".parse().unwrap(),
            officer: "o.one".parse().unwrap(),
            incident: IncidentRef::parse("2026-11-24", "1123").unwrap(),
            recording: given(|one| one.recording),
            stills: given(|one| one.stills),
            covered: given(|one| one.covered),
            silent: None,
        }
    }

    fn open(accepted: Accepted, said: Vec<Said>) -> Session {
        Session::open_heeding(Uuid::from_u128(2).into(), accepted, said, at(0))
    }

    fn numbered(history: &[Consents]) -> Vec<Said> {
        (1..).zip(history).map(|(version, consents)| Said { version, consents: *consents }).collect()
    }

    fn history() -> impl Strategy<Value = Vec<Consents>> {
        let video = prop_oneof![6 => Just(None), 1 => any::<bool>().prop_map(Some)];
        let consents = (video, any::<[Option<bool>; 3]>()).prop_map(|(video, [recording, stills, covered])| Consents {
            video,
            recording,
            stills,
            covered,
        });
        prop::collection::vec(consents, 0..8)
    }

    proptest! {
        /// However much of it the desk has heard, and the session before it is there, in whatever order and how often: what the caller
        /// last said no to isn't done, and what was heard last of all holds.
        #[test]
        fn a_no_holds_whenever_it_is_heard(
            history in history(), desk in 0_usize..8, early in 0_usize..8, turn in 0_usize..8, twice in any::<bool>(),
        ) {
            let [desk, early] = [desk, early].map(|count| count.min(history.len()));
            let mut said = numbered(&history[..early]);
            said.rotate_left(turn.min(early));
            if twice {
                said.extend(numbered(&history[..early]));
            }
            let accepted = accepted(&history[..desk]);
            let mut session = open(accepted.clone(), said);
            prop_assert_eq!(session.ending().is_some(), last(&history[..early], |one| one.video) == Some(false));
            for consents in &history[early..] {
                let once = session.consented(*consents, at(1)).0;
                session = once.clone().consented(*consents, at(2)).0;
                prop_assert_eq!(&session, &once, "told twice");
            }
            prop_assert!(session.ending().is_some() || last(&history, |one| one.video) != Some(false));
            if session.ending().is_some() {
                return Ok(());
            }
            let (is, was) = (&session.accepted, &accepted);
            let kinds: [(Kind, bool, bool); 3] = [
                (|one| one.recording, was.recording, is.recording),
                (|one| one.stills, was.stills, is.stills),
                (|one| one.covered, was.covered, is.covered),
            ];
            for (kind, was, is) in kinds {
                let holds = last(&history[early..], kind);
                prop_assert_eq!(is, holds.unwrap_or(was && last(&history[..early], kind) != Some(false)));
                prop_assert!(!is || last(&history, kind) == Some(true), "against their will");
            }
            let recording = if is.recording { Recording::On } else { Recording::Refused };
            prop_assert_eq!(session.recording, recording);
        }
    }

    #[test]
    fn without_video_the_call_is_over_and_keeps_its_first_ending() {
        let no = Consents { video: Some(false), ..Consents::default() };
        let (over, facts) = open(accepted(&[]), Vec::new()).consented(no, at(5));
        let ending = over.ending().unwrap();
        assert_eq!((ending.reason, ending.at, facts), (EndReason::VideoConsentWithdrawn, at(5), Vec::new()));
        assert_eq!(EndReason::parse(ending.reason.as_str()), Some(EndReason::VideoConsentWithdrawn));
        assert_eq!(over.clone().consented(no, at(6)).0, over);
        let (ended, _) = open(accepted(&[]), Vec::new()).end(EndReason::OfficerEnded, at(4));
        assert_eq!(ended.clone().consented(no, at(5)).0, ended, "too late to matter");
    }

    #[test]
    fn recording_that_has_begun_is_stopped_and_not_begun_again() {
        let [yes, no] = [true, false].map(|given| Consents { recording: Some(given), ..Consents::default() });
        let session = open(accepted(&[yes]), Vec::new());
        let (session, officer, _) = session.arrive(Role::Officer, None, Uuid::from_u128(3).into(), at(1)).unwrap();
        let (stopped, facts) = session.clone().publish(officer).unwrap().0.consented(no, at(2));
        assert_eq!((stopped.recording, stopped.accepted.recording), (Recording::Stopped, true), "something was");
        assert_eq!(facts, [Fact::RecordingChanged { recording: Recording::Stopped }]);
        assert_eq!(stopped.clone().consented(yes, at(3)).0, stopped);
        let refused = session.consented(no, at(2)).0.publish(officer).unwrap().0;
        assert_eq!(refused.clone().consented(yes, at(3)).0, refused, "not in mid-call");
    }
}
