//! The package's index, gathered at one moment and printed.

mod words;

use chrono::{DateTime, Utc};
use ids::OfficerId;
use outbox::{Scope, Tx};

use super::{
    App, On, clocks_of,
    referrals::CaseKnown,
    work::{Gathered, Whole},
};
use crate::{
    domain::{Package, State},
    error::Error,
    print::{self, Index},
    store::{self, Locked, sealings},
};

impl App {
    /// The index as a PDF, printed by that officer now.
    ///
    /// # Errors
    /// Unknown or not open yet, it can't be printed, or the database is away.
    pub async fn package_index(&self, on: &On, officer: &OfficerId) -> Result<Vec<u8>, Error> {
        let mut tx = self.store.reading("package_index", Scope::Force(&on.force)).await?;
        let Locked { package, .. } = store::look(&mut tx, &on.force, on.call).await?.ok_or(Error::UnknownPackage)?;
        let whole = self.whole(&mut tx, on, &package).await?;
        let index = self.index_of(&mut tx, on, (&package, &whole), (officer, self.clock.now())).await?;
        store::commit(tx).await?;
        printed(index).await
    }

    /// What stands in the index.
    ///
    /// # Errors
    /// Not open yet, or the database is away.
    pub(super) async fn index_of(
        &self,
        tx: &mut Tx,
        on: &On,
        (package, whole): (&Package, &Whole),
        (officer, at): (&OfficerId, DateTime<Utc>),
    ) -> Result<Index, Error> {
        let State::Open { id, at: opened_at, .. } = &package.state else { return Err(Error::UnknownPackage) };
        let Whole { gathered: Gathered { people, risk, referrals }, view, schedule, statements } = whole;
        let (id, opened_at, facts) = (id.to_string(), *opened_at, &package.facts);
        let incident = facts.incident.as_ref().map(|incident| format!("{}/{}", incident.date, incident.number));
        let exhibit = facts.exhibit.clone();
        let mut pictures: Vec<_> = facts.stills.iter().cloned().collect();
        // "still-2" before "still-10".
        pictures.sort_by_key(|name| (name.len(), name.clone()));
        // Of a call that no officer ever had there are none.
        let referrals = match &incident {
            None => vec![],
            Some(_) => {
                let known = CaseKnown::of(facts.clone(), people.clone(), risk)?;
                self.referrals_of(tx, on, &known, referrals.clone()).await?
            }
        };
        Ok(Index {
            force: on.force.to_string(),
            incident: incident.unwrap_or_default(),
            call: on.call.to_string(),
            package: id,
            opened_at,
            printed_at: at,
            printed_by: officer.to_string(),
            exhibit: exhibit.as_ref().map(|exhibit| exhibit.reference.clone()).unwrap_or_default(),
            seal: exhibit.and_then(|exhibit| exhibit.seal).unwrap_or_default(),
            score_percent: view.score_percent,
            checklist: view.items.iter().cloned().map(words::item).collect(),
            pictures,
            grade: risk.view().and_then(words::grade),
            referrals: referrals.into_iter().map(|one| words::referral(one, people)).collect(),
            people: people.iter().map(words::person).collect(),
            clocks: clocks_of(tx, on).await?.into_iter().map(words::clock).collect(),
            statements: statements.iter().map(words::statement).collect(),
            schedule: words::schedule(schedule),
            sealed: sealings::of_call(tx, on).await?.iter().rev().filter_map(words::sealed).collect(),
        })
    }
}

/// As a PDF. Some tens of milliseconds of work: not where streams are served.
pub(super) async fn printed(index: Index) -> Result<Vec<u8>, Error> {
    let printed = tokio::task::spawn_blocking(move || print::index(&index)).await;
    Ok(printed.map_err(|_| print::Error::stopped())??)
}
