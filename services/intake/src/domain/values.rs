//! The values of a call: what was answered, agreed to, told and published. Words of the caller have no `Debug`.

use std::fmt;

use chrono::{DateTime, Utc};
use ids::{ComeNowWord, ExhibitId, OfficerId, PhoneNumber};
use serde::{Deserialize, Serialize};

use super::{
    CallbackNews, ConsentKind, FastTrackNews, Graded, Needs, ReferralNews, Subject,
    eligibility::{Route, Verdict},
};

/// How the caller reached the force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// 999, the emergency line.
    Emergency,
    /// 101, the other one.
    NonEmergency,
}

/// The grade the contact handler gives, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Standard.
    Standard,
    /// Medium.
    Medium,
    /// High.
    High,
}

/// A value that isn't what it must be: names the field and the rule, never the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{field} must be {rule}")]
pub struct Invalid {
    /// The field of the request.
    pub field: &'static str,
    /// The rule it breaks.
    pub rule: &'static str,
}

/// The most characters of one part of THRIVE.
pub const THRIVE_PART: usize = 2_000;

/// THRIVE in the contact handler's words. Personal data: kept in its own columns, and nowhere else.
#[derive(Clone, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "the six words are the definition")]
pub struct Thrive {
    pub threat: String,
    pub harm: String,
    pub risk: String,
    pub investigation: String,
    pub vulnerability: String,
    pub engagement: String,
}

impl Thrive {
    /// Checks the length of every part.
    ///
    /// # Errors
    /// A part is too long.
    pub fn checked(self) -> Result<Self, Invalid> {
        let parts = [&self.threat, &self.harm, &self.risk, &self.investigation, &self.vulnerability, &self.engagement];
        if parts.iter().any(|part| part.chars().count() > THRIVE_PART || part.contains('\0')) {
            return Err(Invalid { field: "thrive", rule: "up to 2,000 characters in each part" });
        }
        Ok(self)
    }
}

impl fmt::Debug for Thrive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Asked before any link is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Device {
    /// Somebody else uses the phone or can unlock it.
    pub shared: bool,
    /// Somebody else can read its messages.
    pub messages_read: bool,
    /// The caller can be seen or overheard now.
    pub overheard: bool,
}

impl Device {
    /// Is a message on it read by nobody but the caller?
    #[must_use]
    pub fn reads_alone(self) -> bool {
        !self.shared && !self.messages_read
    }
}

/// How the caller may be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// A text message may be sent.
    pub by_text: bool,
    /// The number rung from, unless withheld.
    pub number: Option<PhoneNumber>,
}

/// A BCP 47 tag: shape only; which languages have an interpreter is the desk's matter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Language(String);

impl Language {
    /// Takes a tag; nothing means English.
    ///
    /// # Errors
    /// Not shaped like one.
    pub fn parse(tag: &str) -> Result<Self, Invalid> {
        if tag.is_empty() {
            return Ok(Self::default());
        }
        let mut parts = tag.split('-');
        let primary = parts.next().unwrap_or_default();
        let shaped = (2..=8).contains(&primary.len())
            && primary.bytes().all(|b| b.is_ascii_alphabetic())
            && parts.all(|p| (1..=8).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphanumeric()));
        if shaped && tag.len() <= 35 {
            return Ok(Self(tag.to_owned()));
        }
        Err(Invalid { field: "language", rule: "a BCP 47 tag" })
    }

    /// The tag.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Language {
    fn default() -> Self {
        Self("en".to_owned())
    }
}

/// One triage, as answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answers {
    /// In the contact handler's words.
    pub thrive: Thrive,
    /// The phone and the room.
    pub device: Device,
    /// The word that means "come now", if one was agreed.
    pub come_now: Option<ComeNowWord>,
    /// Somebody may be hurt now.
    pub immediate_danger: bool,
    /// The offender is there.
    pub offender_present: bool,
    /// There is a phone with a camera and a way to a web page.
    pub can_join: bool,
    /// Of a caller who doesn't speak: they hear the line, and nobody else does.
    pub can_listen: bool,
    /// The grade given.
    pub risk: Risk,
    /// The language to be spoken.
    pub language: Language,
    /// Children are in the house.
    pub children_present: bool,
    /// What the caller needs of the desk.
    pub needs: Needs,
}

/// What the desk is told of a caller who can come to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fit {
    /// The grade given.
    pub risk: Risk,
    /// The language to be spoken.
    pub language: Language,
    /// Children are in the house.
    pub children_present: bool,
    /// The way in.
    pub route: Route,
    /// What the caller needs of it.
    #[serde(default)]
    pub needs: Needs,
}

/// A triage that was taken: its place in the call's history, and what it came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    /// 1 for the first.
    pub version: u32,
    /// Eligible or not.
    pub verdict: Verdict,
    /// What to do instead; nothing when eligible.
    pub instead: String,
    /// By which version of the rules.
    pub rules: String,
}

/// The exhibit that the call became.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seal {
    /// The exhibit.
    pub exhibit: ExhibitId,
    /// Its reference: `ABC/1`.
    pub reference: String,
    /// Hex SHA-256 of the seal.
    pub sha256: String,
}

/// What the control room is told, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Update {
    /// In the desk's queue.
    Queued(Place),
    /// On offer to an officer.
    Offered,
    /// An officer has it.
    Accepted {
        /// Who.
        officer: OfficerId,
    },
    /// The caller's code can be read out.
    InvitationReady,
    /// Safe to release the voice line.
    CallerJoined,
    /// The session is over.
    Ended {
        /// As the session gave it.
        reason: String,
    },
    /// What was recorded is sealed.
    Sealed(Seal),
    /// Taken back by the control room.
    Cancelled,
    /// It left the queue without an officer.
    Abandoned {
        /// As the desk gave it.
        reason: String,
    },
    /// The caller is the control room's again; in mid-call the end follows.
    Returned {
        /// As the desk gave it.
        reason: String,
        /// When a desk that is closed opens next.
        #[serde(default)]
        opens_at: Option<DateTime<Utc>>,
    },
    /// The caller is to be rung back, or what became of it.
    Callback(CallbackNews),
    /// The caller asks for help without saying so.
    Duress(Duress),
    /// The officer asks for somebody to be sent, and how that fares.
    FastTrack(FastTrackNews),
    /// The caller has changed their mind.
    ConsentChanged {
        /// About what; the tag has the name `kind`.
        consent: ConsentKind,
        /// Which child or referral.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subject: Option<Subject>,
        /// What it is now.
        given: bool,
    },
    /// The caller has covered the call: somebody has come who must not see it.
    Covered,
    /// They are back.
    Uncovered,
    /// An officer has graded the risk.
    RiskGraded(Graded),
    /// Help that the desk has set going, and what becomes of it.
    Referral(ReferralNews),
}

/// A place in the desk's queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// 1 is next.
    pub position: u32,
    /// How long until an officer answers; `None`: nobody can tell.
    #[serde(default)]
    pub expected_wait_s: Option<u32>,
}

/// The caller has asked for help without saying so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Duress {
    /// How.
    pub how: How,
    /// When.
    pub raised_at: DateTime<Utc>,
    /// The officer has seen it.
    pub acknowledged: bool,
}

/// How somebody asks for help without saying so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// By the word that was agreed.
    Word,
    /// By three taps on a dull corner of their page.
    Corner,
}

/// An update with its place: 1, 2, 3 ... within the call, or within the force, without a gap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told<U = Update> {
    /// Its place.
    pub sequence: u64,
    /// When it was learnt.
    pub at: DateTime<Utc>,
    /// What.
    pub update: U,
}
