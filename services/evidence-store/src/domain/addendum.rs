//! When an addendum may be sealed. Pure.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use ids::TrackName;

use super::{Declaration, Readiness};

/// An addendum that holds segments waits for the rest of what was declared of those tracks, and is sealed when that is
/// there. One with items alone has nothing owed, so it is sealed when it has been quiet for so long, or when asked.
#[must_use]
pub fn readiness(
    declaration: &Declaration,
    held: &BTreeMap<TrackName, u64>,
    asked: bool,
    last_arrival: DateTime<Utc>,
    now: DateTime<Utc>,
    quiet: TimeDelta,
) -> Readiness {
    let owed = held.iter().map(|(track, mark)| {
        let declared = declaration.tracks.get(track).map_or(0, |declared| declared.segments);
        declared.saturating_sub(*mark)
    });
    let missing = owed.fold(0_u64, u64::saturating_add);
    let complete = missing == 0 && held.keys().any(|track| declaration.tracks.contains_key(track));
    let until = last_arrival.checked_add_signed(quiet).unwrap_or(DateTime::<Utc>::MAX_UTC);
    if complete || asked || now >= until { Readiness::Fence { missing } } else { Readiness::WaitUntil(until) }
}
