//! People are written down, changed and taken out.

use api::referral::v1::{RemovePersonRequest, RemovePersonResponse, SavePersonRequest, SavePersonResponse};
use chrono_tz::Europe::London;
use ids::{OfficerId, PersonId};
use sqlx::PgConnection;

use super::{App, Ask, On, change::Begun};
use crate::{
    domain::{self, Person, Saving},
    error::Error,
    store,
};

/// Who is part of a case, in the order in which they were written down.
///
/// # Errors
/// The database is away.
pub(crate) async fn people_of(tx: &mut PgConnection, on: &On) -> Result<Vec<Person>, Error> {
    Ok(store::people(tx, on).await?)
}

impl App {
    /// Adds a person, or changes one.
    ///
    /// # Errors
    /// Unknown, changed meanwhile, or not as a person can be; the request id was used for something else; the database is away.
    pub async fn save_person(
        &self,
        ask: Ask<'_, SavePersonRequest>,
        on: On,
        officer: OfficerId,
        saving: Saving,
    ) -> Result<SavePersonResponse, Error> {
        let mut change = match self.change("SavePerson", ask, on).await? {
            Begun::Answered(first) => return Ok(first),
            Begun::Change(change) => change,
        };
        let people = people_of(&mut change.tx, &change.on).await?;
        let today = change.now.with_timezone(&London).date_naive();
        let version = domain::save(&people, &saving, today)?;
        let id = saving.id.unwrap_or_else(|| self.entropy.id(change.now));
        let person = Person { id, details: saving.details, version, saved_by: officer, saved_at: change.now };
        match saving.id {
            None => store::insert_person(&mut change.tx, &change.on, &person).await?,
            Some(_) => store::update_person(&mut change.tx, &change.on, &person).await?,
        }
        change.done(SavePersonResponse { person_id: id.to_string(), version }).await
    }

    /// Takes a person out. What was kept of them stays on record.
    ///
    /// # Errors
    /// Unknown, changed meanwhile, or spoken of in a referral that was sent; the request id was used for something else; the
    /// database is away.
    pub async fn remove_person(
        &self,
        ask: Ask<'_, RemovePersonRequest>,
        on: On,
        officer: &OfficerId,
        (person, version): (PersonId, u64),
        reason: &str,
    ) -> Result<RemovePersonResponse, Error> {
        let mut change = match self.change("RemovePerson", ask, on).await? {
            Begun::Answered(first) => return Ok(first),
            Begun::Change(change) => change,
        };
        let people = people_of(&mut change.tx, &change.on).await?;
        let version = domain::remove(&people, person, version, false)?;
        let by = (officer, change.now);
        store::remove_person(&mut change.tx, &change.on, (person, version), reason, by).await?;
        change.done(RemovePersonResponse {}).await
    }
}
