//! What a draft would say at this moment. Worked out at each look: a draft is a view of the case, and no text.

use super::{
    facts::ConsentsEach,
    fill::{self, Field, Story},
    kind::{Kind, consent_subject},
    referral::{Blocked, Draft, Recipient, Referral},
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
    let version = version(&fields, &referral.note.0, partner.as_ref());
    Draft { fields, missing, partner, version, blocked }
}

/// The same for the same words, another for others (FNV-1a: it is shown to whoever sent it, so there is nobody to forge it).
fn version(fields: &[Field], note: &str, partner: Option<&Recipient>) -> u64 {
    let lines = fields.iter().flat_map(|field| [field.key.as_str(), &field.label, &field.value]);
    let partner = partner.map(|partner| partner.id.as_str()).unwrap_or_default();
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for text in lines.chain([note, partner]) {
        // Between two texts comes what is in none.
        for byte in text.bytes().chain([0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash
}
