//! What the caller agrees to, told anew while their call waits: the officer who takes it gets what holds then.

use super::{Call, Step};

/// What the caller has told the control room that they agree to; nothing said, nothing changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Consents {
    /// To video at all.
    pub video: Option<bool>,
    /// To be recorded.
    pub recording: Option<bool>,
    /// To have stills taken.
    pub stills: Option<bool>,
    /// To be recorded also while they have covered the call.
    pub covered: Option<bool>,
}

impl Call {
    /// The caller has said anew what they agree to. Without video there is nothing to wait for: the call leaves the queue. Once an
    /// officer has it this is the session's to heed. One that went back stays where it is, whatever they say: it may be an
    /// officer's once more by a call-back, and then brings along what was said last.
    #[must_use]
    pub fn consented(mut self, Consents { video, recording, stills, covered }: Consents) -> Option<Step> {
        let facts = &mut self.facts;
        facts.recording_consented = recording.unwrap_or(facts.recording_consented);
        facts.stills_consented = stills.unwrap_or(facts.stills_consented);
        facts.covered_recording_consented = covered.unwrap_or(facts.covered_recording_consented);
        let went_back = self.may_be_called_back();
        if video == Some(false) && !went_back {
            return self.abandon("VIDEO_CONSENT_WITHDRAWN");
        }
        (self.waits() || went_back).then_some(Step { call: self, settled: None, published: None, alert: None })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{
        super::tests::{RULES, at, officer, queued},
        *,
    };
    use crate::domain::{Outcome, Published, Risk, State};

    #[test]
    fn what_the_caller_agrees_to_follows_while_it_waits_and_no_longer() {
        let no = Consents { recording: Some(false), stills: Some(true), ..Consents::default() };
        let call = queued(1, Risk::High, 0).offer(officer(1), at(0), &RULES).call;
        let step = call.clone().consented(no).unwrap();
        assert_eq!(
            (&step.call.state, &step.settled, &step.published),
            (&call.state, &None, &None),
            "it stays on offer"
        );
        let facts = &step.call.facts;
        assert_eq!((facts.recording_consented, facts.stills_consented), (false, true));
        assert_eq!(
            facts.covered_recording_consented, call.facts.covered_recording_consented,
            "nothing said, nothing changed"
        );
        let accepted = step.call.accept(&officer(1), at(1)).unwrap().call;
        assert_eq!(accepted.consented(Consents { video: Some(false), ..no }), None, "the session's to heed");
    }

    #[test]
    fn without_consent_to_video_it_leaves_the_queue() {
        let no = Consents { video: Some(false), ..Consents::default() };
        let call = queued(1, Risk::High, 0);
        let offered = call.clone().offer(officer(1), at(0), &RULES).call;
        for (call, settled) in [(call, None), (offered, Some(Outcome::Withdrawn))] {
            let step = call.consented(no).unwrap();
            assert_eq!(step.settled.map(|settled| settled.outcome), settled);
            assert_eq!(step.published, Some(Published::Abandoned("VIDEO_CONSENT_WITHDRAWN")));
            assert_eq!(step.call.state, State::Abandoned);
            assert_eq!(step.call.consented(no), None);
        }
    }

    #[test]
    fn one_that_went_back_keeps_what_was_said_last_for_a_call_back_and_stays_where_it_is() {
        let back = queued(1, Risk::High, 0).hand_back(&officer(9), true).unwrap().call;
        let no = Consents { video: Some(false), recording: Some(false), ..Consents::default() };
        let step = back.clone().consented(no).unwrap();
        assert_eq!((&step.call.state, step.published, step.settled), (&back.state, None, None));
        assert!(step.call.may_be_called_back() && !step.call.facts.recording_consented);
    }
}
