//! A case as it stands, and each time that it has changed.

use std::collections::BTreeMap;

use api::referral::v1::{Assessment, Match};
use ids::{CallId, IncidentRef, OfficerId, ReferralId};
use outbox::{Scope, Wakeup};

use super::{
    App, On, clocks_of,
    referrals::{CaseKnown, ReferralView},
};
use crate::{
    domain::{Person, View, clock::Deadline, disclosure::Disclosure, sealing::Sealing},
    error::Error,
    store::{self, Locked, disclosures, sealings},
};

/// All that is kept about a call, but for old versions: one moment of it. Personal data: no `Debug`.
#[derive(Clone)]
pub struct Case {
    /// Whose.
    pub call: CallId,
    /// Counted up with every change of anything in it.
    pub version: u64,
    /// The first call, of a follow-up.
    pub follow_up_of: Option<CallId>,
    /// The force's reference.
    pub incident: IncidentRef,
    /// Those who are part of it.
    pub people: Vec<Person>,
    /// In the order in which they were drafted.
    pub referrals: Vec<ReferralView>,
    /// The present assessment.
    pub assessment: Option<Assessment>,
    /// Earlier calls that may be of the same people.
    pub matches: Vec<Match>,
    /// Clare's Law applications of which something was recorded.
    pub disclosures: BTreeMap<ReferralId, Disclosure>,
    /// Of referrals and stages, the next due first.
    pub clocks: Vec<Deadline>,
    /// The package's checklist as it stands.
    pub checklist: View,
    /// The package as it was sealed, the newest first.
    pub sealed: Vec<Sealing>,
}

/// A case being watched.
#[derive(Debug)]
pub struct CaseWatch {
    app: App,
    on: On,
    reader: Option<OfficerId>,
    wakeup: Wakeup<CallId>,
    seen: Option<u64>,
}

impl App {
    /// The case as it stands.
    ///
    /// # Errors
    /// Unknown, or the database is away.
    pub async fn get_case(&self, on: &On, reader: Option<&OfficerId>) -> Result<Case, Error> {
        self.case(on, reader).await
    }

    /// The case as it stands, and again whenever it has changed. To a lent officer only while the call is theirs.
    ///
    /// # Errors
    /// Unknown, or the database is away.
    pub async fn watch_case(&self, on: On, reader: Option<OfficerId>) -> Result<CaseWatch, Error> {
        // The ear first, then the look: nothing can fall between.
        let wakeup = self.wakeups.subscribe(on.call);
        self.case(&on, reader.as_ref()).await?;
        Ok(CaseWatch { app: self.clone(), on, reader, wakeup, seen: None })
    }

    /// Its parts, as they were at one moment.
    async fn case(&self, on: &On, reader: Option<&OfficerId>) -> Result<Case, Error> {
        let mut tx = self.store.reading("case", Scope::Force(&on.force)).await?;
        let found = store::look(&mut tx, &on.force, on.call).await?.ok_or(Error::UnknownCall)?;
        let Locked { package, version, .. } = found;
        let lent = reader.filter(|officer| officer.lent_by().is_some());
        if lent.is_some_and(|officer| !package.facts.is_with_lent(officer)) {
            return Err(Error::UnknownCall);
        }
        let follow_up_of = package.facts.follow_up_of;
        let gathered = self.gather(&mut tx, on).await?;
        let checklist = self.checklist(&mut tx, on, (&package, &gathered)).await?;
        let (assessment, mut matches) = self.told_risk(&on.force, &gathered.risk);
        let mut disclosures = disclosures::disclosures(&mut tx, on).await?;
        // Who has one call of another force is shown no other of it, nor what is known of a suspect. How many calls count they are
        // told, because the grade depends on it; and what they write down to be told is kept with their name.
        if lent.is_some() {
            matches.clear();
            disclosures.clear();
        }
        let known = CaseKnown::of(package.facts, gathered.people, &gathered.risk)?;
        let referrals = self.referrals_of(&mut tx, on, &known, gathered.referrals).await?;
        let clocks = clocks_of(&mut tx, on).await?;
        let sealed = sealings::of_call(&mut tx, on).await?;
        let (call, incident, people) = (on.call, known.incident, known.people);
        Ok(Case {
            call,
            version,
            follow_up_of,
            incident,
            people,
            referrals,
            assessment,
            matches,
            disclosures,
            clocks,
            checklist,
            sealed,
        })
    }
}

impl CaseWatch {
    /// The case, once it is another than was seen last.
    ///
    /// # Errors
    /// The database is away, or it is the lent officer's no more: the watch is to be opened anew.
    pub async fn next(&mut self) -> Result<Case, Error> {
        loop {
            let case = self.app.case(&self.on, self.reader.as_ref()).await?;
            if self.seen != Some(case.version) {
                self.seen = Some(case.version);
                return Ok(case);
            }
            // What has changed since the look wakes at once.
            self.wakeup.news().await;
        }
    }
}
