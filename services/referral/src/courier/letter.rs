//! What is sent, whichever way it goes.

use chrono::{DateTime, Utc};
use ids::Secret;

use crate::{
    domain::delivery::{Body, ParcelId, What, reference},
    store::parcels::Claimed,
};

/// A parcel, to be written out.
#[derive(Debug)]
pub(super) struct Letter<'c> {
    /// The parcel's id: a repeat has the same.
    pub(super) id: ParcelId,
    /// How the referral is called, saying nothing.
    pub(super) reference: String,
    /// When it was written.
    pub(super) made_at: DateTime<Utc>,
    what: What,
    /// By which they say that they have it, and what came of it; none of a withdrawal.
    link: Option<Secret<String>>,
    /// What the partner is told.
    pub(super) body: &'c Body,
}

impl<'c> Letter<'c> {
    pub(super) fn of(claimed: &'c Claimed, link: Option<Secret<String>>) -> Self {
        let parcel = &claimed.parcel;
        let made_at = claimed.progress.made_at;
        let link = link.filter(|_| parcel.what == What::Referral);
        let (reference, body) = (reference(parcel.referral), &parcel.body);
        Self { id: claimed.id, reference, made_at, what: parcel.what, link, body }
    }

    /// The link, as text.
    pub(super) fn link(&self) -> Option<&str> {
        self.link.as_ref().map(|link| link.expose().as_str())
    }

    /// It says that a referral is taken back: its reference and nothing of what it said.
    pub(super) fn is_withdrawal(&self) -> bool {
        self.what == What::Withdrawal
    }

    /// For a person to read.
    pub(super) fn text(&self) -> String {
        let Self { id, reference, body, .. } = self;
        let mut text = format!("Referral {reference}\n\n");
        if self.is_withdrawal() {
            text.push_str("This referral is withdrawn. Please stop what was begun because of it.\n");
        } else {
            for line in &body.lines {
                text.extend([&line.label, ": ", &line.value, "\n"]);
            }
            if !body.note.is_empty() {
                text.extend(["\nFrom the officer:\n", &body.note, "\n"]);
            }
        }
        if let Some(link) = self.link() {
            text.extend(["\nSay here that you have it, and later what came of it:\n", link, "\n"]);
            text.push_str("Whoever has this link can say so: please don't pass it on.\n");
        }
        text.push_str(&format!("\nA repeat of this message has the same number: {id}\n"));
        text
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::domain::delivery::{Parcel, Progress};

    fn claimed(what: What) -> Claimed {
        let (at, id) = (DateTime::from_timestamp(1_790_000_000, 0).unwrap(), uuid::Uuid::from_u128(1));
        let parcel = Parcel {
            referral: id.into(),
            call: id.into(),
            force: "kent".parse().unwrap(),
            kind: "idva".to_owned(),
            partner: "kent-idva".to_owned(),
            what,
            body: Body::default(),
        };
        Claimed { id: id.into(), parcel, progress: Progress::new(at, at), claim: id }
    }

    #[test]
    fn a_letter_has_the_link_if_there_is_one_and_a_withdrawal_has_none() {
        let link = || Some(Secret::new("https://referrals.example/r/abc".to_owned()));
        let (made, taken_back) = (claimed(What::Referral), claimed(What::Withdrawal));
        let letter = Letter::of(&made, link());
        assert!(letter.text().contains("\nhttps://referrals.example/r/abc\n"), "on a line of its own");
        assert!(!format!("{letter:?}").contains("abc"));
        for without in [Letter::of(&made, None), Letter::of(&taken_back, link())] {
            assert!(without.link().is_none() && !without.text().contains("link"));
        }
    }
}
