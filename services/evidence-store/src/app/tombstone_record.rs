//! What is left of an exhibit that was disposed of, as its record in the journal has it: the tombstone, and the seal once
//! more, whose own record went with the key. So an index that is made again from the journal knows that the exhibit is gone.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use exhibit::SmallFile;
use ids::ExhibitId;
use serde::{Deserialize, Serialize};
use sqlx::PgTransaction;

use super::{
    App, Index,
    seal_record::{Blob, SealFacts},
};
use crate::{
    domain::State,
    error::Error,
    journal::{
        committer::Closed,
        core::{Entry, Write},
    },
    keys,
    store::{self, Key, Tombstone},
};
use outbox::Scope;

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Facts {
    begun_at: DateTime<Utc>,
    tombstone: Blob,
    signature: Blob,
    token: Option<Blob>,
}

impl Facts {
    fn of(tombstone: Tombstone, begun_at: DateTime<Utc>) -> Self {
        let Tombstone { json, signature, token } = tombstone;
        Self { begun_at, tombstone: Blob(json), signature: Blob(signature), token: token.map(Blob) }
    }

    fn into_tombstone(self) -> Tombstone {
        Tombstone { json: self.tombstone.0, signature: self.signature.0, token: self.token.map(|token| token.0) }
    }

    /// The record's payload: length of the facts (4 bytes, big-endian), the facts as JSON, a seal record's payload.
    fn payload(&self, seal: &[u8]) -> Result<Bytes, serde_json::Error> {
        let facts = serde_json::to_vec(self)?;
        Ok([&(facts.len() as u32).to_be_bytes()[..], &facts, seal].concat().into())
    }

    /// Reads a payload; `None` if it isn't one.
    fn parse(payload: &[u8]) -> Option<(Self, SealFacts, Vec<SmallFile>)> {
        let (len, rest) = payload.split_first_chunk::<4>()?;
        let (facts, seal) = rest.split_at_checked(u32::from_be_bytes(*len) as usize)?;
        let (seal, files) = SealFacts::parse(seal)?;
        Some((serde_json::from_slice(facts).ok()?, seal, files))
    }
}

impl App {
    /// Makes durable in the journal what is left of an exhibit whose disposal was decided: to be called before its key is
    /// destroyed. Once the index knows of one no other is written, however long a key folder is away; after a crash in between
    /// there may be two that say the same.
    ///
    /// # Errors
    /// The database or the journal is away, or its disk is full.
    pub(super) async fn journal_tombstone(&self, id: ExhibitId) -> Result<(), Error> {
        let mut tx = self.store.begin("journal_tombstone", Scope::All).await?;
        if store::has_tombstone_record(&mut tx, id).await? {
            return Ok(());
        }
        let located = store::exhibit(&mut tx, Key::Exhibit(id)).await?.ok_or(Error::UnknownExhibit)?;
        let retention = self.retention(&mut tx, &located.exhibit).await?;
        let tombstone = store::tombstone(&mut tx, id).await?;
        let files = store::artefacts(&mut tx, id).await?;
        drop(tx);
        let (Some(disposal), Some(tombstone), State::Sealed(sealed)) =
            (retention.disposal, tombstone, &located.exhibit.state)
        else {
            return Ok(());
        };
        let written = |error: serde_json::Error| Error::journal("write the tombstone")(error.into());
        let seal = SealFacts::of(sealed, &files).payload(&files).map_err(written)?;
        let facts = Facts::of(tombstone, disposal.begun_at).payload(&seal).map_err(written)?;
        let write = Write::Tombstone { exhibit: id, at: disposal.begun_at, facts };
        // Refused for one reason only.
        self.journal()?.write(write).await?.await.map_err(|_| Closed)?.map_err(|_| Error::NoSpace)?;
        Ok(())
    }
}

impl Index {
    /// Takes a tombstone into the rows, if they don't know of it. Where the row was made from the journal and the key is
    /// gone, everybody was told long ago; otherwise the disposal is finished, and told, by the next who looks.
    ///
    /// # Errors
    /// The database or the key store is away.
    pub(super) async fn restore_tombstone(&self, tx: &mut PgTransaction<'_>, entry: &Entry) -> Result<(), Error> {
        let id = entry.header.exhibit;
        let Some(located) = store::exhibit(tx, Key::Exhibit(id)).await? else { return Ok(()) };
        if store::tombstone(tx, id).await?.is_some() {
            return Ok(());
        }
        let Some((facts, seal, files)) = Facts::parse(&entry.facts) else {
            tracing::error!(exhibit = %id, "a tombstone in the journal can't be understood");
            return Ok(());
        };
        if !matches!(located.exhibit.state, State::Sealed(_)) {
            self.restore_sealed(tx, located, &seal, &files).await?;
        }
        let begun_at = facts.begun_at;
        store::insert_disposal(tx, id, &facts.into_tombstone(), begun_at).await?;
        let told = self.was_rebuilt(id) && matches!(self.ways.keys.load(id).await, Err(keys::Error::Destroyed));
        if told {
            store::mark_destroyed(tx, id, begun_at).await?;
        }
        tracing::warn!(exhibit = %id, told, "disposal taken from the journal");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::app::seal_record::tests::sealed;

    #[test]
    fn a_tombstone_is_read_as_it_was_written() {
        let (sealed, files) = sealed();
        let seal = SealFacts::of(&sealed, &files);
        let begun_at = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        for token in [None, Some(b"token".to_vec())] {
            let tombstone = Tombstone { json: b"{}".to_vec(), signature: vec![0, 255], token };
            let facts = Facts::of(tombstone.clone(), begun_at);
            let payload = facts.payload(&seal.payload(&files).unwrap()).unwrap();
            let (read, read_seal, read_files) = Facts::parse(&payload).unwrap();
            assert_eq!((&read, &read_seal, &read_files[..]), (&facts, &seal, &files[..]));
            assert_eq!(read.into_tombstone(), tombstone);
            for len in 0..payload.len() {
                assert!(Facts::parse(&payload[..len]).is_none(), "{len}");
            }
        }
    }
}
