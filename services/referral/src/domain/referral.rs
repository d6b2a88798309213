//! One referral from its draft to its outcome. Illegal steps are typed; what comes twice or late changes nothing.

#[cfg(test)]
mod tests;

use std::fmt;

use chrono::{DateTime, Utc};
use ids::{OfficerId, PersonId, ReferralId};
use serde::{Deserialize, Serialize};

use super::fill::Field;

/// A referral.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Referral {
    /// Ours.
    pub id: ReferralId,
    /// Its kind's key.
    pub kind: String,
    /// The child that it is about, for such a kind.
    pub person: Option<PersonId>,
    /// The partner that was chosen; none: the one of the area.
    pub partner: Option<String>,
    /// The officer's own words for the partner.
    pub note: Words,
    /// When it was drafted.
    pub made_at: DateTime<Utc>,
    /// Who drafted it; none: a rule.
    pub made_by: Option<OfficerId>,
    /// The rule that drafted it.
    pub made_because: String,
    /// How far it has come.
    pub stage: Stage,
}

/// How far it has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// It is being written.
    Draft,
    /// The partner is told.
    Sent(Sent),
    /// They have it.
    Acknowledged(Sent, Acknowledged),
    /// Something came of it.
    Outcome(Sent, Option<Acknowledged>, Outcome),
    /// It was taken back: as a draft, or when it was sent.
    Withdrawn(Option<Sent>, Option<Acknowledged>, Withdrawn),
}

/// Somebody's words: no `Debug` that says anything.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Words(pub String);

/// What was sent, word for word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Sent {
    pub at: DateTime<Utc>,
    pub by: OfficerId,
    pub fields: Vec<Field>,
    pub partner: Option<Recipient>,
    /// The officer told them, and whom.
    pub by_hand: Option<Words>,
    /// It was sent on a consent.
    pub on_consent: bool,
    /// The consent was taken back since.
    pub consent_withdrawn: bool,
    /// Of what it said.
    pub version: u64,
}

/// To whom, as they were called then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Recipient {
    pub id: String,
    pub name: String,
    pub phone: String,
}

/// The partner has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Acknowledged {
    pub at: DateTime<Utc>,
    pub by: Words,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Outcome {
    pub at: DateTime<Utc>,
    pub what: Words,
    /// The partner said so, by the link in their letter: whoever has the letter has that.
    #[serde(default)]
    pub by_link: bool,
}

impl Outcome {
    /// "a place from Monday", and by whom if it wasn't an officer.
    #[must_use]
    pub fn in_words(&self) -> String {
        if self.by_link { format!("{} (by link)", self.what.0) } else { self.what.0.clone() }
    }
}

/// It was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Withdrawn {
    pub at: DateTime<Utc>,
    /// None: the caller took their consent back.
    pub by: Option<OfficerId>,
    pub why: Words,
}

/// What a draft would say now, and why it can't be sent yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Its lines.
    pub fields: Vec<Field>,
    /// Keys of the required ones that are empty.
    pub missing: Vec<String>,
    /// To whom it would go.
    pub partner: Option<Recipient>,
    /// Of what it says.
    pub version: u64,
    /// In the order in which they are to be mended.
    pub blocked: Vec<Blocked>,
}

/// What keeps a draft from being sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blocked {
    /// Something required isn't known.
    FieldsMissing,
    /// The caller hasn't said yes, or has taken it back.
    ConsentMissing,
    /// Nobody is chosen, and of the area there isn't exactly one.
    NoPartner,
    /// The partner has no way that may be used.
    NoRoute,
}

/// How it is sent, by whom, and when.
#[derive(Debug, Clone)]
pub struct Sending {
    /// The version that the officer saw.
    pub seen: u64,
    /// They have told them, and whom.
    pub by_hand: Option<Words>,
    /// The kind needs a consent.
    pub on_consent: bool,
    /// Who sends it.
    pub by: OfficerId,
    /// Now.
    pub at: DateTime<Utc>,
}

/// Why a step isn't taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferralRefusal {
    /// It was sent, or taken back.
    #[error("it is no draft any more")]
    NotADraft,
    /// What it says is another than the officer saw.
    #[error("it says something else meanwhile: look again")]
    ChangedMeanwhile,
    /// Something keeps it.
    #[error("it can't be sent yet")]
    Blocked(Blocked, Vec<String>),
    /// It wasn't sent, or was taken back.
    #[error("it was not sent, or was taken back")]
    NotSent,
    /// Its outcome is known, or it was taken back.
    #[error("its outcome is known, or it was taken back")]
    NotOpen,
    /// Something else was said of it.
    #[error("it is known what came of it")]
    OutcomeKnown,
}

/// What a step did, for whoever must be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The partner is to be told, unless they were by hand.
    Sent,
    /// The partner has it.
    Acknowledged,
    /// Something came of it.
    Outcome,
    /// It was taken back; whoever had it is told.
    Withdrawn,
    /// The consent was taken back when its outcome was known: the partner is told, and its state is what it was.
    Disowned,
}

type Stepped = Result<(Referral, Option<Step>), ReferralRefusal>;

impl Referral {
    /// Drafts it; `because` is the rule's, where no officer did.
    #[must_use]
    pub fn draft(
        id: ReferralId,
        (kind, person): (&str, Option<PersonId>),
        (made_by, because): (Option<OfficerId>, &str),
        at: DateTime<Utc>,
    ) -> Self {
        Self {
            id,
            kind: kind.to_owned(),
            person,
            partner: None,
            note: Words::default(),
            made_at: at,
            made_by,
            made_because: because.to_owned(),
            stage: Stage::Draft,
        }
    }

    /// It is being written.
    #[must_use]
    pub fn is_draft(&self) -> bool {
        self.stage == Stage::Draft
    }

    /// What was sent, if it was.
    #[must_use]
    pub fn sent(&self) -> Option<&Sent> {
        match &self.stage {
            Stage::Sent(sent) | Stage::Acknowledged(sent, _) | Stage::Outcome(sent, ..) => Some(sent),
            Stage::Withdrawn(sent, ..) => sent.as_ref(),
            Stage::Draft => None,
        }
    }

    /// Sends what the draft says. By hand it needs no partner of ours and no route; what it says, and consent, it needs.
    ///
    /// # Errors
    /// Says what keeps it.
    pub fn send(mut self, draft: Draft, sending: Sending) -> Stepped {
        if !self.is_draft() {
            return Err(ReferralRefusal::NotADraft);
        }
        if draft.version != sending.seen {
            return Err(ReferralRefusal::ChangedMeanwhile);
        }
        let by_hand = sending.by_hand.is_some();
        let keeps = |blocked: &&Blocked| !(by_hand && matches!(blocked, Blocked::NoPartner | Blocked::NoRoute));
        if let Some(blocked) = draft.blocked.iter().find(keeps) {
            return Err(ReferralRefusal::Blocked(*blocked, draft.missing));
        }
        self.stage = Stage::Sent(Sent {
            at: sending.at,
            by: sending.by,
            fields: draft.fields,
            partner: draft.partner,
            by_hand: sending.by_hand,
            on_consent: sending.on_consent,
            consent_withdrawn: false,
            version: draft.version,
        });
        Ok((self, Some(Step::Sent)))
    }

    /// The partner has it. Who was first stays.
    ///
    /// # Errors
    /// It wasn't sent, or was taken back.
    pub fn acknowledge(mut self, by: Words, at: DateTime<Utc>) -> Stepped {
        let acknowledged = Acknowledged { at, by };
        let (stage, step) = match self.stage {
            Stage::Sent(sent) => (Stage::Acknowledged(sent, acknowledged), Some(Step::Acknowledged)),
            // Said late: the outcome came first.
            Stage::Outcome(sent, None, outcome) => {
                (Stage::Outcome(sent, Some(acknowledged), outcome), Some(Step::Acknowledged))
            }
            said @ (Stage::Acknowledged(..) | Stage::Outcome(..)) => (said, None),
            Stage::Draft | Stage::Withdrawn(..) => return Err(ReferralRefusal::NotSent),
        };
        self.stage = stage;
        Ok((self, step))
    }

    /// Something came of it, an officer says; said anew, that is what came of it. The same words are nothing new.
    ///
    /// # Errors
    /// It wasn't sent, or was taken back.
    pub fn record_outcome(self, what: Words, at: DateTime<Utc>) -> Stepped {
        self.came(Outcome { at, what, by_link: false })
    }

    /// Something came of it, says who has the partner's link: once, and not over what an officer has said.
    ///
    /// # Errors
    /// It wasn't sent, or was taken back; or something else was said of it before.
    pub fn record_outcome_by_link(self, what: Words, at: DateTime<Utc>) -> Stepped {
        match &self.stage {
            Stage::Outcome(_, _, before) if before.what != what => Err(ReferralRefusal::OutcomeKnown),
            _ => self.came(Outcome { at, what, by_link: true }),
        }
    }

    fn came(mut self, outcome: Outcome) -> Stepped {
        let (sent, acknowledged) = match self.stage {
            Stage::Sent(sent) => (sent, None),
            Stage::Acknowledged(sent, acknowledged) => (sent, Some(acknowledged)),
            Stage::Outcome(_, _, ref before) if before.what == outcome.what => return Ok((self, None)),
            Stage::Outcome(sent, acknowledged, _) => (sent, acknowledged),
            Stage::Draft | Stage::Withdrawn(..) => return Err(ReferralRefusal::NotSent),
        };
        self.stage = Stage::Outcome(sent, acknowledged, outcome);
        Ok((self, Some(Step::Outcome)))
    }

    /// Takes it back. An outcome that came by link keeps nobody from it: the letter may have gone astray.
    ///
    /// # Errors
    /// Its outcome is known, or it was taken back.
    pub fn withdraw(mut self, withdrawn: Withdrawn) -> Stepped {
        let (sent, acknowledged) = match self.stage {
            Stage::Draft => (None, None),
            Stage::Sent(sent) => (Some(sent), None),
            Stage::Acknowledged(sent, acknowledged) => (Some(sent), Some(acknowledged)),
            Stage::Outcome(sent, acknowledged, Outcome { by_link: true, .. }) => (Some(sent), acknowledged),
            Stage::Outcome(..) | Stage::Withdrawn(..) => return Err(ReferralRefusal::NotOpen),
        };
        self.stage = Stage::Withdrawn(sent, acknowledged, withdrawn);
        Ok((self, Some(Step::Withdrawn)))
    }

    /// The caller took back the consent that it was sent on: so it is taken back, and says so. A draft can't be sent, and stays.
    #[must_use]
    pub fn consent_withdrawn(mut self, at: DateTime<Utc>) -> (Self, Option<Step>) {
        if !self.sent().is_some_and(|sent| sent.on_consent && !sent.consent_withdrawn) {
            return (self, None);
        }
        let withdrawn = || Withdrawn { at, by: None, why: Words("consent taken back".to_owned()) };
        let marked = |sent| Sent { consent_withdrawn: true, ..sent };
        let (stage, step) = match self.stage {
            Stage::Sent(sent) => (Stage::Withdrawn(Some(marked(sent)), None, withdrawn()), Some(Step::Withdrawn)),
            Stage::Acknowledged(sent, acknowledged) => {
                (Stage::Withdrawn(Some(marked(sent)), Some(acknowledged), withdrawn()), Some(Step::Withdrawn))
            }
            Stage::Outcome(sent, acknowledged, outcome) => {
                (Stage::Outcome(marked(sent), acknowledged, outcome), Some(Step::Disowned))
            }
            // They were told already.
            Stage::Withdrawn(sent, acknowledged, why) => (Stage::Withdrawn(sent.map(marked), acknowledged, why), None),
            Stage::Draft => (Stage::Draft, None),
        };
        self.stage = stage;
        (self, step)
    }
}

impl Blocked {
    /// As in help.proto.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FieldsMissing => "FIELDS_MISSING",
            Self::ConsentMissing => "CONSENT_MISSING",
            Self::NoPartner => "NO_PARTNER",
            Self::NoRoute => "NO_ROUTE",
        }
    }
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
