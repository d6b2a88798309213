//! What several requests have in common: ids, who asks and why, pages.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{app::Asker, error::Error};

/// An id or a name.
pub(super) fn parsed<T: std::str::FromStr<Err = ids::Malformed>>(text: &str) -> Result<T, Error> {
    Ok(text.parse()?)
}

/// Who asks and why: both are recorded for good, so both are required.
pub(super) fn asker(who: &str, reason: &str) -> Result<Asker, Error> {
    let (who, reason) = (who.trim(), reason.trim());
    if !(1..=64).contains(&who.chars().count()) || who.chars().any(char::is_control) {
        return Err(Error::InvalidWho);
    }
    if !(1..=500).contains(&reason.chars().count()) {
        return Err(Error::ReasonRequired);
    }
    Ok(Asker { who: who.to_owned(), reason: reason.to_owned() })
}

/// At most 500; 0 means 100.
pub(super) fn page_size(asked: u32) -> u32 {
    if asked == 0 { 100 } else { asked.min(500) }
}

/// Where a page ended, as a token.
pub(super) fn page_token(at: DateTime<Utc>, id: Uuid) -> String {
    let mut bytes = at.timestamp_micros().to_be_bytes().to_vec();
    bytes.extend(id.as_bytes());
    hex::encode(bytes)
}

/// Reads a token of [`page_token`]'s; none for the first page.
pub(super) fn read_page_token(token: &str) -> Result<Option<(DateTime<Utc>, Uuid)>, Error> {
    if token.is_empty() {
        return Ok(None);
    }
    let read = || {
        let bytes: [u8; 24] = hex::decode(token).ok()?.try_into().ok()?;
        let (at, id) = bytes.split_first_chunk::<8>()?;
        Some((DateTime::from_timestamp_micros(i64::from_be_bytes(*at))?, Uuid::from_slice(id).ok()?))
    };
    read().map(Some).ok_or(Error::InvalidPageToken)
}
