//! Is this database the newest there was? Compared, at start and whenever somebody says something new, with what the tiles,
//! the witness and the other services hold: all of it signed by this log, and none of it shown before it was committed.
//!
//! A store that has gone back in time would sign a second history with the same key, and seal on it. It serves nothing until
//! a person has brought the database forward and started it again.

use std::{sync::Arc, time::Duration};

use async_nats::jetstream::Context;
use chassis::{Health, Shutdown};
use exhibit::tlog::{Checkpoint, note::SignedNote};
use tokio::sync::{mpsc, watch};

use super::Log;
use crate::{error::Error, store};
use outbox::Scope;

/// How long the witness and the keepers may take to answer at start. A life may hang on the start.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long a comparison that couldn't be made is put off.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// What is known about the database's place in time. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Standing(Arc<watch::Sender<Known>>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Known {
    /// Nothing was compared yet: nothing is served, and above all nothing is signed.
    NotYet,
    /// Nobody who could be asked knows better.
    Newest,
    /// Somebody does.
    Behind(Behind),
}

/// What somebody holds that the database doesn't know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the database doesn't know the log's checkpoint of size {size} that {holder} holds: it is not the newest there was"
)]
pub struct Behind {
    /// Who holds it.
    pub holder: String,
    /// The checkpoint's size.
    pub size: u64,
}

impl Default for Standing {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Known::NotYet)))
    }
}

impl Standing {
    /// Passes if the database was compared and isn't known to be behind.
    ///
    /// # Errors
    /// It wasn't, or it is.
    pub fn check(&self) -> Result<(), Error> {
        match &*self.0.borrow() {
            Known::NotYet => Err(Error::Starting),
            Known::Newest => Ok(()),
            Known::Behind(behind) => Err(behind.clone().into()),
        }
    }

    /// Is the database known to be behind?
    #[must_use]
    pub fn is_lost(&self) -> bool {
        matches!(&*self.0.borrow(), Known::Behind(_))
    }

    /// Returns once the database was compared and isn't known to be behind: it may be that it never is.
    pub async fn compared(&self) {
        // The sender lives in `self`, so waiting can't fail.
        let _ = self.0.subscribe().wait_for(|known| *known == Known::Newest).await;
    }

    /// Returns once the database is known to be behind.
    pub async fn lost(&self) {
        let _ = self.0.subscribe().wait_for(|known| matches!(known, Known::Behind(_))).await;
    }

    fn newest(&self) {
        self.0.send_if_modified(|known| {
            let first = *known == Known::NotYet;
            if first {
                *known = Known::Newest;
            }
            first
        });
    }

    /// Keeps readiness in step until the shutdown.
    pub async fn show(self, health: Health, shutdown: Shutdown) {
        health.set("log", true);
        if shutdown.or(self.lost()).await.is_some() {
            health.set("log", false);
        }
    }

    /// There is no way back but a new start: the first finding stays.
    fn lose(&self, behind: Behind) {
        self.0.send_if_modified(|known| {
            if matches!(known, Known::Behind(_)) {
                return false;
            }
            tracing::error!(
                kind = "LOG_BEHIND",
                holder = behind.holder,
                size = behind.size,
                "integrity alarm: the database is not the newest there was; nothing is served until a person has looked",
            );
            *known = Known::Behind(behind);
            true
        });
    }
}

impl Log {
    /// Compares the database with all that can be asked now.
    ///
    /// # Errors
    /// The database is away, or behind. Others that can't be asked are no error: sealing waits for the witness anyway.
    pub async fn compare(&self, jetstream: &Context) -> Result<(), Error> {
        if let Some(note) = self.tiles.checkpoint().await? {
            self.hear("the tiles", &note).await?;
        }
        let witness = async {
            match &self.witness {
                Some(witness) => tokio::time::timeout(PATIENCE, witness.seen(self.key.name())).await,
                None => Ok(Ok(None)),
            }
        };
        let shown = tokio::time::timeout(PATIENCE, outbox::shown_checkpoints(jetstream));
        let (witness, shown) = tokio::join!(witness, shown);
        match witness {
            Ok(Ok(Some(note))) => self.hear("the witness", &note).await?,
            Ok(Ok(None)) => {}
            Ok(Err(trouble)) => {
                tracing::warn!(
                    error = chassis::chain(&trouble),
                    "the witness can't say what it has seen; serving all the same"
                );
            }
            Err(_) => tracing::warn!("the witness doesn't say in time what it has seen; serving all the same"),
        }
        match shown {
            Ok(Ok(shown)) => {
                for shown in shown {
                    self.hear(&shown.keeper, &shown.note).await?;
                }
            }
            Ok(Err(error)) => {
                tracing::warn!(
                    error = chassis::chain(&error),
                    "can't ask what the other services hold; serving all the same"
                );
            }
            Err(_) => tracing::warn!("the bus doesn't say in time what the other services hold; serving all the same"),
        }
        self.standing.newest();
        self.standing.check()
    }

    /// Goes on listening to what the other services hold.
    pub async fn listen(self, jetstream: Context, shutdown: Shutdown) {
        let (seen, mut shown) = mpsc::channel(16);
        let watching = outbox::watch_checkpoints(jetstream, seen, shutdown.clone());
        let comparing = async {
            while let Some(Some(shown)) = shutdown.or(shown.recv()).await {
                while let Err(error) = self.hear(&shown.keeper, &shown.note).await {
                    tracing::warn!(error = chassis::chain(&error), holder = shown.keeper, "can't compare yet");
                    if shutdown.or(tokio::time::sleep(LOOK_AGAIN)).await.is_none() {
                        return;
                    }
                }
            }
        };
        tokio::join!(watching, comparing);
    }

    /// Compares the database with what somebody holds. What this log hasn't signed says nothing about it.
    ///
    /// # Errors
    /// The database is away.
    pub async fn hear(&self, holder: &str, note: &str) -> Result<(), Error> {
        let genuine = SignedNote::parse(note).and_then(|note| Checkpoint::open(&note, &self.key));
        let checkpoint = match genuine {
            Ok(checkpoint) => checkpoint,
            Err(error) => {
                tracing::warn!(holder, %error, "not a checkpoint of this log: left out of account");
                return Ok(());
            }
        };
        if checkpoint.size == 0 {
            return Ok(());
        }
        // Asked only now: what was signed meanwhile, by another process, is there.
        let mut tx = self.store.begin("signed_root", Scope::All).await?;
        if store::signed_root(&mut tx, checkpoint.size).await? != Some(checkpoint.root) {
            self.standing.lose(Behind { holder: holder.to_owned(), size: checkpoint.size });
        }
        Ok(())
    }
}
