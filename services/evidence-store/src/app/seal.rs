//! Sealing, one step a transaction. A step that was interrupted is done again; a step that somebody else did is seen
//! under the row's lock and left alone. So it doesn't matter who calls, how often, or when the process dies.

use std::{collections::BTreeMap, sync::PoisonError, time::Duration};

use chrono::{DateTime, Utc};
use exhibit::{Digest, Encryption, Manifest, Missing, bag::Bag, manifest::Parent};
use ids::{ExhibitId, ForceId, TrackName};
use tracing::Instrument;

use super::{
    App,
    readback::{self, TrackSoFar},
};
use crate::{
    domain::{Declaration, Exhibit, Fenced, Readiness, State},
    error::Error,
    journal::{committer::Closed, core::Purpose},
    store::{self, ItemRow, Key, Located, SegmentRow, TrackRow},
};
use outbox::Scope;

/// What one step came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// One state further.
    Done,
    /// Nothing more to do.
    Sealed,
    /// The session has not ended.
    SessionNotEnded,
    /// Segments are owed; at the latest then they are declared missing.
    WaitUntil(DateTime<Utc>),
    /// Somebody else has to do something first.
    Waits(WaitsFor),
}

/// Who has to do something first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitsFor {
    /// The timestamp authority: it is asked again after so long.
    Authority(Duration),
    /// The log, which says when it covers more.
    Log,
    /// The exhibit that this is an addendum to: its seal is named in the manifest.
    Parent,
}

/// What this service calls itself in a manifest.
pub(super) const SOFTWARE: &str = concat!("evidence-store ", env!("CARGO_PKG_VERSION"));

impl App {
    /// Seals an exhibit as far as it can be sealed now.
    ///
    /// # Errors
    /// There is none, its session has not ended, or a step failed.
    pub async fn seal(&self, force: &ForceId, key: Key) -> Result<Exhibit, Error> {
        let mut tx = self.store.begin("seal", Scope::Force(force)).await?;
        let exhibit = self.located(&mut tx, force, key).await?.exhibit;
        drop(tx);
        let id = exhibit.id;
        self.ask_for_seal(&exhibit);
        loop {
            match self.step(id).await? {
                Step::Done => {}
                Step::SessionNotEnded => return Err(Error::SessionNotEnded),
                Step::Sealed | Step::WaitUntil(_) | Step::Waits(_) => break,
            }
        }
        let mut tx = self.store.begin("seal", Scope::Force(force)).await?;
        Ok(self.located(&mut tx, force, Key::Exhibit(id)).await?.exhibit)
    }

    /// Takes an exhibit one step further, in its call's own trace.
    ///
    /// # Errors
    /// The step failed. Nothing has changed, and it can be tried again.
    pub async fn step(&self, id: ExhibitId) -> Result<Step, Error> {
        self.log.standing().check()?;
        let mut tx = self.store.begin("seal_step", Scope::All).await?;
        let located = store::exhibit(&mut tx, Key::Exhibit(id)).await?.ok_or(Error::UnknownExhibit)?;
        drop(tx);
        if matches!(located.exhibit.state, State::Sealed(_)) {
            return Ok(Step::Sealed);
        }
        let span = tracing::info_span!("seal_step", exhibit = %id, from = located.exhibit.state.name());
        let span = located.trace.follow(span);
        async {
            let step = self.step_from(located).await;
            if let Err(error) = &step {
                self.raise_if_damaged(id, error).await?;
            }
            step
        }
        .instrument(span)
        .await
    }

    /// Calls for a person if what was read isn't what was acknowledged.
    pub(super) async fn raise_if_damaged(&self, id: ExhibitId, error: &Error) -> Result<(), Error> {
        let Error::Damaged { track, seq, .. } = error else { return Ok(()) };
        let mut tx = self.store.begin("alarm", Scope::All).await?;
        self.index.alarm(&mut tx, id, "JOURNAL_CORRUPT", track, *seq).await?;
        Ok(store::commit(tx, "alarm").await?)
    }

    async fn sign(&self, unsigned: &Exhibit, tagmanifest: Digest) -> Result<Step, Error> {
        let id = unsigned.id;
        let bag = self.bag(id, tagmanifest).await?;
        let signature = self.signer.sign(bag.tagmanifest(), self.clock.now())?;
        let mut tx = self.store.begin("sign", Scope::All).await?;
        if let Some(exhibit) = locked(&mut tx, id, unsigned.state.name()).await?
            && exhibit.state == unsigned.state
        {
            let exhibit = exhibit.sign(exhibit::seal::seal_sha256(&signature), self.clock.now())?;
            // First: no row may say that it is signed and have no signature.
            store::save_signature(&mut tx, id, &signature).await?;
            store::save_exhibit(&mut tx, &exhibit).await?;
            store::commit(tx, "sign").await?;
        }
        Ok(Step::Done)
    }

    async fn step_from(&self, located: Located) -> Result<Step, Error> {
        let exhibit = &located.exhibit;
        let id = exhibit.id;
        match &exhibit.state {
            State::Open => self.fence(&located).await,
            State::Fenced(fenced) => {
                let parent = match exhibit.parent {
                    None => None,
                    Some(parent) => match self.sealed_parent(parent).await? {
                        None => {
                            self.set_waits_for(id, "the exhibit that it adds to is not sealed yet").await?;
                            return Ok(Step::Waits(WaitsFor::Parent));
                        }
                        parent => parent,
                    },
                };
                // Reading back is what takes time and disk: some at once, and nobody else waits behind them.
                let _place = self.reading.acquire().await.map_err(|_| Closed)?;
                let manifest = self.describe(exhibit, fenced, parent).await?;
                let bag = Bag::new(&manifest)?;
                let tagmanifest = Digest::of(bag.tagmanifest());
                let mut tx = self.store.begin("manifest", Scope::All).await?;
                if let Some(exhibit) = locked(&mut tx, id, "fenced").await? {
                    let exhibit = exhibit.manifest(tagmanifest, self.clock.now())?;
                    store::save_manifest(&mut tx, &exhibit, bag.manifest()).await?;
                    store::commit(tx, "manifest").await?;
                }
                Ok(Step::Done)
            }
            State::Manifested(manifested) => self.sign(exhibit, manifested.tagmanifest).await,
            // Our clock was ahead, and was put right before the authority took it.
            State::Signed(signed) if signed.at > self.clock.now() => {
                self.sign(exhibit, signed.manifested.tagmanifest).await
            }
            State::Signed(signed) => self.timestamp(id, signed).await,
            State::Timestamped(timestamped) => self.log_seal(id, timestamped).await,
            State::Logged(logged) => {
                let package = self.package(id, logged).await?;
                self.derived.want(id);
                let mut tx = self.store.begin("seal", Scope::All).await?;
                if let Some(exhibit) = locked(&mut tx, id, "logged").await? {
                    let now = self.clock.now();
                    let (exhibit, event) = exhibit.seal(now)?;
                    self.journal_seal(&exhibit, &package.files).await?;
                    store::save_exhibit(&mut tx, &exhibit).await?;
                    store::insert_artefacts(&mut tx, id, &package.files).await?;
                    let sealed = Located { exhibit, ..located };
                    outbox::write_in_tx(&mut tx, &self.entropy, now, [self.event(&sealed, &event)]).await?;
                    store::commit(tx, "seal").await?;
                    tracing::info!(exhibit = %id, reference = %sealed.exhibit.reference, "exhibit sealed");
                }
                self.journal()?.retire(id).await?;
                self.waiting.archive.notify_one();
                self.keys.forget(id);
                self.forget_addendum(id);
                self.derived.sealed();
                self.reread.forget(id);
                Ok(Step::Done)
            }
            State::Sealed(_) => Ok(Step::Sealed),
        }
    }

    /// Brings the fence down once what was declared is held, or its time is up.
    async fn fence(&self, located: &Located) -> Result<Step, Error> {
        let exhibit = &located.exhibit;
        let mut tx = self.store.begin("declaration", Scope::Force(&exhibit.force)).await?;
        let declaration = store::declaration(&mut tx, exhibit.call, &exhibit.force).await?;
        drop(tx);
        let Some(declaration) = declaration else { return Ok(Step::SessionNotEnded) };
        self.make_known(located, Purpose::Seal).await?;
        let journal = self.journal()?;
        let held = journal.held(exhibit.id).await?.ok_or(Closed)?;
        let readiness = match exhibit.parent {
            None => declaration.readiness(&held, self.clock.now(), self.grace),
            Some(_) => self.addendum_readiness(exhibit, &declaration, &held),
        };
        if let Readiness::WaitUntil(when) = readiness {
            return Ok(Step::WaitUntil(when));
        }
        if exhibit.parent.is_none() {
            self.add_consents_to(located).await?;
        }
        // From here on the ledger lets nothing in; the marks are what it held at that instant.
        let marks = journal.fence(exhibit.id).await?.ok_or(Closed)?;
        self.index.caught_up(exhibit.id, &marks).await?;
        let mut tx = self.store.begin("fence", Scope::Force(&exhibit.force)).await?;
        if let Some(exhibit) = locked(&mut tx, exhibit.id, "open").await? {
            let missing = missing(&declaration, &marks, exhibit.parent.is_some())
                .iter()
                .map(|m| m.last_seq - m.first_seq + 1)
                .sum();
            if missing > 0 {
                tracing::warn!(exhibit = %exhibit.id, missing, "sealing without segments that were declared");
            }
            let exhibit = exhibit.fence(marks, missing, self.clock.now())?;
            store::save_exhibit(&mut tx, &exhibit).await?;
            store::commit(tx, "fence").await?;
        }
        Ok(Step::Done)
    }

    /// Reads back what wasn't yet, and says what the exhibit is.
    async fn describe(&self, exhibit: &Exhibit, fenced: &Fenced, parent: Option<Parent>) -> Result<Manifest, Error> {
        let mut tx = self.store.begin("describe", Scope::Force(&exhibit.force)).await?;
        let declaration = store::declaration(&mut tx, exhibit.call, &exhibit.force).await?;
        let declaration = declaration.ok_or(Error::SessionNotEnded)?;
        let items = store::items(&mut tx, exhibit.id).await?;
        let counted = store::tracks(&mut tx, exhibit.id).await?;
        let mut through = self.reread.through(exhibit.id);
        let mut wanted = Vec::new();
        for (track, mark) in fenced.marks.iter().filter(|(track, _)| !track.is_items()) {
            let not_indexed = || Error::Damaged { track: track.clone(), seq: *mark, what: "not in the index" };
            let counted = counted.iter().find(|counted| counted.track == *track).ok_or_else(not_indexed)?;
            if counted.first + counted.segments != *mark {
                return Err(not_indexed());
            }
            let from = through.remove(track).unwrap_or(counted.first);
            let rows = store::segments_from(&mut tx, exhibit.id, track, from).await?;
            wanted.push((counted.clone(), role(&declaration, track), rows));
        }
        drop(tx);
        let held = items.last().map_or(0, |item| item.seq + 1);
        if held != fenced.marks.get(&TrackName::items()).copied().unwrap_or(0) {
            return Err(Error::Damaged { track: TrackName::items(), seq: held, what: "not in the index" });
        }
        let key = self.keys.load(exhibit.id).await?;
        let encryption = Encryption { algorithm: Encryption::AES_256_GCM.to_owned(), key_id: key.id() };
        let described = items.iter().map(item).collect::<Result<Vec<_>, _>>()?;
        let (id, reader, so_far) = (exhibit.id, self.reader.clone(), self.reread.of(exhibit.id));
        let tracks = tokio::task::spawn_blocking(move || {
            readback::check_items(&reader, &key, id, &items)?;
            let mut so_far = so_far.lock().unwrap_or_else(PoisonError::into_inner);
            let describe = |(counted, role, rows): (TrackRow, String, Vec<SegmentRow>)| {
                let new = || TrackSoFar::new(id, counted.track.clone(), counted.first);
                let so_far = so_far.entry(counted.track.clone()).or_insert_with(new);
                so_far.advance(&reader, &key, &rows)?;
                so_far.describe(role, &counted)
            };
            wanted.into_iter().map(describe).collect::<Result<Vec<_>, _>>()
        })
        .await
        .map_err(|_| Closed)??;
        Ok(Manifest {
            format: exhibit::manifest::Format::V1,
            exhibit: id,
            reference: exhibit.reference.to_string(),
            call: exhibit.call,
            force: exhibit.force.clone(),
            incident: exhibit.incident.clone(),
            opened_at: exhibit.opened_at,
            missing: missing(&declaration, &fenced.marks, exhibit.parent.is_some()),
            ended_at: declaration.ended_at,
            fenced_at: fenced.at,
            end_reason: declaration.reason,
            tracks,
            items: described,
            encryption: Some(encryption),
            parent,
            salt: self.entropy.bytes(),
            software: SOFTWARE.to_owned(),
        })
    }
}

/// The exhibit under its row's lock, if it is still where the step starts.
pub(super) async fn locked(tx: &mut sqlx::PgConnection, id: ExhibitId, from: &str) -> Result<Option<Exhibit>, Error> {
    let located = store::lock_exhibit(tx, id).await?.ok_or(Error::UnknownExhibit)?;
    Ok(Some(located.exhibit).filter(|exhibit| exhibit.state.name() == from))
}

/// What was declared and is not held: always a track's end, since a track is held without gaps. Of an addendum only what its
/// own tracks lack: the rest is told by the part that it should have come to.
fn missing(declaration: &Declaration, marks: &BTreeMap<TrackName, u64>, addendum: bool) -> Vec<Missing> {
    let missing = |(track, held, declared): (&TrackName, u64, u64)| {
        (held < declared).then(|| Missing { track: track.clone(), first_seq: held, last_seq: declared - 1 })
    };
    let tracks = declaration.tracks.iter().filter(|(track, _)| !addendum || marks.contains_key(*track));
    tracks.map(|(t, d)| (t, marks.get(t).copied().unwrap_or(0), d.segments)).filter_map(missing).collect()
}

/// An item, as the manifest has it.
fn item(row: &ItemRow) -> Result<exhibit::Item, Error> {
    let damaged = |what| Error::Damaged { track: TrackName::items(), seq: row.seq, what };
    let mut item = exhibit::Item {
        path: String::new(),
        id: row.id,
        kind: row.kind.parse().map_err(|_| damaged("a kind that there isn't"))?,
        name: row.name.clone(),
        version: row.version,
        media_type: row.media_type.parse().map_err(|_| damaged("a media type that there isn't"))?,
        bytes: row.bytes,
        sha256: row.sha256,
        made_at: row.made_at,
        added_at: row.added_at,
        seq: row.seq,
        payload_bytes: row.len.into(),
        payload_sha256: row.payload_sha256,
        stored_sha256: row.stored_sha256,
        chain: row.chain,
    };
    item.path = item.facts().path();
    Ok(item)
}

/// As declared; for a track that wasn't, what its name says.
fn role(declaration: &Declaration, track: &TrackName) -> String {
    let declared = declaration.tracks.get(track).map(|declared| declared.role.clone());
    declared.unwrap_or_else(|| track.as_str().split('-').next().unwrap_or_default().to_owned())
}
