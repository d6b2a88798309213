//! Who may come to the desk by video, and by which way in: rules that are data, read from the top, the first that fits
//! decides. Every refusal says what to do instead, because a contact handler with a caller on the line needs that.

mod condition;
mod rules;

use serde::{Deserialize, Serialize};

pub use rules::{BadRules, Rules};

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Somebody may be hurt before an officer could answer.
    ImmediateDanger,
    /// The offender would see the call.
    OffenderPresent,
    /// No way in that would not be seen, heard or read by somebody else.
    NoSafeRoute,
    /// The caller has not agreed to video.
    NoConsent,
}

impl Reason {
    /// Every one: each has its `instead`.
    pub const ALL: [Self; 4] = [Self::ImmediateDanger, Self::OffenderPresent, Self::NoSafeRoute, Self::NoConsent];

    /// The word in the contract and in the rule file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ImmediateDanger => "IMMEDIATE_DANGER",
            Self::OffenderPresent => "OFFENDER_PRESENT",
            Self::NoSafeRoute => "NO_SAFE_ROUTE",
            Self::NoConsent => "NO_CONSENT",
        }
    }
}

impl Verdict {
    /// The word for it in the rule file. Whether they consent is asked after the triage, so no rule says it.
    fn read(word: &str) -> Option<Self> {
        match word {
            "SPOKEN_CODE" => Some(Self::Eligible(Route::SpokenCode)),
            "SMS" => Some(Self::Eligible(Route::Sms)),
            _ => Reason::ALL
                .into_iter()
                .find(|reason| *reason != Reason::NoConsent && reason.as_str() == word)
                .map(Self::Ineligible),
        }
    }

    /// Whom it would put in danger, if anybody: no rule file may say so.
    fn harm(self, answers: &Answers) -> Option<&'static str> {
        let Self::Eligible(route) = self else { return None };
        let is_silent = answers.needs.silent.is_some();
        match route {
            _ if answers.immediate_danger => Some("somebody who may be hurt before an officer could answer"),
            _ if answers.offender_present => Some("somebody whose offender would see the call"),
            _ if !answers.can_join => Some("somebody who has no phone to join with"),
            Route::Sms if !answers.device.reads_alone() => Some("somebody whose messages another reads"),
            Route::SpokenCode if is_silent && !answers.can_listen => Some("somebody who neither speaks nor listens"),
            Route::SpokenCode if !is_silent && answers.device.overheard => Some("somebody who is overheard"),
            Route::Sms | Route::SpokenCode => None,
        }
    }
}

/// Reads the rules.
#[must_use]
pub fn judge(rules: &Rules, answers: &Answers) -> Verdict {
    rules.decide(answers).1
}

#[cfg(test)]
mod tests;
