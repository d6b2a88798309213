//! The officer's statement, and their notes on the package.

use api::referral::v1 as proto;
use ids::OfficerId;
use outbox::Scope;

use super::{App, Ask, LATER_PHOTOGRAPHS, On, PHOTOGRAPHS, change::Begun, clocks, people::people_of};
use crate::{
    domain::{
        Note, OnRecord, Referral, Stage, Statement,
        statement::{self, Told},
    },
    error::Error,
    records,
    store::{self, statements},
};

/// What an officer says of an item.
#[derive(Debug)]
pub struct Noted<'r> {
    /// The item's.
    pub key: &'r str,
    /// Or it is beside the point in this call.
    pub applies: bool,
    /// In their words.
    pub text: &'r str,
}

/// A statement that could be made. Personal data: no `Debug`.
pub struct Drafted {
    /// The draft.
    pub text: String,
    /// Chapters and chat could not be read: they aren't in it.
    pub incomplete: bool,
}

impl App {
    /// Keeps a note on an item.
    ///
    /// # Errors
    /// Unknown call or item, no words or too many; the request id was used for something else; the database is away.
    pub async fn note_item(
        &self,
        ask: Ask<'_, proto::NotePackageItemRequest>,
        on: On,
        by: OfficerId,
        noted: Noted<'_>,
    ) -> Result<proto::NotePackageItemResponse, Error> {
        let mut change = match self.change("NotePackageItem", ask, on).await? {
            Begun::Answered(first) => return Ok(first),
            Begun::Change(change) => change,
        };
        let note = Note { applies: noted.applies, text: noted.text.to_owned(), by, at: change.now };
        let checklist = change.package.checklist(&self.books.checklist);
        let note = Note::on(checklist, noted.key, note)?;
        // They were taken otherwise, or can't be. By the key: packages of before follow-ups had the item filled by a note alone.
        let is_of_later = noted.key == LATER_PHOTOGRAPHS;
        statements::insert_note(&mut change.tx, &change.on, noted.key, &note).await?;
        if is_of_later {
            let done = clocks::Done::Key(PHOTOGRAPHS);
            clocks::stop(&mut change.tx, &change.on, done, change.now).await?;
        }
        change.done(proto::NotePackageItemResponse {}).await
    }

    /// Keeps a further version of the statement.
    ///
    /// # Errors
    /// Unknown call, another version came between, or it can't be one; the request id was used for something else; the
    /// database is away.
    pub async fn save_statement(
        &self,
        ask: Ask<'_, proto::SaveStatementRequest>,
        on: On,
        by: OfficerId,
    ) -> Result<proto::SaveStatementResponse, Error> {
        let request = ask.request;
        let mut change = match self.change("SaveStatement", ask, on).await? {
            Begun::Answered(first) => return Ok(first),
            Begun::Change(change) => change,
        };
        let last = statements::last(&mut change.tx, &change.on).await?.map_or(0, |last| last.version);
        let proto::SaveStatementRequest { text, declared, version, .. } = request;
        let (text, declared, version) = (text.clone(), *declared, *version);
        let written = Statement { version, text, declared, saved_by: by, saved_at: change.now };
        let statement = Statement::after(last, version, written)?;
        statements::insert_statement(&mut change.tx, &change.on, &statement).await?;
        change.done(proto::SaveStatementResponse { version: statement.version }).await
    }

    /// A page of the statement's versions, the newest first, and before which version the next one begins.
    ///
    /// # Errors
    /// Unknown call, or the database is away.
    pub async fn list_statements(
        &self,
        on: &On,
        before: Option<u32>,
        size: u16,
    ) -> Result<(Vec<Statement>, Option<u32>), Error> {
        let mut tx = self.store.reading("list_statements", Scope::Force(&on.force)).await?;
        store::look(&mut tx, &on.force, on.call).await?.ok_or(Error::UnknownCall)?;
        let page = statements::statements(&mut tx, on, (before, Some(size.into()))).await?;
        // Versions are counted from 1 without a gap.
        let next = page.last().map(|last| last.version).filter(|version| *version > 1);
        Ok((page, next))
    }

    /// A statement, made of what is on record.
    ///
    /// # Errors
    /// Unknown call, or the database is away. Not if evidence-store is: then the draft is incomplete, and says so.
    pub async fn draft_statement(&self, on: &On, officer: &OfficerId) -> Result<Drafted, Error> {
        let mut record = self.on_record(on, officer).await?;
        let read = self.records.read(on, officer, self.clock.now()).await;
        let incomplete = match read {
            Ok(records::Read { chapters, lines, exhibits }) => {
                (record.chapters, record.lines, record.exhibits) = (chapters, lines, exhibits);
                false
            }
            Err(error) => {
                tracing::warn!(call = %on.call, error = chassis::chain(&error), "a statement is drafted without the record");
                true
            }
        };
        Ok(Drafted { text: statement::draft(&record), incomplete })
    }

    /// "MARAC, sent at 09:15 on 1 July 2026 to West Midlands MARAC"; nothing of a draft.
    fn set_going(&self, on: &On, referral: &Referral) -> Option<String> {
        let sent = referral.sent()?;
        let to = match (&sent.by_hand, &sent.partner) {
            (Some(told), _) => format!(", told by hand to {}", told.0),
            (None, Some(partner)) => format!(" to {}", partner.name),
            (None, None) => String::new(),
        };
        let withdrawn = match &referral.stage {
            Stage::Withdrawn(.., withdrawn) => format!(", and taken back at {}", statement::moment(withdrawn.at)),
            _ => String::new(),
        };
        let (title, at) = (self.title_of(&on.force, &referral.kind), statement::moment(sent.at));
        Some(format!("{title}, sent at {at}{to}{withdrawn}"))
    }

    /// All of it that is kept here, as it was at one moment.
    async fn on_record(&self, on: &On, officer: &OfficerId) -> Result<OnRecord, Error> {
        let mut tx = self.store.reading("on_record", Scope::Force(&on.force)).await?;
        let facts = store::look(&mut tx, &on.force, on.call).await?.ok_or(Error::UnknownCall)?.package.facts;
        let incident = facts.incident.as_ref().ok_or(Error::UnknownCall)?;
        let risk = self.risk_now(&mut tx, on).await?.view();
        let ended = facts.ended.as_ref();
        let times = ended.and_then(|ended| ended.times);
        let given = risk.as_ref().filter(|risk| risk.is_graded).and_then(|risk| risk.grading.as_ref());
        let grade = given.map(|given| (given.decision.grade.word().to_owned(), given.reason.clone()));
        let answers = risk.map(|risk| risk.answers).unwrap_or_default();
        Ok(OnRecord {
            officer: officer.to_string(),
            spoke: facts.with.as_ref().and_then(|with| with.officer.as_ref()).map(ToString::to_string),
            incident: Some(format!("{} {}", incident.date, incident.number)),
            session: times.unzip(),
            recorded: ended.map(|ended| ended.recorded),
            consents: facts.consents_in_words(),
            people: people_of(&mut tx, on).await?,
            answers: answers.into_iter().map(|one| Told { question: one.label, answer: one.text }).collect(),
            grade,
            referrals: store::referrals(&mut tx, on).await?.iter().filter_map(|one| self.set_going(on, one)).collect(),
            ..OnRecord::default()
        })
    }
}
