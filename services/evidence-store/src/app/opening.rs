//! Opening an exhibit: by the event or by the request, whichever comes first.

use std::collections::BTreeMap;

use bytes::Bytes;
use chassis::Trace;
use chrono::{DateTime, Utc};
use ids::{CallId, ExhibitId, ForceId, IncidentRef, TrackName};
use serde::{Deserialize, Serialize};
use sqlx::PgTransaction;

use super::{App, here};
use crate::{
    domain::{Declaration, Exhibit, Reference, State},
    error::Error,
    journal::{
        committer::Closed,
        core::{Purpose, Write},
    },
    store::{self, Key, Located},
};
use outbox::Scope;

/// How often a call's exhibit is looked for that somebody seems to have opened just now.
const LOOKS: usize = 3;

/// An exhibit's opening record in the journal: all that the index has about it before the fence.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Opening {
    call: CallId,
    force: ForceId,
    reference: String,
    incident: IncidentRef,
    opened_at: DateTime<Utc>,
    trace: String,
    /// The rest is an addendum's: what it is one to, which part of the call it is, and where its tracks start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parent: Option<ExhibitId>,
    #[serde(default = "first", skip_serializing_if = "is_first")]
    part: u32,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    starts: BTreeMap<TrackName, u64>,
}

fn first() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_first(part: &u32) -> bool {
    *part == first()
}

impl Opening {
    fn of(located: &Located, starts: BTreeMap<TrackName, u64>) -> Self {
        let Exhibit { call, force, reference, incident, opened_at, parent, part, .. } = located.exhibit.clone();
        Self {
            call,
            force,
            reference: reference.as_str().to_owned(),
            incident,
            opened_at,
            trace: located.trace.as_str().to_owned(),
            parent,
            part,
            starts,
        }
    }

    /// Where an addendum's tracks start.
    #[must_use]
    pub fn starts(&self) -> BTreeMap<TrackName, u64> {
        self.starts.clone()
    }

    /// The exhibit that was opened.
    #[must_use]
    pub fn exhibit(self, id: ExhibitId) -> (Exhibit, Trace) {
        let reference = Reference::from_row(self.reference);
        let (exhibit, _) = Exhibit::open(id, self.call, self.force, self.incident, reference, self.opened_at);
        let exhibit = Exhibit { parent: self.parent, part: self.part, ..exhibit };
        (exhibit, Trace::parse(&self.trace))
    }
}

impl App {
    /// Opens the exhibit of a call, or finds the one already open, within the caller's transaction.
    ///
    /// # Errors
    /// The call is another force's, or the database is away.
    pub async fn open(
        &self,
        tx: &mut PgTransaction<'_>,
        force: &ForceId,
        call: CallId,
        incident: &IncidentRef,
        trace: &Trace,
    ) -> Result<Located, Error> {
        for _ in 0..LOOKS {
            if let Some(located) = store::exhibit(tx, Key::Call(call)).await? {
                return if located.exhibit.force == *force { Ok(located) } else { Err(Error::UnknownExhibit) };
            }
            let now = self.clock.now();
            let reference = Reference::from_random(self.entropy.bytes());
            let (exhibit, event) =
                Exhibit::open(self.entropy.id(now), call, force.clone(), incident.clone(), reference, now);
            let located = Located { exhibit, trace: here(trace), journaled: false };
            // Otherwise somebody else has just opened it, or (one in 10^12) the reference is taken: look again.
            if store::insert_exhibit(tx, &located.exhibit, &located.trace, false).await? {
                outbox::write_in_tx(tx, &self.entropy, now, [self.event(&located, &event)]).await?;
                // What the caller agreed to may be waiting for it.
                store::wake_consents(tx).await?;
                tracing::info!(exhibit = %located.exhibit.id, %call, "exhibit opened");
                return Ok(located);
            }
        }
        // It is there and not to be seen: another force's.
        Err(Error::UnknownExhibit)
    }

    /// Makes the journal's ledger know an exhibit that isn't sealed: its key in every folder of the key store before its
    /// opening, that durable before any segment. For an addendum the caller has put in the rows of where its tracks start.
    ///
    /// # Errors
    /// The database, the keys or the journal is away, or its disk is full.
    pub async fn make_known(&self, located: &Located, purpose: Purpose) -> Result<(), Error> {
        let exhibit = &located.exhibit;
        if self.is_known(exhibit.id) || matches!(exhibit.state, State::Sealed(_)) {
            return Ok(());
        }
        let journal = self.journal()?;
        let mut tx = self.store.begin("make_known", Scope::Force(&exhibit.force)).await?;
        let mut book = store::book(&mut tx, exhibit.id).await?;
        drop(tx);
        book.fenced = !matches!(exhibit.state, State::Open);
        if located.journaled {
            self.keys.open(exhibit.id).await?;
        } else {
            self.keys.make(exhibit.id).await?;
            let facts = serde_json::to_vec(&Opening::of(located, book.starts.clone()))
                .map_err(|error| Error::Journal { doing: "write the opening", source: error.into() })?;
            let (id, at, facts) = (exhibit.id, exhibit.opened_at, Bytes::from(facts));
            let write = Write::Opening { exhibit: id, at, facts, purpose };
            // An opening is refused for one reason only.
            journal.write(write).await?.await.map_err(|_| Closed)?.map_err(|_| Error::NoSpace)?;
        }
        journal.know(exhibit.id, book).await?;
        if located.journaled {
            // It couldn't be read when this process started: what it holds was read back by nobody since.
            self.reread.begin_again(exhibit.id);
        }
        self.remember(exhibit);
        Ok(())
    }

    /// Opens an exhibit for video-session, so that its first segment is welcome.
    ///
    /// # Errors
    /// As [`App::open`] and [`App::make_known`].
    pub async fn known_exhibit(&self, force: &ForceId, call: CallId) -> Result<(Located, ExhibitId), Error> {
        let mut tx = self.store.begin("known_exhibit", Scope::Force(force)).await?;
        let located = self.located(&mut tx, force, Key::Call(call)).await?;
        drop(tx);
        self.make_known(&located, Purpose::Hold).await?;
        let id = located.exhibit.id;
        Ok((located, id))
    }

    /// Keeps what video-session said when the session ended. The exhibit may not be open yet; the worker sees to the rest.
    ///
    /// # Errors
    /// The database is away.
    pub async fn session_ended(
        &self,
        tx: &mut PgTransaction<'_>,
        force: &ForceId,
        call: CallId,
        declaration: &Declaration,
    ) -> Result<(), Error> {
        if store::insert_declaration(tx, call, force, declaration).await? {
            tracing::info!(%call, recorded = declaration.recorded, tracks = declaration.tracks.len(), "session ended");
        }
        Ok(())
    }

    /// The present, for the door.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Begins a transaction for the door: a request's claim, effect and answer commit together.
    ///
    /// # Errors
    /// The database is away.
    pub async fn begin(&self, name: &'static str, scope: Scope<'_>) -> Result<PgTransaction<'static>, Error> {
        Ok(self.store.begin(name, scope).await?)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    const WRITTEN: &str = r#"{"call":"01920000-0000-7000-8000-000000000001","force":"wmp","reference":"ALC/7F3K9Q2M/2",
        "incident":{"date":"2026-11-24","number":"1123"},"opened_at":"2026-11-24T10:00:00Z","trace":"",
        "parent":"01920000-0000-7000-8000-000000000002","part":2,"starts":{"caller-1":7}}"#;

    #[test]
    fn an_opening_of_any_part_is_understood() {
        let opening: Opening = serde_json::from_str(WRITTEN).unwrap();
        assert_eq!(opening.starts(), BTreeMap::from([("caller-1".parse().unwrap(), 7)]));
        let (exhibit, _) = opening.exhibit(Uuid::from_u128(3).into());
        assert_eq!((exhibit.part, exhibit.reference.as_str()), (2, "ALC/7F3K9Q2M/2"));
        assert_eq!(exhibit.parent, Some(Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0002).into()));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        /// Altered anywhere, it is refused or becomes an exhibit: recovery doesn't stop at it.
        #[test]
        fn whatever_lies_there_is_read_or_refused(
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        ) {
            let mut bytes = WRITTEN.as_bytes().to_vec();
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            if let Ok(opening) = serde_json::from_slice::<Opening>(&bytes) {
                let again = serde_json::to_vec(&opening).unwrap();
                let read: Opening = serde_json::from_slice(&again).unwrap();
                let id = Uuid::from_u128(3).into();
                prop_assert_eq!(opening.exhibit(id), read.exhibit(id));
            }
        }
    }
}
