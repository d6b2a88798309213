//! Sealing, one step a transaction. A step that was interrupted is done again; a step that somebody else did is seen
//! under the row's lock and left alone. So it doesn't matter who calls, how often, or when the process dies.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use exhibit::{Digest, Manifest, Missing, bag::Bag, package::Package};
use ids::{CallId, ExhibitId, ForceId, TrackName};
use tracing::Instrument;

use super::{App, readback};
use crate::{
    domain::{Declaration, Exhibit, Fenced, Readiness, State},
    error::Error,
    journal::committer::Closed,
    store::{self, Key, Located},
};

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
}

/// What this service calls itself in a manifest.
const SOFTWARE: &str = concat!("evidence-store ", env!("CARGO_PKG_VERSION"));

impl App {
    /// Seals the exhibit of a call as far as it can be sealed now.
    ///
    /// # Errors
    /// There is none, its session has not ended, or a step failed.
    pub async fn seal(&self, force: &ForceId, call: CallId) -> Result<Exhibit, Error> {
        let mut tx = self.store.begin("seal").await?;
        let id = self.located(&mut tx, force, Key::Call(call)).await?.exhibit.id;
        drop(tx);
        loop {
            match self.step(id).await? {
                Step::Done => {}
                Step::SessionNotEnded => return Err(Error::SessionNotEnded),
                Step::Sealed | Step::WaitUntil(_) => break,
            }
        }
        let mut tx = self.store.begin("seal").await?;
        Ok(self.located(&mut tx, force, Key::Exhibit(id)).await?.exhibit)
    }

    /// Takes an exhibit one step further, in its call's own trace.
    ///
    /// # Errors
    /// The step failed. Nothing has changed, and it can be tried again.
    pub async fn step(&self, id: ExhibitId) -> Result<Step, Error> {
        let mut tx = self.store.begin("seal_step").await?;
        let located = store::exhibit(&mut tx, Key::Exhibit(id)).await?.ok_or(Error::UnknownExhibit)?;
        drop(tx);
        if matches!(located.exhibit.state, State::Sealed(_)) {
            return Ok(Step::Sealed);
        }
        let span = tracing::info_span!("seal_step", exhibit = %id, from = located.exhibit.state.name());
        let span = located.trace.follow(span);
        async {
            let step = self.step_from(located).await;
            if let Err(Error::Damaged { track, seq, .. }) = &step {
                let mut tx = self.store.begin("alarm").await?;
                self.index.alarm(&mut tx, id, "JOURNAL_CORRUPT", track, *seq).await?;
                store::commit(tx, "alarm").await?;
            }
            step
        }
        .instrument(span)
        .await
    }

    async fn step_from(&self, located: Located) -> Result<Step, Error> {
        let exhibit = &located.exhibit;
        let id = exhibit.id;
        match &exhibit.state {
            State::Open => self.fence(&located).await,
            State::Fenced(fenced) => {
                let manifest = self.describe(exhibit, fenced).await?;
                let bytes = manifest.to_bytes()?;
                let tagmanifest = Digest::of(Bag::new(&manifest)?.tagmanifest());
                let mut tx = self.store.begin("manifest").await?;
                if let Some(exhibit) = locked(&mut tx, id, "fenced").await? {
                    let exhibit = exhibit.manifest(tagmanifest, self.clock.now())?;
                    store::save_manifest(&mut tx, &exhibit, &bytes).await?;
                    store::commit(tx, "manifest").await?;
                }
                Ok(Step::Done)
            }
            State::Manifested(manifested) => {
                let mut tx = self.store.begin("sign").await?;
                let bytes = store::manifest(&mut tx, id).await?.unwrap_or_default();
                drop(tx);
                let bag = Bag::new(&Manifest::parse(&bytes)?)?;
                if Digest::of(bag.tagmanifest()) != manifested.tagmanifest {
                    return Err(Error::OtherBag);
                }
                let signature = self.signer.sign(bag.tagmanifest(), self.clock.now())?;
                let package = Package::new(bag, &signature)?;
                let mut tx = self.store.begin("sign").await?;
                if let Some(exhibit) = locked(&mut tx, id, "manifested").await? {
                    let exhibit = exhibit.sign(exhibit::seal::seal_sha256(&signature), self.clock.now())?;
                    store::save_exhibit(&mut tx, &exhibit).await?;
                    store::insert_artefacts(&mut tx, id, &package.files).await?;
                    store::commit(tx, "sign").await?;
                }
                Ok(Step::Done)
            }
            // No authority and no log are configured yet: these states say so, with nothing in them.
            State::Signed(_) => self.pass(id, "signed", |exhibit, now| exhibit.timestamp(None, now)).await,
            State::Timestamped(_) => self.pass(id, "timestamped", |exhibit, now| exhibit.log(None, now)).await,
            State::Logged(_) => {
                let mut tx = self.store.begin("seal").await?;
                if let Some(exhibit) = locked(&mut tx, id, "logged").await? {
                    let now = self.clock.now();
                    let (exhibit, event) = exhibit.seal(now)?;
                    store::save_exhibit(&mut tx, &exhibit).await?;
                    let sealed = Located { exhibit, ..located };
                    outbox::write_in_tx(&mut tx, &self.entropy, now, [self.event(&sealed, &event)]).await?;
                    store::commit(tx, "seal").await?;
                    tracing::info!(exhibit = %id, reference = %sealed.exhibit.reference, "exhibit sealed");
                }
                self.journal()?.retire(id).await?;
                Ok(Step::Done)
            }
            State::Sealed(_) => Ok(Step::Sealed),
        }
    }

    /// Brings the fence down once what was declared is held, or its time is up.
    async fn fence(&self, located: &Located) -> Result<Step, Error> {
        let exhibit = &located.exhibit;
        let mut tx = self.store.begin("declaration").await?;
        let declaration = store::declaration(&mut tx, exhibit.call, &exhibit.force).await?;
        drop(tx);
        let Some(declaration) = declaration else { return Ok(Step::SessionNotEnded) };
        self.make_known(located).await?;
        let journal = self.journal()?;
        let held = journal.held(exhibit.id).await?.ok_or(Closed)?;
        if let Readiness::WaitUntil(when) = declaration.readiness(&held, self.clock.now(), self.grace) {
            return Ok(Step::WaitUntil(when));
        }
        // From here on the ledger lets nothing in; the marks are what it held at that instant.
        let marks = journal.fence(exhibit.id).await?.ok_or(Closed)?;
        self.index.caught_up(exhibit.id, &marks).await?;
        let mut tx = self.store.begin("fence").await?;
        if let Some(exhibit) = locked(&mut tx, exhibit.id, "open").await? {
            let missing = missing(&declaration, &marks).iter().map(|m| m.last_seq - m.first_seq + 1).sum();
            if missing > 0 {
                tracing::warn!(exhibit = %exhibit.id, missing, "sealing without segments that were declared");
            }
            let exhibit = exhibit.fence(marks, missing, self.clock.now())?;
            store::save_exhibit(&mut tx, &exhibit).await?;
            store::commit(tx, "fence").await?;
        }
        Ok(Step::Done)
    }

    /// Reads everything back, and says what the exhibit is.
    async fn describe(&self, exhibit: &Exhibit, fenced: &Fenced) -> Result<Manifest, Error> {
        let mut tx = self.store.begin("describe").await?;
        let declaration = store::declaration(&mut tx, exhibit.call, &exhibit.force).await?;
        let declaration = declaration.ok_or(Error::SessionNotEnded)?;
        let mut rows = store::segments(&mut tx, exhibit.id).await?;
        drop(tx);
        let (id, reader) = (exhibit.id, self.reader.clone());
        let mut wanted = Vec::new();
        for (track, mark) in &fenced.marks {
            let rows = rows.remove(track).unwrap_or_default();
            if rows.len() as u64 != *mark {
                return Err(Error::Damaged { track: track.clone(), seq: rows.len() as u64, what: "not in the index" });
            }
            wanted.push((track.clone(), role(&declaration, track), rows));
        }
        let tracks = tokio::task::spawn_blocking(move || {
            let describe = |(track, role, rows): (TrackName, String, Vec<_>)| {
                readback::describe(reader.clone(), id, &track, role, &rows)
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
            missing: missing(&declaration, &fenced.marks),
            ended_at: declaration.ended_at,
            fenced_at: fenced.at,
            end_reason: declaration.reason,
            tracks,
            salt: self.entropy.bytes(),
            software: SOFTWARE.to_owned(),
        })
    }

    async fn pass(
        &self,
        id: ExhibitId,
        from: &'static str,
        transition: impl FnOnce(Exhibit, DateTime<Utc>) -> Result<Exhibit, crate::domain::Illegal>,
    ) -> Result<Step, Error> {
        let mut tx = self.store.begin(from).await?;
        if let Some(exhibit) = locked(&mut tx, id, from).await? {
            store::save_exhibit(&mut tx, &transition(exhibit, self.clock.now())?).await?;
            store::commit(tx, from).await?;
        }
        Ok(Step::Done)
    }
}

/// The exhibit under its row's lock, if it is still where the step starts.
async fn locked(tx: &mut sqlx::PgConnection, id: ExhibitId, from: &str) -> Result<Option<Exhibit>, Error> {
    let located = store::lock_exhibit(tx, id).await?.ok_or(Error::UnknownExhibit)?;
    Ok(Some(located.exhibit).filter(|exhibit| exhibit.state.name() == from))
}

/// What was declared and is not held: always a track's end, since a track is held without gaps.
fn missing(declaration: &Declaration, marks: &BTreeMap<TrackName, u64>) -> Vec<Missing> {
    let missing = |(track, held, declared): (&TrackName, u64, u64)| {
        (held < declared).then(|| Missing { track: track.clone(), first_seq: held, last_seq: declared - 1 })
    };
    let tracks = declaration.tracks.iter();
    tracks.map(|(t, d)| (t, marks.get(t).copied().unwrap_or(0), d.segments)).filter_map(missing).collect()
}

/// As declared; for a track that wasn't, what its name says.
fn role(declaration: &Declaration, track: &TrackName) -> String {
    let declared = declaration.tracks.get(track).map(|declared| declared.role.clone());
    declared.unwrap_or_else(|| track.as_str().split('-').next().unwrap_or_default().to_owned())
}
