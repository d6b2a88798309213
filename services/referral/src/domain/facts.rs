//! What was heard about a call from the other services. Facts only accumulate, each in its own place, so the order in which the
//! streams bring them doesn't matter.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use ids::{CallId, ExhibitId, IncidentRef, OfficerId, SessionId};
use serde::{Deserialize, Serialize};

/// Everything heard about a call that fills an item, decides whether it applies, or who may do what.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Facts {
    /// The force's own reference.
    pub incident: Option<IncidentRef>,
    /// The first call, of a follow-up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub follow_up_of: Option<CallId>,
    /// The last word on each consent.
    pub consents: BTreeMap<ConsentKind, Answer>,
    /// The last word on each consent of which there are many in a call.
    pub consents_each: ConsentsEach,
    /// Who has the call, by the desk's last word.
    pub with: Option<With>,
    /// What was recorded.
    pub exhibit: Option<Exhibit>,
    /// How the session ended.
    pub ended: Option<Ended>,
    /// The control room heard of children where the caller is.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub children_said: bool,
    /// Stills and photographs, by their names in the exhibit.
    pub stills: BTreeSet<String>,
}

/// What a caller can agree to or refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentKind {
    /// To speak by video.
    Video,
    /// To be recorded.
    Recording,
    /// To have stills taken.
    Stills,
    /// To be recorded also while they have covered the call.
    Covered,
}

/// Consents about one of several, by intake's subject: a reference, and never a name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConsentsEach {
    /// To a child's part in the call.
    pub children: BTreeMap<String, Answer>,
    /// To a referral: `idva/1`.
    pub referrals: BTreeMap<String, Answer>,
}

/// What a consent was about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Consent {
    /// The call.
    Call(ConsentKind),
    /// One child.
    Child(String),
    /// One referral.
    Referral(String),
}

/// A consent as it was last answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Or refused.
    pub given: bool,
    /// The call's version at intake when it was taken: an older one never replaces a newer.
    pub version: u64,
}

/// Who has the call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct With {
    /// Nobody: it was given back.
    pub officer: Option<OfficerId>,
    /// The call's version at the desk when that was so.
    pub version: u64,
}

/// The exhibit of the call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exhibit {
    /// Its id.
    pub id: ExhibitId,
    /// Its reference: `ABC/1`.
    pub reference: String,
    /// Hex SHA-256 of its seal, once sealed.
    pub seal: Option<String>,
}

/// The end of the session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// Which session.
    pub session: SessionId,
    /// Whether anything was recorded.
    pub recorded: bool,
    /// When it began and ended; unknown of sessions that were heard of before that was kept.
    #[serde(default)]
    pub times: Option<(DateTime<Utc>, DateTime<Utc>)>,
}

/// A fact from another service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// An officer has the call; the incident comes with it.
    Accepted(IncidentRef, With),
    /// Another officer has it, or nobody any more.
    Moved(With),
    /// The control room heard of children.
    ChildrenSaid,
    /// Consents were taken.
    Consented {
        /// Which, and whether given.
        answers: Vec<(Consent, bool)>,
        /// The call's version at intake.
        version: u64,
    },
    /// It follows this call: an officer has rung its caller.
    FollowUp(CallId),
    /// A still or a photograph was taken: its name in the exhibit.
    Pictured(String),
    /// The exhibit is open.
    ExhibitOpened {
        /// Its id.
        id: ExhibitId,
        /// Its reference.
        reference: String,
    },
    /// The exhibit is sealed.
    ExhibitSealed {
        /// Its id.
        id: ExhibitId,
        /// Its reference.
        reference: String,
        /// Hex SHA-256 of its seal.
        seal: String,
    },
}

/// What a fact did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// It is kept.
    Taken,
    /// It was known, or something newer is.
    Repeated,
    /// It contradicts what is kept: the first stands, and a person has to look.
    Conflict,
}

impl Facts {
    /// Keeps a fact.
    pub(super) fn hear(&mut self, fact: Fact) -> Heard {
        match fact {
            Fact::Accepted(incident, with) => {
                let (incident, moved) = (keep(&mut self.incident, incident), self.moved(with));
                if incident == Heard::Repeated { moved } else { incident }
            }
            Fact::Moved(with) => self.moved(with),
            Fact::ChildrenSaid if self.children_said => Heard::Repeated,
            Fact::ChildrenSaid => {
                self.children_said = true;
                Heard::Taken
            }
            Fact::Consented { answers, version } => {
                let mut heard = Heard::Repeated;
                for (consent, given) in answers {
                    let answer = Answer { given, version };
                    let newer = match consent {
                        Consent::Call(kind) => newest(&mut self.consents, kind, answer),
                        Consent::Child(subject) => newest(&mut self.consents_each.children, subject, answer),
                        Consent::Referral(subject) => newest(&mut self.consents_each.referrals, subject, answer),
                    };
                    if newer {
                        heard = Heard::Taken;
                    }
                }
                heard
            }
            Fact::FollowUp(first) => keep(&mut self.follow_up_of, first),
            Fact::Pictured(name) => {
                if self.stills.insert(name) {
                    Heard::Taken
                } else {
                    Heard::Repeated
                }
            }
            Fact::ExhibitOpened { id, reference } => match &self.exhibit {
                Some(known) if known.id == id => Heard::Repeated,
                Some(_) => Heard::Conflict,
                None => {
                    self.exhibit = Some(Exhibit { id, reference, seal: None });
                    Heard::Taken
                }
            },
            Fact::ExhibitSealed { id, reference, seal } => {
                let exhibit = self.exhibit.get_or_insert(Exhibit { id, reference, seal: None });
                if exhibit.id == id { keep(&mut exhibit.seal, seal) } else { Heard::Conflict }
            }
        }
    }

    fn moved(&mut self, with: With) -> Heard {
        if self.with.as_ref().is_some_and(|known| known.version >= with.version) {
            return Heard::Repeated;
        }
        self.with = Some(with);
        Heard::Taken
    }

    /// The call is this lent officer's: they have it, and its session goes on.
    #[must_use]
    pub fn is_with_lent(&self, officer: &OfficerId) -> bool {
        let has = self.with.as_ref().is_some_and(|with| with.officer.as_ref() == Some(officer));
        has && officer.lent_by().is_some() && self.ended.is_none()
    }
}

/// Whether it is newer than what was known.
fn newest<K: Ord>(known: &mut BTreeMap<K, Answer>, key: K, answer: Answer) -> bool {
    let newer = known.get(&key).is_none_or(|known| known.version < answer.version);
    if newer {
        known.insert(key, answer);
    }
    newer
}

/// The first value stays.
pub(super) fn keep<T: PartialEq>(place: &mut Option<T>, value: T) -> Heard {
    match place {
        None => {
            *place = Some(value);
            Heard::Taken
        }
        Some(known) if *known == value => Heard::Repeated,
        Some(_) => Heard::Conflict,
    }
}
