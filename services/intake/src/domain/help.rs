//! Help that the desk sets going: what the control room is told of risk and referrals, in the call and after it. It changes nothing in the
//! call.

use ids::{OfficerId, ReferralId};
use serde::{Deserialize, Serialize};

use super::{Risk, Update};

/// A grade that an officer has given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Graded {
    /// Which.
    pub grade: Risk,
    /// Whose judgement it is.
    pub officer: OfficerId,
}

/// A referral, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferralNews {
    /// Which.
    pub id: ReferralId,
    /// To whom such referrals go: `idva`, `marac`.
    pub about: String,
    /// What became of it.
    pub stand: ReferralStand,
}

/// What became of a referral.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReferralStand {
    /// On its way, or told by hand.
    Made,
    /// The partner has it.
    Acknowledged,
    /// Taken back.
    Withdrawn,
    /// It could not be delivered.
    NotDelivered,
}

/// Something that the desk has set going.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Help {
    /// The risk was graded.
    Graded(Graded),
    /// A referral.
    Referral(ReferralNews),
}

impl Help {
    pub(super) fn told(self) -> Update {
        match self {
            Self::Graded(graded) => Update::RiskGraded(graded),
            Self::Referral(news) => Update::Referral(news),
        }
    }
}
