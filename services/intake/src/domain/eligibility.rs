//! Who may come to the desk by video, and by which way in: two tables, read from the top, the first line that
//! fits decides. Every refusal says what to do instead, because a contact handler with a caller on the line needs that.

use serde::{Deserialize, Serialize};

use super::Answers;

/// What a triage comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The caller can come to the desk by this way in.
    Eligible(Route),
    /// Not by video, and this is why.
    Ineligible(Reason),
}

/// The caller's way in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Route {
    /// Read out on the phone line; nothing is left on the phone.
    SpokenCode,
    /// A text message, for a caller who can't speak.
    Sms,
}

/// Why a call can't come to the desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Somebody may be hurt before an officer could answer.
    ImmediateDanger,
    /// The offender would see the call.
    OffenderPresent,
    /// No way in that would not be seen, heard or read by somebody else.
    NoSafeRoute,
}

impl Reason {
    /// The word in the contract.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ImmediateDanger => "IMMEDIATE_DANGER",
            Self::OffenderPresent => "OFFENDER_PRESENT",
            Self::NoSafeRoute => "NO_SAFE_ROUTE",
        }
    }

    /// What to do instead, for the contact handler's screen.
    #[must_use]
    pub fn instead(self) -> &'static str {
        match self {
            Self::ImmediateDanger => "Send a response unit now. Keep the caller on the voice line.",
            Self::OffenderPresent => {
                "Send an officer in person. Keep the voice line open, and agree a safe time to call back."
            }
            Self::NoSafeRoute => {
                "Send an officer in person, or agree a safe time to call back on a phone nobody else reads."
            }
        }
    }
}

/// One line of the first table: what rules a call out.
struct Bar {
    when: fn(&Answers) -> bool,
    reason: Reason,
}

const BARS: [Bar; 3] = [
    Bar { when: |a| a.immediate_danger, reason: Reason::ImmediateDanger },
    Bar { when: |a| a.offender_present, reason: Reason::OffenderPresent },
    Bar { when: |a| !a.can_join, reason: Reason::NoSafeRoute },
];

/// One line of the second: which way in the phone and the room allow.
struct Way {
    when: fn(&Answers) -> bool,
    verdict: Verdict,
}

const WAYS: [Way; 3] = [
    // Nobody listens: a spoken code, whoever else has the phone, for it leaves nothing there.
    Way { when: |a| !a.device.overheard, verdict: Verdict::Eligible(Route::SpokenCode) },
    // Somebody listens, and somebody reads.
    Way { when: |a| !a.device.reads_alone(), verdict: Verdict::Ineligible(Reason::NoSafeRoute) },
    Way { when: |_| true, verdict: Verdict::Eligible(Route::Sms) },
];

/// Reads the tables.
#[must_use]
pub fn judge(answers: &Answers) -> Verdict {
    if let Some(bar) = BARS.iter().find(|bar| (bar.when)(answers)) {
        return Verdict::Ineligible(bar.reason);
    }
    WAYS.iter().find(|way| (way.when)(answers)).map_or(Verdict::Ineligible(Reason::NoSafeRoute), |way| way.verdict)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Device, Language, Risk, Thrive};

    fn answers(bits: u8) -> Answers {
        let bit = |n: u8| bits & (1 << n) != 0;
        Answers {
            thrive: Thrive::default(),
            come_now: None,
            device: Device { shared: bit(0), messages_read: bit(1), overheard: bit(2) },
            immediate_danger: bit(3),
            offender_present: bit(4),
            can_join: bit(5),
            risk: Risk::Standard,
            language: Language::default(),
            children_present: false,
            needs: crate::domain::Needs::default(),
        }
    }

    #[test]
    fn every_answer_has_its_verdict() {
        for bits in 0..64 {
            let a = answers(bits);
            let verdict = judge(&a);
            let eligible = matches!(verdict, Verdict::Eligible(_));
            assert!(!(eligible && (a.immediate_danger || a.offender_present || !a.can_join)), "{bits:06b}");
            match verdict {
                Verdict::Eligible(Route::SpokenCode) => assert!(!a.device.overheard),
                Verdict::Eligible(Route::Sms) => assert!(!a.device.shared && !a.device.messages_read),
                Verdict::Ineligible(reason) => assert!(!reason.instead().is_empty()),
            }
        }
    }

    #[test]
    fn danger_is_named_before_anything_else() {
        let worst = answers(0b01_1111);
        assert_eq!(judge(&worst), Verdict::Ineligible(Reason::ImmediateDanger));
        assert_eq!(judge(&answers(0b10_0000)), Verdict::Eligible(Route::SpokenCode));
        assert_eq!(judge(&answers(0b10_0100)), Verdict::Eligible(Route::Sms));
        assert_eq!(judge(&answers(0b10_0101)), Verdict::Ineligible(Reason::NoSafeRoute));
    }
}
