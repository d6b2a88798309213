//! The desk gives a call back: what a contact handler with a caller on the line does then.

/// A reason of the desk's, and what to do instead.
const INSTEAD: [(&str, &str); 2] = [
    (
        "WAIT_LIMIT",
        "No officer has come free in time. Stay with the caller, and deal with the call as without the desk: send an \
         officer in person by its risk, or agree a safe time to call back.",
    ),
    (
        "RETURNED_BY_DESK",
        "The desk can't go on with this call. Speak with the caller, and deal with it as without the desk: send an \
         officer in person by its risk, or agree a safe time to call back.",
    ),
];

/// What to do instead, in plain words; nothing for a reason that says it.
#[must_use]
pub fn instead(reason: &str) -> &'static str {
    INSTEAD.iter().find(|(known, _)| *known == reason).map_or("", |(_, instead)| instead)
}
