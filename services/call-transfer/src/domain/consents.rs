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
    /// The caller has said anew what they agree to. Without video there is nothing to wait for: the call leaves the queue. Once an officer
    /// has it this is the session's to heed.
    #[must_use]
    pub fn consented(mut self, Consents { video, recording, stills, covered }: Consents) -> Option<Step> {
        let facts = &mut self.facts;
        facts.recording_consented = recording.unwrap_or(facts.recording_consented);
        facts.stills_consented = stills.unwrap_or(facts.stills_consented);
        facts.covered_recording_consented = covered.unwrap_or(facts.covered_recording_consented);
        if video == Some(false) {
            return self.abandon("VIDEO_CONSENT_WITHDRAWN");
        }
        self.waits().then_some(Step { call: self, settled: None, published: None, alert: None })
    }
}
