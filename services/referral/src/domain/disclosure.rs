//! Clare's Law, stage by stage (Domestic Violence Disclosure Scheme, statutory guidance, Home Office 2023). The application is a referral;
//! this is what becomes of it. Nothing is disclosed before somebody has decided so on checks, unless somebody must be protected at once,
//! and then with why. What is disclosed is said, and stands nowhere here.

#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, fmt};

use chrono::{DateTime, Utc};
use ids::OfficerId;
use serde::{Deserialize, Serialize};

/// The stages of an application, in the order in which they were recorded.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Disclosure {
    /// All of them.
    pub stages: Vec<Recorded>,
}

/// A stage, and who recorded it.
#[derive(Clone, PartialEq, Eq)]
pub struct Recorded {
    /// What was done.
    pub stage: Stage,
    /// By whom it was recorded.
    pub by: OfficerId,
    /// When.
    pub at: DateTime<Utc>,
}

/// What was done.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case", deny_unknown_fields)]
pub enum Stage {
    /// Something was checked.
    Check {
        /// What.
        check: Check,
        /// What it came to.
        result: String,
    },
    /// Somebody decided.
    Decision {
        /// To disclose, or that there is nothing that may or must be.
        disclose: bool,
        /// Why.
        reasons: String,
        /// Who.
        decided_by: String,
    },
    /// How it is told without danger.
    Plan {
        /// When.
        when: DateTime<Utc>,
        /// Where, or by which way.
        way: String,
        /// Who is there.
        present: String,
    },
    /// It was told, or that there is nothing to be told.
    Told {
        /// When.
        when: DateTime<Utc>,
        /// Who told it to whom.
        to: String,
        /// In a part of the session that was deliberately not recorded.
        unrecorded: bool,
        /// Before a decision: why it could not wait. Empty otherwise.
        immediate_protection: String,
    },
}

/// What can be checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// The applicant is who they say.
    Identity,
    /// It is safe for them to be told, and to have asked.
    Safety,
    /// The force's own records.
    LocalRecords,
    /// PNC, PND and the like.
    NationalRecords,
    /// Of other forces.
    OtherForces,
    /// Of partners.
    Partners,
}

/// How far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Applied for.
    Applied,
    /// To be disclosed, and to be planned.
    ToBePlanned,
    /// When, where and how is agreed.
    Planned,
    /// Told.
    Disclosed,
    /// Nothing is disclosed, and the applicant is to be told so.
    Refused,
    /// They were told so.
    ToldOfRefusal,
}

/// Why a stage isn't recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotRecorded {
    /// Another was recorded meanwhile.
    #[error("another stage was recorded meanwhile")]
    Changed,
    /// Whom it would endanger isn't known, nor who they are.
    #[error("identity and safety must have been checked before anything is decided")]
    Unchecked,
    /// Nobody has decided, and nothing says that it could not wait.
    #[error("nothing is told before it was decided, unless somebody must be protected at once")]
    Undecided,
    /// Nobody has said when and how it is safe.
    #[error("it is not told before a safe time and way are planned")]
    Unplanned,
    /// It is over, or was decided already.
    #[error("that stage is past")]
    Past,
    /// A field is missing or too long: which.
    #[error("{0} is needed, and has its limit")]
    Invalid(&'static str),
}

impl Disclosure {
    /// Counted up with each stage.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.stages.len() as u64
    }

    /// How far it has come.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.stages.iter().fold(Standing::Applied, |standing, recorded| match (&recorded.stage, standing) {
            (Stage::Check { .. }, standing) => standing,
            // Also after what could not wait was told: the rest is planned.
            (Stage::Decision { disclose: true, .. }, _) => Standing::ToBePlanned,
            (Stage::Decision { disclose: false, .. }, Standing::Disclosed) => Standing::Disclosed,
            (Stage::Decision { disclose: false, .. }, _) => Standing::Refused,
            (Stage::Plan { .. }, _) => Standing::Planned,
            (Stage::Told { immediate_protection, .. }, Standing::Refused) if immediate_protection.is_empty() => {
                Standing::ToldOfRefusal
            }
            (Stage::Told { .. }, _) => Standing::Disclosed,
        })
    }

    /// What it was decided, once it was: the application's outcome.
    #[must_use]
    pub fn decision(&self) -> Option<bool> {
        self.stages.iter().find_map(|recorded| match recorded.stage {
            Stage::Decision { disclose, .. } => Some(disclose),
            _ => None,
        })
    }

    /// Records a stage on version `base`.
    ///
    /// # Errors
    /// It is not its turn, or says too little or too much.
    pub fn record(mut self, base: u64, recorded: Recorded) -> Result<Self, NotRecorded> {
        if base != self.version() {
            return Err(NotRecorded::Changed);
        }
        recorded.stage.check()?;
        match (&recorded.stage, self.standing()) {
            (_, Standing::ToldOfRefusal) => return Err(NotRecorded::Past),
            (Stage::Check { .. }, _) => {}
            (Stage::Decision { .. }, _) if self.decision().is_some() => return Err(NotRecorded::Past),
            (Stage::Decision { .. }, _) if !self.is_checked() => return Err(NotRecorded::Unchecked),
            (Stage::Decision { .. }, _) => {}
            // Planned anew, if it could not be kept.
            (Stage::Plan { .. }, Standing::ToBePlanned | Standing::Planned) => {}
            (Stage::Plan { .. }, Standing::Applied) => return Err(NotRecorded::Undecided),
            (Stage::Plan { .. }, _) => return Err(NotRecorded::Past),
            (Stage::Told { .. }, Standing::Planned | Standing::Refused) => {}
            (Stage::Told { immediate_protection, .. }, Standing::Applied | Standing::ToBePlanned)
                if !immediate_protection.trim().is_empty() => {}
            (Stage::Told { .. }, Standing::Applied) => return Err(NotRecorded::Undecided),
            (Stage::Told { .. }, Standing::ToBePlanned) => return Err(NotRecorded::Unplanned),
            (Stage::Told { .. }, Standing::Disclosed) => return Err(NotRecorded::Past),
        }
        self.stages.push(recorded);
        Ok(self)
    }

    /// Who asks, and whether it is safe for them, is known.
    fn is_checked(&self) -> bool {
        let done: BTreeSet<_> = self
            .stages
            .iter()
            .filter_map(|recorded| match recorded.stage {
                Stage::Check { check, .. } => Some(check),
                _ => None,
            })
            .collect();
        done.contains(&Check::Identity) && done.contains(&Check::Safety)
    }
}

impl Stage {
    fn check(&self) -> Result<(), NotRecorded> {
        let needed = |name, text: &str, most: usize| {
            let fits = !text.trim().is_empty() && !text.contains('\0') && text.chars().count() <= most;
            if fits { Ok(()) } else { Err(NotRecorded::Invalid(name)) }
        };
        match self {
            Self::Check { result, .. } => needed("result", result, 1_000),
            Self::Decision { reasons, decided_by, .. } => {
                needed("reasons", reasons, 2_000)?;
                needed("decided_by", decided_by, 100)
            }
            Self::Plan { way, present, .. } => {
                needed("way", way, 200)?;
                needed("present", present, 200)
            }
            Self::Told { to, immediate_protection, .. } => {
                needed("to", to, 200)?;
                if immediate_protection.contains('\0') || immediate_protection.chars().count() > 1_000 {
                    return Err(NotRecorded::Invalid("immediate_protection"));
                }
                Ok(())
            }
        }
    }
}

impl fmt::Debug for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Check { .. } => "Check([redacted])",
            Self::Decision { .. } => "Decision([redacted])",
            Self::Plan { .. } => "Plan([redacted])",
            Self::Told { .. } => "Told([redacted])",
        })
    }
}

impl fmt::Debug for Disclosure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Disclosure({:?}, {} stages)", self.standing(), self.stages.len())
    }
}
