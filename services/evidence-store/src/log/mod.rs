//! The transparency log: one Merkle tree of all seals, heads of live chains, access logs and tombstones.
//!
//! ```text
//! store::queue_log_entry --queue--> sequencer -> store (places, root, signed checkpoint: commit)
//!                                       |-> tiles (files under log.dir)
//!                                       |-> witness --cosigned checkpoint--> store -> sealing worker, CheckpointPublished
//! ```
//! Postgres says what was sequenced; the tiles are a copy, made again whenever they lag. Nobody outside sees a checkpoint
//! that isn't committed: so a genuine checkpoint that the database doesn't know says that the database is not the newest
//! there was ([`standing`]). Rejected: sequencing in the sealing transaction (one lock over all seals), and a timer that
//! gathers batches (a seal would wait for it): what is queued while a batch is under way is the next one.

mod heads;
pub mod key;
mod sequencer;
pub mod standing;
pub mod tiles;
pub mod witness;

use std::sync::Arc;

use chassis::{Clock, Entropy};
use exhibit::tlog::{
    Checkpoint, Entry, Proof, inclusion_path,
    note::{SignedNote, SignerKey, VerifierKey},
};
use sqlx::PgConnection;
use tokio::sync::Notify;

use self::{standing::Standing, tiles::Tiles, witness::Witness};
use crate::{
    config::Config,
    error::Error,
    store::{self, CheckpointRow, Store},
};
use outbox::Scope;

/// The log, for whoever needs a proof, and for the sequencer. Cheap to clone.
#[derive(Clone)]
pub struct Log {
    store: Store,
    clock: Clock,
    entropy: Entropy,
    signer: Arc<SignerKey>,
    key: Arc<VerifierKey>,
    tiles: Tiles,
    witness: Option<Arc<Witness>>,
    standing: Standing,
    /// Wakes the sequencer.
    pub wake: Arc<Notify>,
    heads_every: std::time::Duration,
}

impl Log {
    /// As configured. In the development profile, without a key, makes one.
    ///
    /// # Errors
    /// A key can't be read or made.
    pub fn new(config: &Config, store: Store, clock: Clock, entropy: Entropy) -> Result<Self, Error> {
        let folder = config.log.dir.clone().unwrap_or_else(|| config.journal.data_dir.join("log"));
        let signer = key::signer(config, &folder, &entropy)?;
        let key = Arc::new(signer.verifier());
        let witness = config.witness.as_ref().map(|witness| Witness::new(witness).map(Arc::new)).transpose()?;
        Ok(Self {
            store,
            clock,
            entropy,
            key: key.clone(),
            signer: Arc::new(signer),
            tiles: Tiles::under(folder, key),
            witness,
            standing: Standing::default(),
            wake: Arc::default(),
            heads_every: std::time::Duration::from_secs(config.log.heads_every_seconds.into()),
        })
    }

    /// Whether the database is the newest there was.
    #[must_use]
    pub fn standing(&self) -> &Standing {
        &self.standing
    }

    /// Does sealing wait for a witness?
    #[must_use]
    pub fn is_witnessed(&self) -> bool {
        self.witness.is_some()
    }

    /// What checks the log's checkpoints.
    #[must_use]
    pub fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// The newest checkpoint that is worth showing: cosigned, where there is a witness.
    ///
    /// # Errors
    /// The database is away, or nothing is logged yet.
    pub async fn checkpoint(&self) -> Result<SignedNote, Error> {
        let mut tx = self.store.begin("checkpoint", Scope::All).await?;
        let newest = self.newest(&mut tx).await?.ok_or(Error::NothingLogged)?;
        Ok(newest.cosigned.unwrap_or(newest.note))
    }

    /// How many entries the database knows, and those that the tiles have after them, in order.
    ///
    /// # Errors
    /// The database is away, or the tiles can't be read.
    pub async fn beyond(&self) -> Result<(u64, Vec<Entry>), Error> {
        let mut tx = self.store.begin("beyond", Scope::All).await?;
        let known = store::newest_checkpoint(&mut tx, false).await?.map_or(0, |newest| newest.frontier.size());
        drop(tx);
        let written = self.tiles.signed_size().await?.unwrap_or(0);
        let entries = self.tiles.entries(known, written.max(known)).await?;
        let entries = entries.iter().map(|entry| Entry::parse(entry)).collect::<Result<_, _>>()?;
        Ok((known, entries))
    }

    /// That an entry is in the log; `None` until a checkpoint (cosigned, where there is a witness) covers it.
    ///
    /// # Errors
    /// The database or the tiles can't be read, or don't fit together.
    pub async fn proof(&self, entry: &Entry) -> Result<Option<Proof>, Error> {
        let mut tx = self.store.begin("proof", Scope::All).await?;
        let Some(index) = store::log_index(&mut tx, entry.leaf_hash()).await? else { return Ok(None) };
        let newest = self.newest(&mut tx).await?.filter(|newest| index < newest.frontier.size());
        drop(tx);
        let Some(newest) = newest else { return Ok(None) };
        self.tiles.reach(&self.store, &newest).await?;
        // For those who read the tiles of a process that doesn't lead.
        self.tiles.publish(newest.frontier.size(), newest.cosigned.as_ref().unwrap_or(&newest.note)).await?;
        match self.prove(entry, index, &newest).await {
            Ok(proof) => Ok(Some(proof)),
            Err(error) => {
                self.mend(&newest, &error).await?;
                self.prove(entry, index, &newest).await.map(Some)
            }
        }
    }

    /// Makes a proof, and does with it what a verifier will: one that doesn't hold must not get into a package.
    async fn prove(&self, entry: &Entry, index: u64, newest: &CheckpointRow) -> Result<Proof, Error> {
        let size = newest.frontier.size();
        let path = self.tiles.read(size, move |read| inclusion_path(index, size, read)).await?;
        let checkpoint = newest.cosigned.clone().unwrap_or_else(|| newest.note.clone());
        let proof = Proof { index, path, checkpoint, extra: Vec::new() };
        let policy = self.witness.as_ref().map(|witness| witness.policy()).unwrap_or_default();
        proof.verify(&entry.to_bytes(), &self.key, &policy)?;
        Ok(proof)
    }

    /// Makes the tiles anew where they aren't what the database says.
    async fn mend(&self, newest: &CheckpointRow, why: &Error) -> Result<(), Error> {
        tracing::error!(error = chassis::chain(why), "the log's tiles don't fit its database: comparing all of them");
        self.tiles.distrust().await;
        self.tiles.reach(&self.store, newest).await
    }

    async fn newest(&self, conn: &mut PgConnection) -> Result<Option<CheckpointRow>, Error> {
        Ok(store::newest_checkpoint(conn, self.witness.is_some()).await?)
    }

    fn sign(&self, frontier: &exhibit::tlog::Frontier) -> Result<SignedNote, Error> {
        let origin = self.key.name().to_owned();
        Ok(Checkpoint { origin, size: frontier.size(), root: frontier.root() }.sign(&self.signer)?)
    }
}
