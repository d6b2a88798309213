//! Ids, names, numbers and words of a spoken code, as they come in every request: one spelling each, or refused.

use std::{fmt::Display, str::FromStr};

use ids::{CallId, ComeNowWord, ForceId, IncidentDate, IncidentNumber, OfficerId, PhoneNumber, TrackName};

/// The seeds.
pub fn begin() {
    let texts = [
        "wmp",
        "pc.17@kent",
        "2026-11-24",
        "1123",
        "+447700900123",
        "caller-1",
        "01900000-0000-7000-8000-00a1b2c3d4e5",
    ];
    for (n, text) in texts.iter().enumerate() {
        fuzzing::write_seed("names", &n.to_string(), text.as_bytes());
    }
}

/// One input.
pub fn fuzz(bytes: &[u8]) {
    fuzzing::text(bytes, |text| {
        same::<ForceId>(text);
        same::<TrackName>(text);
        same::<IncidentDate>(text);
        same::<IncidentNumber>(text);
        same::<CallId>(text);
        // Secrets are shown to nobody, here neither.
        let _ = (text.parse::<PhoneNumber>(), text.parse::<ComeNowWord>());
        if let Some(officer) = same::<OfficerId>(text) {
            let home = officer.at_home();
            assert!(home.lent_by().is_none() && home.at_home() == home, "home is home");
        }
    });
}

/// What is read is written, and read again as the same.
fn same<T: FromStr + Display + PartialEq>(text: &str) -> Option<T> {
    let read = text.parse::<T>().ok()?;
    assert!(read.to_string().parse::<T>().is_ok_and(|again| again == read), "{text:?} is two");
    Some(read)
}
