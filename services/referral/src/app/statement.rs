//! The officer's statement and their notes on the package.

use api::referral::v1 as proto;
use ids::OfficerId;
use outbox::{Scope, replay};
use tracing::{Instrument, info_span};

use super::{App, Ask, On, lock_case};
use crate::{
    domain::{Note, Statement},
    error::Error,
    store::{self, Locked, statements},
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

impl App {
    /// Keeps a note on an item.
    ///
    /// # Errors
    /// Unknown call or item, no words or too many; the request id was used for something else; the database is away.
    pub async fn note_item(
        &self,
        ask: Ask<'_, proto::NotePackageItemRequest>,
        on: &On,
        by: OfficerId,
        noted: Noted<'_>,
    ) -> Result<proto::NotePackageItemResponse, Error> {
        let now = self.clock.now();
        let mut tx = self.store.begin("note_item", Scope::Force(&on.force)).await?;
        if let Some(first) = replay::first_answer(&mut tx, ask.id, "NotePackageItem", ask.request).await? {
            return Ok(first);
        }
        let Locked { package, trace } = lock_case(&mut tx, on).await?;
        let span = trace.follow(info_span!("note_item", call = %on.call));
        async {
            let note = Note { applies: noted.applies, text: noted.text.to_owned(), by, at: now };
            let note = Note::on(package.checklist(&self.books.checklist), noted.key, note)?;
            statements::insert_note(&mut tx, &on.force, on.call, noted.key, &note).await?;
            store::touch(&mut tx, on.call).await?;
            let answer = proto::NotePackageItemResponse {};
            replay::remember(&mut tx, ask.id, &answer).await?;
            store::commit(tx, "note_item").await?;
            Ok(answer)
        }
        .instrument(span)
        .await
    }

    /// Keeps a further version of the statement, written on version `base`.
    ///
    /// # Errors
    /// Unknown call, another version came between, or it can't be one; the request id was used for something else; the
    /// database is away.
    pub async fn save_statement(
        &self,
        ask: Ask<'_, proto::SaveStatementRequest>,
        on: &On,
        by: OfficerId,
    ) -> Result<proto::SaveStatementResponse, Error> {
        let now = self.clock.now();
        let mut tx = self.store.begin("save_statement", Scope::Force(&on.force)).await?;
        if let Some(first) = replay::first_answer(&mut tx, ask.id, "SaveStatement", ask.request).await? {
            return Ok(first);
        }
        let Locked { trace, .. } = lock_case(&mut tx, on).await?;
        let span = trace.follow(info_span!("save_statement", call = %on.call));
        async {
            let before = statements::statements(&mut tx, &on.force, on.call).await?;
            let proto::SaveStatementRequest { text, declared, version, .. } = ask.request;
            let written =
                Statement { version: *version, text: text.clone(), declared: *declared, saved_by: by, saved_at: now };
            let statement = Statement::after(before.first(), *version, written)?;
            statements::insert_statement(&mut tx, &on.force, on.call, &statement).await?;
            store::touch(&mut tx, on.call).await?;
            let answer = proto::SaveStatementResponse { version: statement.version };
            replay::remember(&mut tx, ask.id, &answer).await?;
            store::commit(tx, "save_statement").await?;
            Ok(answer)
        }
        .instrument(span)
        .await
    }

    /// Every version, the newest first.
    ///
    /// # Errors
    /// Unknown call, or the database is away.
    pub async fn list_statements(&self, on: &On) -> Result<Vec<Statement>, Error> {
        let mut tx = self.store.begin_reading("list_statements", Scope::Force(&on.force)).await?;
        super::known_case(&mut tx, on).await?;
        Ok(statements::statements(&mut tx, &on.force, on.call).await?)
    }
}
