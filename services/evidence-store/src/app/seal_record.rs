//! How an exhibit came to be sealed, as its record in the journal has it: with it the index can be rebuilt whole, and a
//! database that is older than the journal learns that the exhibit was sealed instead of sealing it again.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use chrono::{DateTime, Utc};
use exhibit::{Digest, SmallFile};
use ids::{ExhibitId, TrackName};
use serde::{Deserialize, Serialize};
use sqlx::PgTransaction;
use uuid::Uuid;

use super::{App, Index, readback};
use crate::{
    domain::{Event, Exhibit, Fenced, Logged, Manifested, Sealed, Signed, State, Timestamped},
    error::Error,
    events,
    journal::{
        Place,
        committer::Closed,
        core::{Entry, Write},
        record::{Identity, Kind, Stored},
    },
    keys,
    store::{self, Key, Located},
};

/// All that a sealed exhibit's rows hold, and the small files of its package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SealFacts {
    fenced_at: DateTime<Utc>,
    marks: BTreeMap<TrackName, u64>,
    missing: u64,
    manifested_at: DateTime<Utc>,
    tagmanifest: Digest,
    signed_at: DateTime<Utc>,
    seal: Digest,
    timestamped_at: DateTime<Utc>,
    token: Option<Blob>,
    logged_at: DateTime<Utc>,
    proof: String,
    sealed_at: DateTime<Utc>,
    /// Path and length of each file of the package; their bytes follow these facts in the record, end to end.
    files: Vec<(String, u64)>,
}

/// Bytes, base64 as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Blob(pub(super) Vec<u8>);

impl From<Blob> for String {
    fn from(blob: Blob) -> Self {
        BASE64_STANDARD.encode(blob.0)
    }
}

impl TryFrom<String> for Blob {
    type Error = base64::DecodeError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        BASE64_STANDARD.decode(text).map(Self)
    }
}

impl SealFacts {
    pub(super) fn of(sealed: &Sealed, files: &[SmallFile]) -> Self {
        let Sealed { logged, at: sealed_at } = sealed.clone();
        let Logged { timestamped, at: logged_at, proof } = logged;
        let Timestamped { signed, at: timestamped_at, token } = timestamped;
        let Signed { manifested, at: signed_at, seal } = signed;
        let Manifested { fenced, at: manifested_at, tagmanifest } = manifested;
        let Fenced { at: fenced_at, marks, missing } = fenced;
        Self {
            fenced_at,
            marks,
            missing,
            manifested_at,
            tagmanifest,
            signed_at,
            seal,
            timestamped_at,
            token: token.map(Blob),
            logged_at,
            proof,
            sealed_at,
            files: files.iter().map(|file| (file.path.clone(), file.bytes.len() as u64)).collect(),
        }
    }

    /// The record's plain payload: length of the facts (4 bytes, big-endian), the facts as JSON, the files.
    pub(super) fn payload(&self, files: &[SmallFile]) -> Result<Vec<u8>, serde_json::Error> {
        let facts = serde_json::to_vec(self)?;
        let mut payload = (facts.len() as u32).to_be_bytes().to_vec();
        payload.extend(facts);
        files.iter().for_each(|file| payload.extend(&file.bytes));
        Ok(payload)
    }

    /// Reads a payload; `None` if it isn't one.
    pub(super) fn parse(payload: &[u8]) -> Option<(Self, Vec<SmallFile>)> {
        let (len, rest) = payload.split_first_chunk::<4>()?;
        let (facts, mut rest) = rest.split_at_checked(u32::from_be_bytes(*len) as usize)?;
        let facts: Self = serde_json::from_slice(facts).ok()?;
        let mut files = Vec::with_capacity(facts.files.len());
        for (path, len) in &facts.files {
            let (bytes, behind) = rest.split_at_checked(usize::try_from(*len).ok()?)?;
            files.push(SmallFile { path: path.clone(), bytes: bytes.to_vec() });
            rest = behind;
        }
        rest.is_empty().then_some((facts, files))
    }

    fn state(&self) -> State {
        let fenced = Fenced { at: self.fenced_at, marks: self.marks.clone(), missing: self.missing };
        let manifested = Manifested { fenced, at: self.manifested_at, tagmanifest: self.tagmanifest };
        let signed = Signed { manifested, at: self.signed_at, seal: self.seal };
        let token = self.token.clone().map(|blob| blob.0);
        let timestamped = Timestamped { signed, at: self.timestamped_at, token };
        let logged = Logged { timestamped, at: self.logged_at, proof: self.proof.clone() };
        State::Sealed(Sealed { logged, at: self.sealed_at })
    }
}

impl App {
    /// Makes a seal durable in the journal: to be called before the state `sealed` commits, with the exhibit as it will
    /// be then and all files of its package. A second time, after a crash in between, another record is written, and the newest counts.
    ///
    /// # Errors
    /// The keys or the journal are away, or its disk is full.
    pub async fn journal_seal(&self, exhibit: &Exhibit, files: &[SmallFile]) -> Result<(), Error> {
        let State::Sealed(sealed) = &exhibit.state else { return Ok(()) };
        let (id, at) = (exhibit.id, sealed.at);
        let facts = SealFacts::of(sealed, files)
            .payload(files)
            .map_err(|error| Error::Journal { doing: "write the seal", source: error.into() })?;
        let (item, kind) = (Uuid::nil(), Kind::Seal);
        let identity = Identity { kind, exhibit: id, track: None, seq: 0, item, starts_at: at, ends_at: at };
        let key = self.keys.load(id).await?;
        let facts = Stored::encrypt(&key, self.entropy.bytes(), &identity, &facts, Digest::of(&facts))?;
        let write = Write::Seal { exhibit: id, at, facts };
        // Refused for one reason only.
        self.journal()?.write(write).await?.await.map_err(|_| Closed)?.map_err(|_| Error::NoSpace)?;
        Ok(())
    }
}

impl Index {
    /// Takes a seal that was found in the journal into the rows; those of a sealed exhibit only to rebuild them. Where the
    /// row was there before, unsealed, nobody was told yet; where it was rebuilt, everybody was, long ago.
    ///
    /// # Errors
    /// The database or the keys are away, or the record can't be read.
    pub(super) async fn restore_seal(
        &self,
        tx: &mut PgTransaction<'_>,
        entry: &Entry,
        rebuild: bool,
    ) -> Result<(), Error> {
        let id = entry.header.exhibit;
        let Some(located) = store::exhibit(tx, Key::Exhibit(id)).await? else { return Ok(()) };
        if matches!(located.exhibit.state, State::Sealed(_)) && !rebuild {
            return Ok(());
        }
        let Some((facts, files)) = self.seal_facts(entry).await? else { return Ok(()) };
        self.restore_sealed(tx, located, &facts, &files).await
    }

    /// Makes an exhibit's rows those of a sealed one.
    ///
    /// # Errors
    /// The database is away.
    pub(super) async fn restore_sealed(
        &self,
        tx: &mut PgTransaction<'_>,
        located: Located,
        facts: &SealFacts,
        files: &[SmallFile],
    ) -> Result<(), Error> {
        let id = located.exhibit.id;
        let was_sealed = matches!(located.exhibit.state, State::Sealed(_));
        let bytes = |path| files.iter().find(|file| file.path == path).map_or(&[][..], |file| &file.bytes);
        let (manifest, signature) = (bytes(exhibit::bag::MANIFEST), bytes(exhibit::package::SEAL));
        let sealed = Exhibit { state: facts.state(), ..located.exhibit };
        store::restore_sealed(tx, &sealed, manifest, signature).await?;
        if store::artefacts(tx, id).await? != files {
            store::replace_artefacts(tx, id, files).await?;
        }
        tracing::info!(exhibit = %id, "seal taken from the journal");
        if !was_sealed && !self.was_rebuilt(id) {
            let event = Event::Sealed { seal: facts.seal, missing: facts.missing };
            let now = self.clock.now();
            let event = events::publish(&sealed, &event, located.trace, now);
            outbox::write_in_tx(tx, &self.entropy, now, [event]).await?;
        }
        Ok(())
    }

    async fn seal_facts(&self, entry: &Entry) -> Result<Option<(SealFacts, Vec<SmallFile>)>, Error> {
        let id = entry.header.exhibit;
        let key = match self.ways.keys.load(id).await {
            Ok(key) => key,
            Err(keys::Error::Destroyed) => {
                tracing::warn!(exhibit = %id, "a disposed exhibit's seal can't be read any more");
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        let (reader, place, header) = (self.ways.reader.clone(), entry.place, entry.header.clone());
        let read = move || readback::open_record(&reader, &key, place, &header);
        let payload = tokio::task::spawn_blocking(read).await.map_err(|_| Closed)??;
        let unreadable = || Error::Journal { doing: "read the seal", source: io::ErrorKind::InvalidData.into() };
        SealFacts::parse(&payload).map(Some).ok_or_else(unreadable)
    }
}

/// Where the newest seal of each exhibit lies among these records.
pub(super) fn newest_seals(entries: &[Entry]) -> BTreeSet<Place> {
    let seals = entries.iter().filter(|entry| entry.header.kind == Kind::Seal);
    let newest: BTreeMap<ExhibitId, Place> = seals.map(|entry| (entry.header.exhibit, entry.place)).collect();
    newest.into_values().collect()
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use proptest::prelude::*;

    use super::*;

    pub fn sealed() -> (Sealed, [SmallFile; 2]) {
        let at = |n: i64| DateTime::from_timestamp(1_800_000_000 + n, 0).unwrap();
        let fenced = Fenced { at: at(1), marks: [("caller-1".parse().unwrap(), 3)].into(), missing: 2 };
        let manifested = Manifested { fenced, at: at(2), tagmanifest: Digest::of(b"tagmanifest") };
        let signed = Signed { manifested, at: at(3), seal: Digest::of(b"seal") };
        let timestamped = Timestamped { signed, at: at(4), token: Some(b"token".to_vec()) };
        let logged = Logged { timestamped, at: at(5), proof: "proof".to_owned() };
        let file = |path: &str, bytes| SmallFile { path: path.into(), bytes };
        (
            Sealed { logged, at: at(6) },
            [file("bag/bagit.txt", vec![0, 255]), file("bag/data/manifest.json", b"{}".to_vec())],
        )
    }

    #[test]
    fn a_seal_is_read_as_it_was_written() {
        let (sealed, files) = sealed();
        let facts = SealFacts::of(&sealed, &files);
        let payload = facts.payload(&files).unwrap();
        let (read, read_files) = SealFacts::parse(&payload).unwrap();
        assert_eq!((&read, &read_files[..]), (&facts, &files[..]));
        for len in 0..payload.len() {
            assert_eq!(SealFacts::parse(&payload[..len]), None, "{len}");
        }
        assert_eq!(read.state(), State::Sealed(sealed));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        /// Altered anywhere, it is refused or read as something that is written so; never with bytes left over or made up.
        #[test]
        fn whatever_lies_there_is_read_or_refused(
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
            lens in prop::collection::vec(prop_oneof![any::<u64>(), 0_u64..9], 2),
        ) {
            let (sealed, files) = sealed();
            let mut facts = SealFacts::of(&sealed, &files);
            facts.files.iter_mut().zip(lens).for_each(|((_, len), other)| *len = other);
            let mut payload = facts.payload(&files).unwrap();
            for (at, byte) in changes {
                let at = at.index(payload.len());
                payload[at] = byte;
            }
            if let Some((facts, files)) = SealFacts::parse(&payload) {
                prop_assert!(files.iter().map(|file| file.bytes.len()).sum::<usize>() < payload.len());
                let again = facts.payload(&files).unwrap();
                prop_assert_eq!(SealFacts::parse(&again), Some((facts, files)));
            }
        }
    }
}
