//! What the caller agreed to becomes an item of the exhibit, one version a change. Intake tells it before there is an
//! exhibit, so it waits in the database; adding it is idempotent by the event's id.

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    time::Duration,
};

use chassis::Shutdown;
use chrono::{DateTime, Utc};
use exhibit::{
    Digest,
    manifest::{ItemKind, MediaType},
};
use ids::{CallId, EventId, ForceId};
use sqlx::PgTransaction;
use uuid::Uuid;

use super::{App, items::NewcomingItem};
use crate::{
    domain::consents,
    error::Error,
    store::{self, Consents, Key, Located, StoreError},
};
use outbox::{Line, Scope};

const LOOK_AGAIN: Duration = Duration::from_secs(30);
const BEFORE_THE_JOURNAL: Duration = Duration::from_millis(200);

impl App {
    /// Keeps what intake told, until it is an item of the call's exhibit.
    ///
    /// # Errors
    /// The database is away.
    pub async fn consents_recorded(
        &self,
        tx: &mut PgTransaction<'_>,
        force: &ForceId,
        call: CallId,
        event: EventId,
        at: DateTime<Utc>,
        given: &BTreeMap<&'static str, bool>,
    ) -> Result<(), Error> {
        let content = consents::write(call, at, given)?;
        Ok(store::insert_consents(tx, event, call, force, at, &content).await?)
    }

    /// Adds what waits for an exhibit that is about to be fenced: into that, and nowhere else. What can't be added keeps this
    /// one from its fence until a person has seen to it: sealed without, it would say what the caller had taken back.
    ///
    /// # Errors
    /// The database, the keys or the journal is away, or one of them can't be kept.
    pub(super) async fn add_consents_to(&self, exhibit: &Located) -> Result<(), Error> {
        let mut tx = self.store.begin("waiting_consents", Scope::Force(&exhibit.exhibit.force)).await?;
        let waiting = store::waiting_consents(&mut tx, Some(exhibit.exhibit.call), &BTreeSet::new()).await?;
        drop(tx);
        for consents in waiting {
            if self.journal_here(&item(&consents)?, exhibit, consents.content.into()).await?.is_none() {
                break;
            }
            self.consents_added(consents.id).await?;
        }
        Ok(())
    }

    /// Adds all that waits, wherever it belongs now. What can't be added holds up what its own caller said later, and nobody else's.
    async fn add_consents(&self) -> Result<(), Error> {
        let mut held_up = BTreeSet::new();
        loop {
            let mut tx = self.store.begin("waiting_consents", Scope::All).await?;
            let waiting = store::waiting_consents(&mut tx, None, &held_up).await?;
            drop(tx);
            if waiting.is_empty() {
                return Ok(());
            }
            // Each of them waits no longer, or its call is held up: the next look finds others.
            for consents in waiting {
                let call = consents.call;
                if !held_up.contains(&call) && !self.is_added(consents).await? {
                    held_up.insert(call);
                }
            }
        }
    }

    /// Adds what a caller said. False: it can't be kept until a person has seen to it.
    async fn is_added(&self, consents: Consents) -> Result<bool, Error> {
        let (id, call) = (consents.id, consents.call);
        match self.add_one(consents).await {
            Ok(()) => {}
            // Nothing is added to what is gone.
            Err(Error::Retention(refusal)) => tracing::warn!(%call, error = %refusal, "consents not kept"),
            Err(error) if error.is_away() => return Err(error),
            Err(error) => {
                tracing::error!(%call, error = chassis::chain(&error), "consents can't be kept");
                return Ok(false);
            }
        }
        self.consents_added(id).await?;
        Ok(true)
    }

    async fn add_one(&self, consents: Consents) -> Result<(), Error> {
        self.add_item(&item(&consents)?, consents.content.into()).await.map(drop)
    }

    async fn consents_added(&self, id: Uuid) -> Result<(), Error> {
        let mut tx = self.store.begin("consents_added", Scope::All).await?;
        store::consents_added(&mut tx, id, self.clock.now()).await?;
        Ok(store::commit(tx, "consents_added").await?)
    }

    /// Adds consents as they come, until the shutdown.
    pub async fn keep_consents(self, shutdown: Shutdown) {
        // A database that is behind is not written to.
        if shutdown.or(self.log.standing().compared()).await.is_none() {
            return;
        }
        loop {
            match shutdown.or(self.listen_for_consents()).await {
                None => return,
                Some(Ok(never)) => match never {},
                Some(Err(error)) => tracing::warn!(error = chassis::chain(&error), "consents wait"),
            }
            if shutdown.or(tokio::time::sleep(Duration::from_secs(1))).await.is_none() {
                return;
            }
        }
    }

    async fn listen_for_consents(&self) -> Result<Infallible, Error> {
        let failed = |error| Error::Store(StoreError::Database("listen_for_consents", error));
        let mut line = Line::open(self.store.pool(), store::CONSENTS).await.map_err(failed)?;
        loop {
            // Before the journal is there nothing can be added: the next look finds it.
            let pause = if self.journal().is_ok() {
                self.add_consents().await?;
                LOOK_AGAIN
            } else {
                BEFORE_THE_JOURNAL
            };
            if let Ok(heard) = tokio::time::timeout(pause, line.hear()).await {
                heard.map_err(failed)?;
            }
        }
    }
}

fn item(consents: &Consents) -> Result<NewcomingItem, Error> {
    Ok(NewcomingItem {
        id: consents.id,
        force: consents.force.parse()?,
        key: Key::Call(consents.call),
        kind: ItemKind::Consents,
        name: "consents".parse()?,
        media_type: MediaType::Json,
        sha256: Digest::of(&consents.content),
        made_at: consents.at,
    })
}
