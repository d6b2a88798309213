//! The one that gives entries their places. It takes what is queued, in order; computes the new root; signs it; commits all
//! that in one transaction; then writes the tiles; then asks the witness. A process that dies in between leaves nothing that
//! the next leader doesn't see to: what is committed and not yet written, or not yet cosigned, is done first.

use std::{collections::BTreeSet, time::Duration};

use api::evidence::v1::CheckpointPublished;
use chassis::Shutdown;
use exhibit::tlog::{Frontier, consistency_path, note::SignedNote, verify_consistency};
use tokio::time::Instant;

use super::{
    Log,
    heads::Heads,
    witness::{Answer, Trouble, Witness},
};
use crate::{
    error::Error,
    events, metrics,
    store::{self, CheckpointRow, Lead, Wake},
};
use outbox::Scope;

/// Entries of one batch.
const BATCH: i64 = 1_000;
/// A look at the queue without having been woken.
const POLL: Duration = Duration::from_secs(2);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const PAUSE_CAP: Duration = Duration::from_secs(1);

/// What the leader remembers between two rounds.
struct Round {
    heads: Heads,
    /// The size that the witness has, as far as we know.
    witnessed: u64,
    pause: Duration,
    /// When to ask the witness again that didn't answer.
    again: Option<Instant>,
}

impl Log {
    /// Leads, whenever nobody else does, until the shutdown or until the database is known to be behind.
    pub async fn sequence(self, shutdown: Shutdown) {
        if shutdown.or(self.standing.compared()).await.is_none() {
            return;
        }
        let mut pause = FIRST_PAUSE;
        loop {
            let leading = async {
                tokio::select! {
                    led = self.lead() => led,
                    () = self.standing.lost() => Ok(()),
                }
            };
            match shutdown.or(leading).await {
                None | Some(Ok(())) => return,
                Some(Err(error)) if error.is_away() => {
                    tracing::warn!(error = chassis::chain(&error), "the log waits");
                }
                Some(Err(error)) => {
                    tracing::error!(error = chassis::chain(&error), "the log can't go on");
                    // What can't be said now is said next time.
                    let _ = self.say("a person: the log can't go on, and the service's log says why").await;
                }
            }
            if shutdown.or(tokio::time::sleep(pause)).await.is_none() {
                return;
            }
            pause = (pause * 2).min(PAUSE_CAP);
        }
    }

    async fn lead(&self) -> Result<(), Error> {
        let mut lead = Lead::wait(self.store.pool()).await?;
        let mut tx = lead.begin("lead").await?;
        let witnessed = store::newest_checkpoint(&mut tx, true).await?.map_or(0, |row| row.frontier.size());
        drop(tx);
        let mut round = Round { heads: Heads::every(self.heads_every), witnessed, pause: FIRST_PAUSE, again: None };
        loop {
            self.standing.check()?;
            round.heads.queue(self, &mut lead).await?;
            while self.place(&mut lead).await? {
                self.publish(&mut lead, &mut round).await?;
            }
            self.publish(&mut lead, &mut round).await?;
            let look = round.again.unwrap_or(round.heads.due()).min(round.heads.due()).min(Instant::now() + POLL);
            tokio::select! {
                () = self.wake.notified() => {}
                () = tokio::time::sleep_until(look) => {}
            }
        }
    }

    /// Gives what is queued its places, up to one batch, under a new signed checkpoint; false if nothing was queued.
    #[tracing::instrument(level = "debug", skip_all)]
    async fn place(&self, lead: &mut Lead) -> Result<bool, Error> {
        let mut tx = lead.begin("place").await?;
        let mut queued = store::queued_entries(&mut tx, BATCH).await?;
        if queued.is_empty() {
            return Ok(false);
        }
        let ids: Vec<i64> = queued.iter().map(|entry| entry.id).collect();
        let leaves: Vec<_> = queued.iter().map(|entry| entry.leaf).collect();
        let placed: BTreeSet<_> = store::placed(&mut tx, &leaves).await?.into_iter().collect();
        queued.retain(|entry| !placed.contains(&entry.leaf));
        store::unqueue(&mut tx, &ids).await?;
        if !queued.is_empty() {
            let mut frontier =
                store::newest_checkpoint(&mut tx, false).await?.map_or_else(Frontier::new, |row| row.frontier);
            store::place_entries(&mut tx, frontier.size(), &queued).await?;
            queued.iter().for_each(|entry| frontier.push(entry.leaf));
            let (note, now) = (self.sign(&frontier)?, self.clock.now());
            store::insert_checkpoint(&mut tx, &frontier, &note, now).await?;
            if self.witness.is_none() {
                self.tell(&mut tx, &frontier, &note).await?;
            }
            tracing::debug!(size = frontier.size(), entries = queued.len(), "the log has grown");
        }
        store::commit(tx, "place").await?;
        Ok(true)
    }

    /// Tells the sealing workers and the other services of a checkpoint that they may rely on.
    async fn tell(
        &self,
        tx: &mut sqlx::PgTransaction<'_>,
        frontier: &Frontier,
        note: &SignedNote,
    ) -> Result<(), Error> {
        let now = self.clock.now();
        let checkpoint = CheckpointPublished {
            origin: self.key.name().to_owned(),
            size: frontier.size(),
            root: frontier.root().as_bytes().to_vec(),
            note: note.to_text(),
            occurred_at: Some(events::timestamp(now)),
        };
        outbox::write_in_tx(tx, &self.entropy, now, [events::checkpoint(&checkpoint)?]).await?;
        Ok(store::wake(tx, Wake::Covered).await?)
    }

    /// Writes the tiles of the newest checkpoint, and gets the witness's word on it, as far as either is still to be done.
    async fn publish(&self, lead: &mut Lead, round: &mut Round) -> Result<(), Error> {
        let mut tx = lead.begin("publish").await?;
        let newest = store::newest_checkpoint(&mut tx, false).await?;
        drop(tx);
        let Some(newest) = newest else { return Ok(()) };
        let size = newest.frontier.size();
        self.tiles.reach(&self.store, &newest).await?;
        metrics::log_has(size);
        if let (Some(witness), None) = (&self.witness, &newest.cosigned) {
            self.tiles.publish(size, &newest.note).await?;
            match self.cosign(witness, &newest, round).await {
                Ok(cosigned) => {
                    let mut tx = lead.begin("cosigned").await?;
                    if store::save_cosigned(&mut tx, size, &cosigned, self.clock.now()).await? {
                        self.tell(&mut tx, &newest.frontier, &cosigned).await?;
                    }
                    store::commit(tx, "cosigned").await?;
                    self.tiles.publish(size, &cosigned).await?;
                    (round.witnessed, round.pause, round.again) = (size, FIRST_PAUSE, None);
                }
                Err(Error::Witness(trouble)) => self.witness_troubles(round, &trouble).await?,
                Err(error) => return Err(error),
            }
        } else {
            self.tiles.publish(size, newest.cosigned.as_ref().unwrap_or(&newest.note)).await?;
        }
        Ok(())
    }

    /// Seals wait, and say for what. The next round may be sooner, if something is queued.
    async fn witness_troubles(&self, round: &mut Round, trouble: &Trouble) -> Result<(), Error> {
        tracing::warn!(error = chassis::chain(trouble), "the log waits for the witness");
        self.say(&trouble.to_string()).await?;
        round.again = Some(Instant::now() + round.pause);
        round.pause = (round.pause * 2).min(PAUSE_CAP);
        Ok(())
    }

    /// Says of every exhibit that waits for the log what that waits for.
    async fn say(&self, what: &str) -> Result<(), Error> {
        let mut tx = self.store.begin("log_waits_for", Scope::All).await?;
        store::set_log_waits_for(&mut tx, what).await?;
        Ok(store::commit(tx, "log_waits_for").await?)
    }

    /// Gets the witness's cosignature. What it says that contradicts the database is compared at once.
    #[tracing::instrument(level = "debug", skip_all, fields(size = newest.frontier.size()))]
    async fn cosign(&self, witness: &Witness, newest: &CheckpointRow, round: &mut Round) -> Result<SignedNote, Error> {
        let size = newest.frontier.size();
        // Twice: the witness may have seen more than it has told us, if its answer was lost.
        for _ in 0..2 {
            let path = match self.consistency(round.witnessed, newest).await {
                Ok(path) => path,
                // A witness that knows a size of which no checkpoint was ever signed here.
                Err(error) => {
                    self.ask_what_it_has_seen(witness).await?;
                    return Err(error);
                }
            };
            match witness.add(round.witnessed, &path, &newest.note).await {
                Ok(Answer::Cosigned(signature)) => {
                    let mut note = newest.note.clone();
                    note.add(signature)?;
                    return Ok(note);
                }
                Ok(Answer::Knows(known)) if known < size && known != round.witnessed => round.witnessed = known,
                Ok(Answer::Knows(known)) => {
                    self.ask_what_it_has_seen(witness).await?;
                    if known == size {
                        round.witnessed = known;
                        continue;
                    }
                    break;
                }
                Err(trouble @ Trouble::Refused(_)) => {
                    self.ask_what_it_has_seen(witness).await?;
                    return Err(trouble.into());
                }
                Err(trouble) => return Err(trouble.into()),
            }
        }
        Err(Trouble::Refused(reqwest::StatusCode::CONFLICT).into())
    }

    /// It has refused, or knows more than we do: if it has seen a checkpoint of ours that the database doesn't know, that is
    /// the end of serving.
    async fn ask_what_it_has_seen(&self, witness: &Witness) -> Result<(), Error> {
        if let Some(seen) = witness.seen(self.key.name()).await? {
            self.hear("the witness", &seen).await?;
        }
        self.standing.check()
    }

    /// That the newest tree begins with the one of `old` leaves: made from the tiles, and checked as the witness will.
    async fn consistency(&self, old: u64, newest: &CheckpointRow) -> Result<Vec<exhibit::Digest>, Error> {
        let (size, root) = (newest.frontier.size(), newest.frontier.root());
        let mut tx = self.store.begin("consistency", Scope::All).await?;
        let old_root =
            if old == 0 { Some(exhibit::tlog::empty_root()) } else { store::signed_root(&mut tx, old).await? };
        drop(tx);
        let Some(old_root) = old_root else { return Err(Trouble::Refused(reqwest::StatusCode::CONFLICT).into()) };
        let make = async || {
            let path = self.tiles.read(size, move |read| consistency_path(old, size, read)).await?;
            verify_consistency(old, old_root, size, root, &path)?;
            Ok::<_, Error>(path)
        };
        match make().await {
            Ok(path) => Ok(path),
            Err(error) => {
                self.mend(newest, &error).await?;
                make().await
            }
        }
    }
}
