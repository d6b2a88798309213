//! What is sent, whichever way it goes.

use chrono::{DateTime, Utc};

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
    /// What the partner is told.
    pub(super) body: &'c Body,
}

impl<'c> Letter<'c> {
    pub(super) fn of(claimed: &'c Claimed) -> Self {
        let parcel = &claimed.parcel;
        let made_at = claimed.progress.made_at;
        Self { id: claimed.id, reference: reference(parcel.referral), made_at, what: parcel.what, body: &parcel.body }
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
        text.push_str(&format!("\nA repeat of this message has the same number: {id}\n"));
        text
    }
}
