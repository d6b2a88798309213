//! gRPC errors that a machine can read: every status carries a `google.rpc.ErrorInfo` with a stable reason.

use std::collections::HashMap;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

/// The `ErrorInfo.domain` of all our reasons.
pub const DOMAIN: &str = "alcove";

/// A status with a reason in UPPER_SNAKE_CASE. The message is for a person and must hold nothing personal.
pub fn status(code: Code, reason: &'static str, message: impl Into<String>) -> Status {
    status_with(code, reason, message, &[])
}

/// As [`status`], with facts that a program can act on: `("state", "RETURNED")`.
pub fn status_with(
    code: Code,
    reason: &'static str,
    message: impl Into<String>,
    metadata: &[(&str, String)],
) -> Status {
    let metadata: HashMap<_, _> = metadata.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    Status::with_error_details(code, message, ErrorDetails::with_error_info(reason, DOMAIN, metadata))
}

/// The reason within a status that [`status`] made, here or on the other side of a connection.
#[must_use]
pub fn reason_of(status: &Status) -> Option<String> {
    status.get_details_error_info().filter(|info| info.domain == DOMAIN).map(|info| info.reason)
}

/// One of the facts beside the reason.
#[must_use]
pub fn metadata_of(status: &Status, key: &str) -> Option<String> {
    let info = status.get_details_error_info().filter(|info| info.domain == DOMAIN)?;
    info.metadata.get(key).cloned()
}
