//! What comes after the fence: into an addendum, which is opened when something comes for it and sealed when nothing
//! more does. Nothing that the recorder sends is turned away for being late.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{MutexGuard, PoisonError},
};

use chrono::{DateTime, Utc};
use exhibit::manifest::Parent;
use ids::{ExhibitId, ForceId, RequestId, TrackName};
use sqlx::PgTransaction;

use super::{App, Asker, Segment};
use crate::{
    domain::{Declaration, Exhibit, Readiness, State, addendum},
    error::Error,
    journal::{
        committer::Closed,
        core::{LateConflict, Purpose, Refused, Write},
        receipts::Acknowledged,
    },
    keys,
    store::{self, HeldByPart, Key, Located},
};
use outbox::Scope;

/// How often a part that refuses is asked to come down in the database, too, before the sender is told to try later.
const PATIENCE: usize = 20;

/// What the process knows of open addenda, and the database needn't: after a restart, their quiet begins again.
#[derive(Debug, Default)]
pub struct Addenda {
    /// When something last came for each.
    arrivals: HashMap<ExhibitId, DateTime<Utc>>,
    /// Those whose seal was asked for.
    asked: HashSet<ExhibitId>,
}

impl App {
    /// Opens an addendum for an officer, or finds the one that is open, within the caller's transaction.
    ///
    /// # Errors
    /// No such exhibit, not sealed, gone, or the database is away.
    pub async fn add_addendum(
        &self,
        tx: &mut PgTransaction<'_>,
        force: &ForceId,
        id: ExhibitId,
        request: RequestId,
        asker: &Asker,
    ) -> Result<Located, Error> {
        let (exhibit, retention) = self.locked_retention(tx, force, id).await?;
        retention.not_disposed()?;
        let State::Sealed(_) = &exhibit.state else { return Err(Error::NotSealed) };
        let newest = store::newest_part(tx, exhibit.call).await?.ok_or(Error::UnknownExhibit)?;
        let open = newest.exhibit.part > 1 && matches!(newest.exhibit.state, State::Open);
        let addendum = if open { newest } else { self.insert_addendum(tx, &newest).await? };
        self.record(tx, id, request, asker, "add addendum").await?;
        Ok(addendum)
    }

    /// The part that takes what `refused` doesn't take any more: the newest, opened now if need be.
    ///
    /// # Errors
    /// The exhibit is gone, the part can't be fenced in the database yet, or a dependency is away.
    pub(super) async fn takes_late(&self, refused: &Located) -> Result<Located, Error> {
        for _ in 0..PATIENCE {
            let mut tx = self.store.begin("takes_late", Scope::Force(&refused.exhibit.force)).await?;
            store::lock_family(&mut tx, refused.exhibit.call).await?;
            if let Some(part) = self.open_part(tx, refused).await? {
                return Ok(part);
            }
        }
        Err(Error::Starting)
    }

    /// The same for a segment. `None`: a part holds it already, and the index shows it.
    async fn takes_late_segment(
        &self,
        refused: &Located,
        track: &TrackName,
        seq: u64,
    ) -> Result<Option<Located>, Error> {
        let call = refused.exhibit.call;
        for _ in 0..PATIENCE {
            let mut tx = self.store.begin("takes_late_segment", Scope::Force(&refused.exhibit.force)).await?;
            store::lock_family(&mut tx, call).await?;
            // Under the lock, so that no addendum is opened for what is only sent again.
            if store::family_marks(&mut tx, call).await?.get(track).is_some_and(|mark| seq < *mark) {
                return Ok(None);
            }
            if let Some(part) = self.open_part(tx, refused).await? {
                return Ok(Some(part));
            }
        }
        Err(Error::Starting)
    }

    /// The newest part if it is open, or the next one. The family is locked. `None`: the newest has just been fenced in the
    /// database, too; look again.
    async fn open_part(&self, mut tx: PgTransaction<'_>, refused: &Located) -> Result<Option<Located>, Error> {
        let call = refused.exhibit.call;
        let newest = store::newest_part(&mut tx, call).await?.ok_or(Error::UnknownExhibit)?;
        let part = match newest.exhibit.state {
            State::Open if newest.exhibit.id == refused.exhibit.id => {
                drop(tx);
                // Its fence is down in the ledger alone. An addendum opened now would begin at a mark that a crash
                // could take back: the database has to know it first.
                self.step(newest.exhibit.id).await?;
                return Ok(None);
            }
            State::Open => {
                drop(tx);
                newest
            }
            _ => {
                let root = store::exhibit(&mut tx, Key::Call(call)).await?.ok_or(Error::UnknownExhibit)?;
                self.retention(&mut tx, &root.exhibit).await?.not_disposed()?;
                let addendum = self.insert_addendum(&mut tx, &newest).await?;
                store::commit(tx, "open_part").await?;
                addendum
            }
        };
        self.make_known(&part, Purpose::Hold).await?;
        Ok(Some(part))
    }

    /// The next part of a call's exhibit, its tracks starting where the others end. The family is locked.
    async fn insert_addendum(&self, tx: &mut PgTransaction<'_>, newest: &Located) -> Result<Located, Error> {
        let call = newest.exhibit.call;
        let root = store::exhibit(tx, Key::Call(call)).await?.ok_or(Error::UnknownExhibit)?;
        let now = self.clock.now();
        let exhibit = root.exhibit.addendum(self.entropy.id(now), newest.exhibit.part + 1, now);
        let addendum = Located { exhibit, trace: root.trace, journaled: false };
        store::insert_exhibit(tx, &addendum.exhibit, &addendum.trace, false).await?;
        let starts = store::family_marks(tx, call).await?.into_iter().filter(|(_, mark)| *mark > 0).collect();
        store::insert_starts(tx, addendum.exhibit.id, &starts).await?;
        self.note_arrival(&addendum.exhibit);
        let (id, reference) = (addendum.exhibit.id, &addendum.exhibit.reference);
        tracing::info!(exhibit = %id, %call, %reference, "addendum opened");
        Ok(addendum)
    }

    /// Takes a segment that comes after the fence.
    ///
    /// # Errors
    /// Other bytes are held for its place, it isn't the next, or a dependency is away.
    pub(super) async fn append_late(&self, segment: &Segment) -> Result<(ExhibitId, Acknowledged), Error> {
        let Segment { call, track, seq, sha256, .. } = segment;
        let mut tx = self.store.begin("append_late", Scope::Force(&segment.force)).await?;
        let mut refused = self.located(&mut tx, &segment.force, Key::Call(*call)).await?;
        drop(tx);
        for _ in 0..PATIENCE {
            let mut tx = self.store.begin("append_late", Scope::Force(&segment.force)).await?;
            let held = store::held_by_call(&mut tx, *call, track, *seq, *sha256).await?;
            drop(tx);
            if let Some(part) = held {
                if part.held.sha256 == *sha256 {
                    return Ok((part.exhibit, Acknowledged { chain: part.held.chain, receipt: None }));
                }
                self.keep_late_conflict(segment, part).await?;
                return Err(Error::Refused { track: track.clone(), why: Refused::Conflict });
            }
            let Some(target) = self.takes_late_segment(&refused, track, *seq).await? else { continue };
            let pending = self.write_segment(target.exhibit.id, segment).await?;
            match pending.await.map_err(|_| Closed)? {
                Ok(acknowledged) => {
                    self.note_arrival(&target.exhibit);
                    return Ok((target.exhibit.id, acknowledged));
                }
                // Fenced since: the next part takes it.
                Err(Refused::Fenced | Refused::Retired) => refused = target,
                Err(why) => return Err(Error::Refused { track: track.clone(), why }),
            }
        }
        Err(Error::Starting)
    }

    /// Keeps bytes that are other than those which a sealed part holds for their place, once; the index raises the alarm about
    /// them. Of a part that was disposed of only the alarm is left: there is no key to keep anything under.
    async fn keep_late_conflict(&self, segment: &Segment, part: HeldByPart) -> Result<(), Error> {
        let Segment { track, seq, .. } = segment;
        if part.kept {
            return Ok(());
        }
        match self.keys.load(part.exhibit).await {
            Ok(key) => {
                let segment = self.encrypt_segment(&key, part.exhibit, segment)?;
                let late = LateConflict { segment, prev: part.prev, attempt: part.conflicts.saturating_add(1) };
                let kept = self.journal()?.write(Write::Late(late)).await?.await.map_err(|_| Closed)?;
                kept.map_err(|why| Error::Refused { track: track.clone(), why })?;
                Ok(())
            }
            Err(keys::Error::Destroyed) => {
                let mut tx = self.store.begin("keep_late_conflict", Scope::Force(&segment.force)).await?;
                self.index.alarm(&mut tx, part.exhibit, "SEGMENT_CONFLICT", track, *seq).await?;
                Ok(store::commit(tx, "keep_late_conflict").await?)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// May an addendum's fence come down? When what was owed is there, when its seal was asked for, or when it has been
    /// quiet for long enough.
    pub(super) fn addendum_readiness(
        &self,
        exhibit: &Exhibit,
        declaration: &Declaration,
        held: &BTreeMap<TrackName, u64>,
    ) -> Readiness {
        let now = self.clock.now();
        let mut addenda = self.addenda();
        // After a restart nobody knows when the last one came: it is quiet from now on.
        let last = *addenda.arrivals.entry(exhibit.id).or_insert(now);
        let asked = addenda.asked.contains(&exhibit.id);
        addendum::readiness(declaration, held, asked, last, now, self.quiet)
    }

    /// Something came for an addendum: its quiet begins again.
    pub(super) fn note_arrival(&self, exhibit: &Exhibit) {
        if exhibit.parent.is_some() {
            self.addenda().arrivals.insert(exhibit.id, self.clock.now());
        }
    }

    /// An addendum whose seal is asked for is not waited with any longer: it stays asked for. A call's own exhibit goes by
    /// what was declared.
    pub(super) fn ask_for_seal(&self, exhibit: &Exhibit) {
        if exhibit.parent.is_some() && matches!(exhibit.state, State::Open) {
            self.addenda().asked.insert(exhibit.id);
        }
    }

    /// What an addendum's manifest says of its parent; `None` until that is sealed.
    pub(super) async fn sealed_parent(&self, id: ExhibitId) -> Result<Option<Parent>, Error> {
        let mut tx = self.store.begin("sealed_parent", Scope::All).await?;
        let parent = store::exhibit(&mut tx, Key::Exhibit(id)).await?.ok_or(Error::UnknownExhibit)?.exhibit;
        let State::Sealed(sealed) = &parent.state else { return Ok(None) };
        let seal_sha256 = sealed.logged.timestamped.signed.seal;
        let reference = parent.reference.to_string();
        let log_entry_sha256 = Some(sealed.logged.timestamped.entry(id).leaf_hash());
        let (log_origin, log_index) = (Some(self.log.key().name().to_owned()), parent.state.log_index());
        Ok(Some(Parent { exhibit: id, reference, seal_sha256, log_entry_sha256, log_origin, log_index }))
    }

    /// Nothing more is to be known of an addendum that is fenced.
    pub(super) fn forget_addendum(&self, id: ExhibitId) {
        let mut addenda = self.addenda();
        addenda.arrivals.remove(&id);
        addenda.asked.remove(&id);
    }

    fn addenda(&self) -> MutexGuard<'_, Addenda> {
        self.addenda.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
