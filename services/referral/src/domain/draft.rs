//! What a draft would say at this moment, worked out at each look: a draft is a view of the case, and no text. Of its own it has a
//! partner and a note.

use super::{
    facts::ConsentsEach,
    fill::{self, Story},
    kind::{Kind, consent_subject},
    referral::{Blocked, Draft, Recipient, Referral, ReferralRefusal, Words},
};

/// To whom it would go, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Towards {
    /// Who.
    pub partner: Recipient,
    /// They serve the postcode that it is about.
    pub in_area: bool,
    /// By which way.
    pub way: Onwards,
}

/// The way by which a referral goes to a partner by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Onwards {
    /// None that may be used.
    ByHand,
    /// An e-mail.
    Email,
    /// A signed call of theirs.
    Webhook,
}

/// Whether the caller has said yes to such a referral, and hasn't taken it back.
#[must_use]
pub fn is_agreed(kind: &str, consents: &ConsentsEach) -> bool {
    consents.referrals.get(&consent_subject(kind)).is_some_and(|answer| answer.given)
}

impl Referral {
    /// Of the note: what it was written on.
    #[must_use]
    pub fn note_version(&self) -> u64 {
        version([self.note.0.as_str()])
    }

    /// Another partner, another note, written on that version of it; without one on whatever is there.
    ///
    /// # Errors
    /// It is no draft any more, or somebody else has written another note meanwhile.
    pub fn rewrite(
        mut self,
        partner: Option<String>,
        (note, seen): (Words, Option<u64>),
    ) -> Result<Self, ReferralRefusal> {
        if !self.is_draft() {
            return Err(ReferralRefusal::NotADraft);
        }
        if note != self.note && seen.is_some_and(|seen| seen != self.note_version()) {
            return Err(ReferralRefusal::ChangedMeanwhile);
        }
        (self.partner, self.note) = (partner, note);
        Ok(self)
    }
}

/// What it would say.
#[must_use]
pub fn view(
    referral: &Referral,
    kind: &Kind,
    story: Story<'_>,
    consents: &ConsentsEach,
    towards: Option<&Towards>,
) -> Draft {
    let fields = fill::fill(kind, story, referral.person);
    let missing = fill::missing(&fields);
    let partner = towards.map(|towards| towards.partner.clone());
    let kept = [
        (!missing.is_empty(), Blocked::FieldsMissing),
        (kind.consent && !is_agreed(&kind.key, consents), Blocked::ConsentMissing),
        (towards.is_none(), Blocked::NoPartner),
        (towards.is_some_and(|towards| towards.way == Onwards::ByHand), Blocked::NoRoute),
    ];
    let blocked = kept.into_iter().filter_map(|(is, blocked)| is.then_some(blocked)).collect();
    let lines = fields.iter().flat_map(|field| [field.key.as_str(), &field.label, &field.value]);
    let to = partner.as_ref().map_or("", |partner| partner.id.as_str());
    let version = version(lines.chain([referral.note.0.as_str(), to]));
    Draft { fields, missing, partner, version, blocked }
}

/// The same for the same words, another for others (FNV-1a: it is shown to whoever sent it, so there is nobody to forge it).
fn version<'t>(texts: impl IntoIterator<Item = &'t str>) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for text in texts {
        // Between two texts comes what is in none.
        for byte in text.bytes().chain([0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash
}
