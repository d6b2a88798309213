//! What the caller agreed to at one moment, as an item of the exhibit: kinds and answers, no words of anybody's.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use exhibit::jcs;
use ids::CallId;
use serde::Serialize;

/// The item's bytes (RFC 8785): each kind, such as `recording`, and whether it was given.
///
/// # Errors
/// Never: there is no number in it.
pub fn write(call: CallId, at: DateTime<Utc>, given: &BTreeMap<&'static str, bool>) -> Result<Vec<u8>, jcs::Error> {
    #[derive(Serialize)]
    struct Facts<'a> {
        format: &'static str,
        call: CallId,
        at: String,
        given: &'a BTreeMap<&'static str, bool>,
    }
    jcs::to_vec(&Facts { format: "alcove-consents/1", call, at: exhibit::time::write(at), given })
}
