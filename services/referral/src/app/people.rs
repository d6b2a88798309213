//! People are written down, changed and taken out.

use api::referral::v1::{RemovePersonRequest, RemovePersonResponse, SavePersonRequest, SavePersonResponse};
use ids::{OfficerId, PersonId};
use sqlx::PgConnection;

use super::{
    App, Ask, On,
    change::{Begun, Change},
    risk::people_changed,
};
use crate::{
    domain::{self, Details, Person, Saving, calendar::london_day},
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

/// Earlier calls of the same people are found by who they are now.
async fn compare_anew(tx: &mut PgConnection, on: &On) -> Result<(), Error> {
    let people = people_of(tx, on).await?;
    people_changed(tx, on, &people).await
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
        let version = domain::save(&people, &saving, london_day(change.now))?;
        let id = saving.id.unwrap_or_else(|| self.entropy.id(change.now));
        let person = Person { id, details: saving.details, version, saved_by: officer, saved_at: change.now };
        match saving.id {
            None => store::insert_person(&mut change.tx, &change.on, &person).await?,
            Some(_) => store::update_person(&mut change.tx, &change.on, &person).await?,
        }
        compare_anew(&mut change.tx, &change.on).await?;
        let before = people.iter().find(|one| one.id == id).map(|one| &one.details);
        self.draft_about_child(&mut change, before, &person).await?;
        change.done(SavePersonResponse { person_id: id.to_string(), version }).await
    }

    /// What a child's details ask for by themselves is drafted when they come to say so, and not each time that they are saved: a
    /// draft that an officer took back stays so.
    async fn draft_about_child(
        &self,
        change: &mut Change,
        before: Option<&Details>,
        child: &Person,
    ) -> Result<(), Error> {
        for kind in self.kinds(&change.on.force).iter() {
            let Some(when) = kind.drafted_when else { continue };
            if when.is_so(&child.details) && !before.is_some_and(|before| when.is_so(before)) {
                let about = (kind.key.as_str(), Some(child.id));
                self.draft_by_rule(&mut change.tx, &change.on, about, when.in_words()).await?;
            }
        }
        Ok(())
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
        let referrals = store::referrals(&mut change.tx, &change.on).await?;
        let in_use = referrals.iter().any(|one| one.person == Some(person) && one.sent().is_some());
        let version = domain::remove(&people, person, version, in_use)?;
        self.drop_drafts_about(&mut change, person, officer).await?;
        let by = (officer, change.now);
        store::remove_person(&mut change.tx, &change.on, (person, version), reason, by).await?;
        compare_anew(&mut change.tx, &change.on).await?;
        change.done(RemovePersonResponse {}).await
    }
}
