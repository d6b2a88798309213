//! A range of one file of an exhibit, for playback: before the seal, too. Paths are looked up among what the exhibit holds,
//! never opened; each segment is decrypted and checked before a byte of it leaves.

use std::ops::Range;

use exhibit::Manifest;
use ids::{ExhibitId, ForceId, RequestId, TrackName};
use sqlx::PgConnection;
use tokio::sync::mpsc;

use super::{
    App, Asker, Chunk,
    export::CHUNK,
    readback::{list_of, open_item, open_segment},
};
use crate::{
    error::Error,
    store::{self, ItemRow, Key, SegmentRow},
    working_copy::{FACTS, FILM, Kept, is_picture},
};
use outbox::Scope;

/// What a reader wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Below `bag/data/`.
    pub path: String,
    /// Where to begin, in bytes.
    pub offset: u64,
    /// How many bytes; 0: to the end.
    pub length: u64,
}

/// One file of an exhibit.
enum File {
    Track(TrackName, Vec<SegmentRow>),
    Item(Box<ItemRow>),
    /// Made at the seal and kept whole: the manifest, the note for whoever opens the folder.
    Small(Vec<u8>),
    /// Made after the seal, and no part of it: the working copy.
    Derived(Kept),
}

impl File {
    fn len(&self) -> u64 {
        match self {
            Self::Track(_, rows) => rows.iter().map(|row| u64::from(row.len)).sum(),
            Self::Item(row) => row.bytes,
            Self::Small(bytes) => bytes.len() as u64,
            Self::Derived(kept) => kept.len(),
        }
    }
}

impl App {
    /// Records who looks at what and why, then streams the range.
    ///
    /// # Errors
    /// No such exhibit or file, gone, out of range, or the keys or the database are away: then nothing has left.
    pub async fn read(
        &self,
        force: &ForceId,
        id: ExhibitId,
        request: RequestId,
        asker: &Asker,
        wanted: &Wanted,
    ) -> Result<mpsc::Receiver<Chunk>, Error> {
        let mut tx = self.store.begin("read_item", Scope::Force(force)).await?;
        let exhibit = self.located(&mut tx, force, Key::Exhibit(id)).await?.exhibit;
        self.retention(&mut tx, &exhibit).await?.not_disposed()?;
        let key = self.keys.load(id).await?;
        let file = match wanted.path.as_str() {
            name if matches!(name, FILM | FACTS) || is_picture(name) => {
                self.derived.open(id, name, key.clone())?.map(File::Derived)
            }
            path => find(&mut tx, id, path).await?,
        };
        let file = file.ok_or(Error::UnknownItem)?;
        let range = range(file.len(), wanted.offset, wanted.length).ok_or(Error::Range)?;
        let what = format!("read {} {}-{}", wanted.path, range.start, range.end);
        self.record_look(&mut tx, id, request, asker, &what).await?;
        // Again, under the access log's lock, which a disposal takes too.
        self.retention(&mut tx, &exhibit).await?.not_disposed()?;
        store::commit(tx, "read_item").await?;

        let reader = self.reader.clone();
        Ok(self.stream(id, move |chunks| {
            // False: nobody listens any more.
            let send = |bytes: &[u8]| bytes.chunks(CHUNK).all(|piece| chunks.blocking_send(Ok(piece.to_vec())).is_ok());
            match &file {
                File::Small(bytes) => drop(send(part(bytes, 0, &range))),
                File::Derived(kept) => {
                    for piece in kept.range(range.start, Some(range.end - range.start)) {
                        if !send(&piece?) {
                            break;
                        }
                    }
                }
                File::Item(row) => drop(send(part(&open_item(&reader, &key, id, row)?.data, 0, &range))),
                File::Track(track, rows) => {
                    let mut at = 0;
                    for row in rows {
                        let end = at + u64::from(row.len);
                        if end > range.start && at < range.end {
                            let plain = open_segment(&reader, &key, id, track, row)?;
                            if !send(part(&plain, at, &range)) {
                                break;
                            }
                        }
                        at = end;
                    }
                }
            }
            Ok(())
        }))
    }
}

/// The bytes of the range, where there are any: it begins within the file (or at the end of an empty one), and ends with it.
fn range(len: u64, offset: u64, length: u64) -> Option<Range<u64>> {
    if offset >= len && (offset, len) != (0, 0) {
        return None;
    }
    let end = if length == 0 { len } else { offset.saturating_add(length).min(len) };
    Some(offset..end)
}

/// What of these bytes, which lie at `at` in the file, is in the range.
fn part<'a>(bytes: &'a [u8], at: u64, range: &Range<u64>) -> &'a [u8] {
    let within = |place: u64| (place.saturating_sub(at)).min(bytes.len() as u64) as usize;
    &bytes[within(range.start)..within(range.end)]
}

/// Looks a path up among what the exhibit holds.
async fn find(conn: &mut PgConnection, id: ExhibitId, path: &str) -> Result<Option<File>, Error> {
    let mut tracks = store::segments(conn, id).await?;
    let track = tracks.keys().find(|track| exhibit::Track::path_of(track) == path).cloned();
    if let Some(track) = track {
        let rows = tracks.remove(&track).unwrap_or_default();
        return Ok(Some(File::Track(track, rows)));
    }
    if let Some(track) = tracks.keys().find(|track| exhibit::Segments::path_of(track) == path) {
        let manifest = store::manifest(conn, id).await?.map(|manifest| Manifest::parse(&manifest)).transpose()?;
        let sealed = manifest.into_iter().flat_map(|manifest| manifest.tracks).find(|sealed| sealed.name == *track);
        let list = sealed.map(|sealed| list_of(track, &tracks[track], sealed.segments.sha256)).transpose()?;
        return Ok(list.map(File::Small));
    }
    if let Some(row) = store::items(conn, id).await?.into_iter().find(|row| row.path() == path) {
        return Ok(Some(File::Item(Box::new(row))));
    }
    let wanted = format!("bag/data/{path}");
    let small = store::artefacts(conn, id).await?.into_iter().find(|file| file.path == wanted);
    Ok(small.map(|file| File::Small(file.bytes)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn parts_of_segments_are_the_range_of_the_whole(
            segments in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..10),
            offset in 0_u64..120,
            length in 0_u64..120,
        ) {
            let whole = segments.concat();
            let asked = range(whole.len() as u64, offset, length);
            prop_assert_eq!(asked.is_some(), offset < whole.len() as u64 || (offset, whole.len()) == (0, 0));
            if let Some(asked) = asked {
                let mut at = 0;
                let mut read: Vec<u8> = Vec::new();
                for segment in &segments {
                    read.extend(part(segment, at, &asked));
                    at += segment.len() as u64;
                }
                let end = if length == 0 { whole.len() } else { whole.len().min((offset + length) as usize) };
                prop_assert_eq!(read, &whole[offset as usize..end]);
            }
        }
    }
}
