//! What is left of an exhibit that was disposed of: what it was, who let it go, and why. Signed, timestamped and logged.

use chrono::{DateTime, Utc};
use exhibit::{Digest, jcs};
use ids::ExhibitId;
use serde::Serialize;

use super::{
    Exhibit,
    retention::{Refusal, Retention},
};

/// What a tombstone calls itself.
pub const FORMAT: &str = "alcove-tombstone/1";

#[derive(Serialize)]
struct Facts<'a> {
    format: &'a str,
    exhibit: ExhibitId,
    reference: &'a str,
    seal_sha256: Digest,
    /// The seal's place in the log; null: none is configured.
    log_index: Option<String>,
    class: &'a str,
    reviews: Vec<Reviewed<'a>>,
    who: &'a str,
    reason: &'a str,
    disposed_at: String,
}

#[derive(Serialize)]
struct Reviewed<'a> {
    who: &'a str,
    reason: &'a str,
    at: String,
}

/// The tombstone's bytes (RFC 8785, no numbers).
///
/// # Errors
/// [`Refusal::NotSealed`] if there is no seal to name.
pub fn write(
    exhibit: &Exhibit,
    retention: &Retention,
    (who, reason): (&str, &str),
    now: DateTime<Utc>,
) -> Result<Vec<u8>, Refusal> {
    let reviews = retention.reviews.iter().map(|review| Reviewed {
        who: &review.who,
        reason: &review.reason,
        at: exhibit::time::write(review.at),
    });
    let facts = Facts {
        format: FORMAT,
        exhibit: exhibit.id,
        reference: exhibit.reference.as_str(),
        seal_sha256: exhibit.state.seal().ok_or(Refusal::NotSealed)?,
        log_index: exhibit.state.log_index().map(|index| index.to_string()),
        class: &retention.class,
        reviews: reviews.collect(),
        who,
        reason,
        disposed_at: exhibit::time::write(now),
    };
    // There is no number in it, which is all that could be wrong.
    jcs::to_vec(&facts).map_err(|_| Refusal::NotSealed)
}
