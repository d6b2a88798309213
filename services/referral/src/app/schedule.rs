//! The disclosure schedule: worked out at each look, and saved by an officer who answers for it.

use api::referral::v1 as proto;
use ids::OfficerId;
use outbox::Scope;
use sqlx::PgConnection;

use super::{App, Ask, On, change::Begun, work::Gathered};
use crate::{
    domain::{
        Package,
        risk::Verdict,
        schedule::{OnFile, Said, SavedSchedule, Schedule, pieces},
    },
    error::Error,
    grpc,
    store::{self, disclosures, schedules, statements},
};

impl App {
    /// The schedule as it stands.
    ///
    /// # Errors
    /// Unknown call, or the database is away.
    pub async fn get_schedule(&self, on: &On) -> Result<Schedule, Error> {
        let mut tx = self.store.reading("schedule", Scope::Force(&on.force)).await?;
        let package = store::look(&mut tx, &on.force, on.call).await?.ok_or(Error::UnknownCall)?.package;
        package.facts.incident.as_ref().ok_or(Error::UnknownCall)?;
        self.schedule(&mut tx, on, &package).await
    }

    /// Saves a further version.
    ///
    /// # Errors
    /// Unknown call, something came between, or an entry can't be so; the request id was used for something else; the database
    /// is away.
    pub async fn save_schedule(
        &self,
        ask: Ask<'_, proto::SaveDisclosureScheduleRequest>,
        on: On,
        by: OfficerId,
        (base, said): (u32, Vec<Said>),
    ) -> Result<proto::SaveDisclosureScheduleResponse, Error> {
        let mut change = match self.change("SaveDisclosureSchedule", ask, on).await? {
            Begun::Answered(first) => return Ok(first),
            Begun::Change(change) => change,
        };
        let seen = self.schedule(&mut change.tx, &change.on, &change.package).await?;
        let decided = seen.decide(base, &said, (by, change.now))?;
        schedules::insert(&mut change.tx, &change.on, &decided).await?;
        let schedule = self.schedule(&mut change.tx, &change.on, &change.package).await?;
        let schedule = Some(grpc::schedule(&schedule));
        change.done(proto::SaveDisclosureScheduleResponse { schedule }).await
    }

    /// "version 2, by pc.a, 14 entries", once one was saved and for as long as nothing has come since.
    pub(super) async fn scheduled(
        &self,
        tx: &mut PgConnection,
        on: &On,
        (package, gathered): (&Package, &Gathered),
    ) -> Result<Option<String>, Error> {
        let Some(saved) = schedules::last(tx, on).await? else { return Ok(None) };
        Ok(self.schedule_over(tx, on, (package, gathered), Some(saved)).await?.in_words())
    }

    /// What is there, and what was said of it last.
    pub(super) async fn schedule(&self, tx: &mut PgConnection, on: &On, package: &Package) -> Result<Schedule, Error> {
        let saved = schedules::last(tx, on).await?;
        let gathered = self.gather(tx, on).await?;
        self.schedule_over(tx, on, (package, &gathered), saved).await
    }

    async fn schedule_over(
        &self,
        tx: &mut PgConnection,
        on: &On,
        (package, gathered): (&Package, &Gathered),
        saved: Option<SavedSchedule>,
    ) -> Result<Schedule, Error> {
        let file = self.on_file(tx, on, (package, gathered)).await?;
        Ok(Schedule::of(pieces(&package.facts, &file), &self.books.schedule, saved))
    }

    async fn on_file(
        &self,
        tx: &mut PgConnection,
        on: &On,
        (package, gathered): (&Package, &Gathered),
    ) -> Result<OnFile, Error> {
        let statements = statements::versions(tx, on).await?;
        let assessments = schedules::assessments(tx, on).await?;
        let referrals = gathered.referrals.iter().cloned();
        let referrals = referrals.map(|one| (self.title_of(&on.force, &one.kind).to_owned(), one)).collect();
        let people = gathered.people.clone();
        let items = package.checklist(&self.books.checklist).items();
        let title = |key: &String| items.iter().find(|item| item.key == *key).map_or(key, |item| &item.title).clone();
        let notes = statements::notes(tx, &on.force, on.call).await?.into_iter();
        let notes = notes.map(|(key, note)| (key.clone(), title(&key), note.at)).collect();
        let applications = disclosures::disclosures(tx, on).await?.into_iter();
        let last = |stages: &[crate::domain::disclosure::Recorded]| stages.last().map(|stage| stage.at);
        let applications = applications.map(|(id, one)| (id, one.version(), last(&one.stages))).collect();
        let same = |found: &crate::domain::risk::Match| found.verdict == Some(Verdict::SamePeople);
        let earlier = gathered.risk.matches.iter().filter(|found| same(found));
        let reference = |incident: ids::IncidentRef| format!("{} {}", incident.date, incident.number);
        let earlier =
            earlier.map(|found| (found.call, found.incident.clone().map(reference).unwrap_or_default(), found.at));
        let earlier = earlier.collect();
        Ok(OnFile { statements, assessments, referrals, people, notes, applications, earlier })
    }
}
