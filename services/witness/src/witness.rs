//! Seeing, judging, keeping, cosigning: in this order, one request of a log at a time.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use chassis::Clock;
use exhibit::tlog::{
    AddCheckpoint, Checkpoint,
    note::{Signature, SignedNote, SignerKey},
};

use crate::{
    Error,
    judge::{is_fork, judge},
    logs::Logs,
    storage::{Seen, Storage},
};

/// What was seen of one log. Whoever judges holds it until the answer is on the disk.
type Slot = Arc<tokio::sync::Mutex<Option<Seen>>>;

/// The witness.
#[derive(Debug)]
pub struct Witness {
    key: SignerKey,
    logs: Logs,
    storage: Storage,
    // By origin. Only for logs that we witness, so bounded.
    slots: Mutex<HashMap<String, Slot>>,
    clock: Clock,
}

impl Witness {
    /// A witness that has seen this much.
    #[must_use]
    pub fn new(key: SignerKey, logs: Logs, storage: Storage, seen: Vec<Seen>, clock: Clock) -> Self {
        let slot = |seen: Seen| (seen.checkpoint.origin.clone(), Arc::new(tokio::sync::Mutex::new(Some(seen))));
        Self { key, logs, storage, slots: Mutex::new(seen.into_iter().map(slot).collect()), clock }
    }

    /// Cosigns a checkpoint, if it continues what we have seen. Answers with the signature's line.
    ///
    /// # Errors
    /// Why not: see [`Error`].
    pub async fn add_checkpoint(self: Arc<Self>, body: &[u8]) -> Result<String, Error> {
        let request = AddCheckpoint::parse(body).map_err(Error::Malformed)?;
        let checkpoint = Checkpoint::parse(request.note.text()).map_err(Error::Malformed)?;
        let keys = self.logs.keys(&checkpoint.origin).await;
        if keys.is_empty() {
            return Err(Error::UnknownLog);
        }
        // The log's own signature alone is kept: anybody can put others under a note.
        let key = keys.iter().find(|key| request.note.verify(key).is_ok()).ok_or(Error::NotSigned)?;
        let by_key = |signature: &&Signature| signature.name() == key.name() && signature.key_id() == key.id();
        let signature = request.note.signatures().iter().find(by_key).ok_or(Error::NotSigned)?.clone();
        let note = SignedNote::new(request.note.text(), signature).map_err(Error::Malformed)?;

        let mut seen = self.slot(&checkpoint.origin).lock_owned().await;
        // Not cut off when the client goes away: the disk and the memory must tell the same.
        let work = tokio::task::spawn_blocking(move || {
            self.decide(&mut seen, &request, checkpoint, note).map(|signature| signature.to_string())
        });
        work.await.map_err(|_| Error::ShuttingDown)?
    }

    fn decide(
        &self,
        seen: &mut Option<Seen>,
        request: &AddCheckpoint,
        checkpoint: Checkpoint,
        mut note: SignedNote,
    ) -> Result<Signature, Error> {
        let before = seen.as_ref().map(|seen| &seen.checkpoint);
        if let Err(refusal) = judge(before, request.old, &request.path, &checkpoint) {
            if before.is_some_and(|before| is_fork(before, &checkpoint)) {
                tracing::error!(origin = checkpoint.origin, size = checkpoint.size, "the log has signed a fork");
                self.storage.keep_fork(&note);
            }
            return Err(refusal);
        }
        let cosignature = self.key.cosign(note.text(), u64::try_from(self.clock.now().timestamp()).unwrap_or(0));
        // The same tree once more: nothing to keep, and the time of seeing it is now.
        if before != Some(&checkpoint) {
            note.add(cosignature.clone()).map_err(Error::Malformed)?;
            let new = Seen { checkpoint, note };
            self.storage.save(&new)?;
            *seen = Some(new);
        }
        Ok(cosignature)
    }

    /// The note that we cosigned last for a log, with the log's signature and ours.
    ///
    /// # Errors
    /// [`Error::NothingSeen`].
    pub async fn seen(&self, origin: &str) -> Result<String, Error> {
        let slot = self.slots.lock().unwrap_or_else(PoisonError::into_inner).get(origin).cloned();
        let slot = slot.ok_or(Error::NothingSeen)?;
        let seen = slot.lock().await;
        seen.as_ref().map(|seen| seen.note.to_text()).ok_or(Error::NothingSeen)
    }

    fn slot(&self, origin: &str) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(origin.to_owned()).or_default())
    }
}
