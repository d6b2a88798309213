//! Earlier calls of the same people. They are looked up anew at each look, so that a name that is corrected in either call counts
//! at once.

use std::{cmp::Reverse, collections::BTreeSet};

use chrono::{DateTime, Utc};
use ids::CallId;
use sqlx::PgConnection;

use super::super::{App, On};
use crate::{
    domain::{
        Person,
        risk::{
            self, Assessment, Match,
            matching::{self, Profile},
        },
    },
    error::Error,
    store::history::{self, Compared},
};

/// The people of a locked case are these from now on: what they are found by is kept up, in the transaction that changes them.
///
/// # Errors
/// The database is away.
pub async fn people_changed(tx: &mut PgConnection, on: &On, people: &[Person]) -> Result<(), Error> {
    let earliest = || people.iter().map(|person| person.saved_at).min();
    let Some(at) = began(on.call).or_else(earliest) else { return Ok(()) };
    let people: Vec<Profile> = people.iter().filter_map(|person| Profile::of(&person.details)).collect();
    let keys: BTreeSet<String> = people.iter().flat_map(Profile::keys).collect();
    history::save_compared(tx, on, &Compared { at, people }, &keys).await?;
    Ok(())
}

impl App {
    /// Earlier calls of this force that may be of the same people, the surest first, and of those the latest.
    pub(super) async fn matches(
        &self,
        tx: &mut PgConnection,
        on: &On,
        assessment: Option<&Assessment>,
    ) -> Result<Vec<Match>, Error> {
        let set = assessment.map(|assessment| &assessment.set).or_else(|| self.question_sets(&on.force).first());
        let months = set.map_or(0, |set| set.grades().reports_months);
        let Some(Compared { at, people }) = history::compared(tx, on.call).await? else { return Ok(vec![]) };
        let keys = people.iter().flat_map(Profile::keys).collect();
        let earlier = history::earlier(tx, on, (risk::window(at, months), at), &keys).await?;
        let matches = earlier.into_iter().filter_map(|earlier| {
            let (certainty, because) = match matching::compare(&people, &earlier.compared.people) {
                Some((certainty, because)) => (Some(certainty), because),
                // An officer's word stands, whatever was corrected since.
                None => (None, vec![earlier.verdict.map(|_| "an officer has said so".to_owned())?]),
            };
            let (call, incident, at) = (earlier.call, earlier.incident, earlier.compared.at);
            Some(Match { call, incident, at, certainty, because, verdict: earlier.verdict, grade: earlier.grade })
        });
        let mut matches: Vec<_> = matches.collect();
        matches.sort_by_key(|found| Reverse((found.certainty, found.at, found.call)));
        Ok(matches)
    }
}

/// When a call was opened: its id says so.
fn began(call: CallId) -> Option<DateTime<Utc>> {
    let (seconds, nanos) = call.uuid().get_timestamp()?.to_unix();
    DateTime::from_timestamp(i64::try_from(seconds).ok()?, nanos)
}
