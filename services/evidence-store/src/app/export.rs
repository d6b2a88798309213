//! The sealed package on its way out. The access record is committed before the first byte leaves.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Cursor, Read, Write},
};

use exhibit::{
    Digest, SmallFile,
    access::{ACCESS_ENTRY, ACCESS_LOG, ACCESS_PROOF},
    disclosure::{self, Choice},
    package::{Content, LogProof, Package, Proofs, StoredFile},
    tlog::Entry,
};
use ids::{ExhibitId, ForceId, RequestId, TrackName};
use sqlx::PgTransaction;
use tokio::sync::mpsc;
use tracing::Instrument;

use super::{
    App, Asker,
    readback::{TrackReader, list_of, open_item},
    seal::SOFTWARE,
};
use crate::{
    domain::State,
    error::Error,
    store::{self, Key, SegmentRow},
};
use outbox::Scope;

/// A piece of the archive, or why there is no more of it.
pub type Chunk = Result<Vec<u8>, Error>;

pub(super) const CHUNK: usize = 64 * 1024;
/// Chunks that wait for a slow reader.
const WAITING: usize = 8;

impl App {
    /// Records who looks and why, then streams the package, or a disclosure of only these files of it; of an exhibit that
    /// was disposed of, what is left.
    ///
    /// # Errors
    /// No such exhibit or file, not sealed, or the keys, the authority or the database are away: then nothing has left.
    pub async fn export(
        &self,
        force: &ForceId,
        id: ExhibitId,
        request: RequestId,
        asker: Asker,
        only: BTreeSet<String>,
    ) -> Result<mpsc::Receiver<Chunk>, Error> {
        let mut tx = self.store.begin("export", Scope::Force(force)).await?;
        let exhibit = self.located(&mut tx, force, Key::Exhibit(id)).await?.exhibit;
        let State::Sealed(_) = &exhibit.state else { return Err(Error::NotSealed) };
        let retention = self.retention(&mut tx, &exhibit).await?;
        if retention.disposal.is_some() && only.is_empty() {
            return self.export_what_is_left(tx, id, request, &asker).await;
        }
        retention.not_disposed()?;
        let original = Package::kept(store::artefacts(&mut tx, id).await?)?;
        drop(tx);
        let whole = only.is_empty();
        let what =
            if whole { "export".to_owned() } else { format!("export of {}", Vec::from_iter(only.clone()).join(", ")) };
        let mut package = if whole { original } else { self.disclosure(&original, only, &asker).await? };

        let mut tx = self.store.begin("export", Scope::Force(force)).await?;
        let head = self.record_look(&mut tx, id, request, &asker, &what).await?;
        // Again, under the access log's lock, which a disposal takes too: it comes after this look, or has happened.
        self.retention(&mut tx, &exhibit).await?.not_disposed()?;
        let key = self.keys.load(id).await?;
        let log = store::access_log(&mut tx, id, head.n).await?;
        let tracks = store::segments(&mut tx, id).await?;
        let items = store::items(&mut tx, id).await?;
        store::commit(tx, "export").await?;
        // Who looked at the whole is no part of what is given out of it.
        if whole {
            package.files.extend(self.access_files(head.entry(id), log).await?);
        }

        let reader = self.reader.clone();
        Ok(self.stream(id, move |chunks| {
            let open = |file: &StoredFile| -> io::Result<Box<dyn Read + '_>> {
                Ok(match &file.content {
                    Content::Segments(track) => Box::new(Cursor::new(list(&tracks, track, file.sha256)?)),
                    Content::Track(track) => {
                        let rows = tracks.get(track).map_or(&[][..], Vec::as_slice);
                        Box::new(TrackReader::new(reader.clone(), key.clone(), id, track.clone(), rows))
                    }
                    Content::Item(seq) => {
                        let row = items.iter().find(|row| row.seq == *seq).ok_or(io::ErrorKind::NotFound)?;
                        Box::new(Cursor::new(open_item(&reader, &key, id, row).map_err(io::Error::other)?.data))
                    }
                })
            };
            write(&package, chunks, open)
        }))
    }

    /// Some of the exhibit's files in a bag of its own, signed and timestamped as the exhibit was.
    async fn disclosure(&self, original: &Package, only: BTreeSet<String>, asker: &Asker) -> Result<Package, Error> {
        let made_at = self.clock.now();
        let Asker { who, reason } = asker.clone();
        let software = SOFTWARE.to_owned();
        let choice = Choice { only, made_at, who, reason, software };
        let bag = disclosure::bag(original, &choice).map_err(|error| match error {
            disclosure::Error::UnknownFile(_) => Error::UnknownChoice,
            other => Error::Disclosure(other),
        })?;
        let seal = self.signer.sign(bag.tagmanifest(), made_at)?;
        let timestamp = self.stamp(&seal).await?;
        Ok(Package::new(bag, &Proofs { seal: &seal, timestamp: timestamp.as_deref(), log: None })?)
    }

    /// Streams what `work` sends, beside the runtime's threads. What went wrong is the last thing that the reader hears, and
    /// damage calls for a person.
    pub(super) fn stream(
        &self,
        id: ExhibitId,
        work: impl FnOnce(&mpsc::Sender<Chunk>) -> Result<(), Error> + Send + 'static,
    ) -> mpsc::Receiver<Chunk> {
        let (chunks, receiver) = mpsc::channel(WAITING);
        let app = self.clone();
        let streaming = async move {
            let sender = chunks.clone();
            let done = tokio::task::spawn_blocking(move || work(&sender)).await;
            if let Ok(Err(error)) = done {
                if let Err(why) = app.raise_if_damaged(id, &error).await {
                    tracing::error!(exhibit = %id, error = chassis::chain(&why), "no alarm can be raised");
                }
                // Nobody listens if it is the listener who went away.
                let _ = chunks.send(Err(error)).await;
            }
        };
        tokio::spawn(streaming.in_current_span());
        receiver
    }

    /// The tombstone, and all that proves what once was sealed, the lists of segments too: no media, no items.
    async fn export_what_is_left(
        &self,
        mut tx: PgTransaction<'_>,
        id: ExhibitId,
        request: RequestId,
        asker: &Asker,
    ) -> Result<mpsc::Receiver<Chunk>, Error> {
        let head = self.record_look(&mut tx, id, request, asker, "export of what is left").await?;
        let package = Package::kept(store::artefacts(&mut tx, id).await?)?;
        let tombstone = store::tombstone(&mut tx, id).await?.ok_or(Error::UnknownExhibit)?;
        let log = store::access_log(&mut tx, id, head.n).await?;
        let tracks = store::segments(&mut tx, id).await?;
        store::commit(tx, "export").await?;
        let entry = tombstone.entry(id);
        let (proof, entry) = (self.proof_in_time(&entry).await?, entry.to_bytes());
        let proofs = Proofs {
            seal: &tombstone.signature,
            timestamp: tombstone.token.as_deref(),
            log: proof.as_deref().map(|proof| LogProof { entry: &entry, proof }),
        };
        let mut package = package.disposed(&tombstone.json, &proofs)?;
        package.files.extend(self.access_files(head.entry(id), log).await?);
        Ok(self.stream(id, move |chunks| {
            let open = |file: &StoredFile| match &file.content {
                Content::Segments(track) => Ok(Cursor::new(list(&tracks, track, file.sha256)?)),
                // Nothing else is left, nor could it be read.
                Content::Track(_) | Content::Item(_) => Err(io::ErrorKind::NotFound.into()),
            };
            write(&package, chunks, open)
        }))
    }

    /// The access log up to this very look, and the proof that its head is in the log, if that can be had in time: without it
    /// a verifier says that nothing shows the access log to be complete.
    async fn access_files(&self, entry: Entry, log: Vec<u8>) -> Result<Vec<SmallFile>, Error> {
        let mut files = vec![small(ACCESS_LOG, log)];
        if let Some(proof) = self.proof_in_time(&entry).await? {
            files.extend([small(ACCESS_ENTRY, entry.to_bytes()), small(ACCESS_PROOF, proof)]);
        }
        Ok(files)
    }

    /// That an entry is in the log, as text. It is waited for, but not for ever: whoever needs the evidence gets it, though
    /// the witness be away.
    async fn proof_in_time(&self, entry: &Entry) -> Result<Option<Vec<u8>>, Error> {
        let mut coverage = self.waiting.coverage();
        let look = async {
            loop {
                coverage.borrow_and_update();
                if let Some(proof) = self.log.proof(entry).await? {
                    return Ok(proof.to_text().into_bytes());
                }
                // The sender lives in `self`, so waiting can't fail.
                let _ = coverage.changed().await;
            }
        };
        tokio::time::timeout(self.proof_wait, look).await.ok().transpose()
    }
}

fn small(path: &str, bytes: Vec<u8>) -> SmallFile {
    SmallFile { path: path.to_owned(), bytes }
}

/// A track's list of segments, as it was sealed.
fn list(tracks: &BTreeMap<TrackName, Vec<SegmentRow>>, track: &TrackName, sealed: Digest) -> io::Result<Vec<u8>> {
    let rows = tracks.get(track).map_or(&[][..], Vec::as_slice);
    list_of(track, rows, sealed).map_err(io::Error::other)
}

/// Writes an archive to whoever listens.
fn write<R: Read>(
    package: &Package,
    chunks: &mpsc::Sender<Chunk>,
    open: impl FnMut(&StoredFile) -> io::Result<R>,
) -> Result<(), Error> {
    let out = io::BufWriter::with_capacity(CHUNK, Sender(chunks.clone()));
    package.write_tar(out, open).map_err(told)
}

/// Hands on what is written.
struct Sender(mpsc::Sender<Chunk>);

impl Write for Sender {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A long manifest comes in one piece; no message may be that large.
        let bytes = &bytes[..bytes.len().min(CHUNK)];
        let sent = self.0.blocking_send(Ok(bytes.to_vec()));
        sent.map(|()| bytes.len()).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Gets our own error back out of the reader's.
fn told(error: io::Error) -> Error {
    match error.downcast::<Error>() {
        Ok(ours) => ours,
        Err(source) => Error::Journal { doing: "write the archive", source },
    }
}
