//! The sealed package on its way out. The access record is committed before the first byte leaves.

use std::io::{self, Write};

use exhibit::package::{Package, TrackFile};
use ids::{ExhibitId, ForceId, RequestId, TrackName};
use tokio::sync::mpsc;

use super::{App, readback::TrackReader};
use crate::{
    domain::State,
    error::Error,
    store::{self, Access, Key},
};

/// A piece of the archive, or why there is no more of it.
pub type Chunk = Result<Vec<u8>, Error>;

const CHUNK: usize = 64 * 1024;
/// Chunks that wait for a slow reader.
const WAITING: usize = 8;

impl App {
    /// Records who looks and why, then streams the package.
    ///
    /// # Errors
    /// No such exhibit, not sealed, no name, no reason, or the database is away: then nothing has left.
    pub async fn export(
        &self,
        force: &ForceId,
        id: ExhibitId,
        request: RequestId,
        who: String,
        reason: String,
    ) -> Result<mpsc::Receiver<Chunk>, Error> {
        if !(1..=64).contains(&who.trim().chars().count()) || who.chars().any(char::is_control) {
            return Err(Error::InvalidWho);
        }
        if !(1..=500).contains(&reason.trim().chars().count()) {
            return Err(Error::ReasonRequired);
        }
        let mut tx = self.store.begin("export").await?;
        let located = self.located(&mut tx, force, Key::Exhibit(id)).await?;
        let State::Sealed(sealed) = &located.exhibit.state else { return Err(Error::NotSealed) };
        let modified = sealed.logged.timestamped.signed.manifested.fenced.at;
        let now = self.clock.now();
        let access =
            Access { id: self.entropy.id(now), exhibit: id, request, who, what: "export".to_owned(), reason, at: now };
        if let Some(first) = store::access_by_request(&mut tx, request).await? {
            let told = |a: &Access| (a.exhibit, a.who.clone(), a.reason.clone());
            if told(&first) != told(&access) {
                return Err(Error::RequestIdReused);
            }
        }
        // Even a repeat: the bytes leave again.
        store::insert_access(&mut tx, &access).await?;
        let files = store::artefacts(&mut tx, id).await?;
        let rows = store::segments(&mut tx, id).await?;
        store::commit(tx, "export").await?;

        let bytes = |track: &TrackName| {
            rows.get(track).map_or(0, |rows| rows.iter().map(|row| u64::from(row.len)).sum::<u64>())
        };
        let tracks = rows.keys().map(|track| TrackFile {
            track: track.clone(),
            path: format!("bag/data/{}", exhibit::Track::path_of(track)),
            bytes: bytes(track),
        });
        let package = Package { files, tracks: tracks.collect(), modified };
        let (chunks, receiver) = mpsc::channel(WAITING);
        let reader = self.reader.clone();
        tokio::task::spawn_blocking(move || {
            let out = io::BufWriter::with_capacity(CHUNK, Sender(chunks.clone()));
            let open = |track: &TrackName| {
                let rows = rows.get(track).map_or(&[][..], Vec::as_slice);
                Ok(TrackReader::new(reader.clone(), id, track.clone(), rows))
            };
            if let Err(error) = package.write_tar(out, open) {
                // Nobody listens if it is the listener who went away.
                let _ = chunks.blocking_send(Err(told(error)));
            }
        });
        Ok(receiver)
    }
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
