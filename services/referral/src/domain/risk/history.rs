//! Earlier calls of the same people: those that were found, and what an officer has said of each.

use chrono::{DateTime, Months, NaiveTime, Utc};
use ids::{CallId, IncidentRef};

use super::{Grade, matching::Certainty};

/// What an officer has said of an earlier call that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is of the same people, and counts.
    SamePeople,
    /// It is of others.
    OtherPeople,
}

/// An earlier call that may be of the same people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// Which.
    pub call: CallId,
    /// The force's reference of it.
    pub incident: Option<IncidentRef>,
    /// When it was.
    pub at: DateTime<Utc>,
    /// How sure it is; `None` of one that was judged, and whose people have been written down otherwise since.
    pub certainty: Option<Certainty>,
    /// What is the same.
    pub because: Vec<String>,
    /// What was said of it last.
    pub verdict: Option<Verdict>,
    /// The grade that was given then.
    pub grade: Option<Grade>,
}

/// How often these people have called, this time counted: incidents, for a follow-up isn't among those that are found. Nothing counts before an officer has said so.
#[must_use]
pub fn reports(matches: &[Match]) -> u32 {
    let same = matches.iter().filter(|found| found.verdict == Some(Verdict::SamePeople)).count();
    u32::try_from(same).unwrap_or(u32::MAX).saturating_add(1)
}

/// From when on calls count that were so many months before this one: that whole day does.
#[must_use]
pub fn window(at: DateTime<Utc>, months: u32) -> DateTime<Utc> {
    let day = at.date_naive().checked_sub_months(Months::new(months));
    day.map_or(DateTime::<Utc>::MIN_UTC, |day| day.and_time(NaiveTime::MIN).and_utc())
}
