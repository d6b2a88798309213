//! What an exhibit's tombstone has to say when it is disposed of. Its format is [`exhibit::tombstone`]'s.

use chrono::{DateTime, Utc};
use exhibit::tombstone::{Format, Review, Tombstone};

use super::{
    Exhibit,
    retention::{self, Refusal, Retention},
};

/// The tombstone's bytes (RFC 8785, no numbers).
///
/// # Errors
/// [`Refusal::NotSealed`] if there is no seal to name, [`Refusal::NotReviewed`] if two different people have not said that it
/// may go.
pub fn write(
    exhibit: &Exhibit,
    retention: &Retention,
    (who, reason): (&str, &str),
    now: DateTime<Utc>,
) -> Result<Vec<u8>, Refusal> {
    let review =
        |review: &retention::Review| Review { who: review.who.clone(), reason: review.reason.clone(), at: review.at };
    let tombstone = Tombstone {
        format: Format::V1,
        exhibit: exhibit.id,
        reference: exhibit.reference.as_str().to_owned(),
        seal_sha256: exhibit.state.seal().ok_or(Refusal::NotSealed)?,
        log_index: exhibit.state.log_index(),
        class: retention.class.clone(),
        reviews: retention.reviews.iter().map(review).collect(),
        who: who.to_owned(),
        reason: reason.to_owned(),
        disposed_at: now,
    };
    // There is no number in it, so its reviews are all that can be wrong.
    tombstone.to_bytes().map_err(|_| Refusal::NotReviewed)
}
