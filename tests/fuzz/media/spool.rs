//! The spool's films, as a crash or a bad disk may have left one.

use std::{fs, io, path::Path, sync::OnceLock};

#[path = "../../../services/video-session/src/spool/file.rs"]
mod file;
#[path = "../../../services/video-session/src/spool/film.rs"]
mod film;

use bytes::Bytes;
use chrono::DateTime;
use file::Piece;
use film::Film;

use crate::media::fuzz::chunks;

/// The file that each input becomes.
static PATH: OnceLock<std::path::PathBuf> = OnceLock::new();

/// Chunks as a file, one after the other: any bytes, or, behind a 1, its number, and what the last one claims its length to be, a segment
/// whose header is right. What isn't whole is said to be damaged, and the film goes on behind all that is.
pub fn film(bytes: &[u8]) {
    let path = PATH.get_or_init(|| std::env::temp_dir().join(format!("alcove-{}.film", std::process::id())));
    let mut chunks = chunks(bytes).peekable();
    let mut file = Vec::new();
    while let Some(chunk) = chunks.next() {
        file.extend(written(chunk, chunks.peek().is_none()));
    }
    fs::write(path, file).expect("a disk");
    let (film, next) = match open(path) {
        Some((film, (lowest, highest))) => {
            assert!(lowest <= highest);
            for seq in (0..8).chain([lowest, highest]) {
                let is_well = |error: io::Error| error.kind() == io::ErrorKind::InvalidData;
                assert!(film.load(seq).map_or_else(is_well, |piece| piece.is_whole()), "{seq}");
            }
            (film, highest.checked_add(1))
        }
        None => (Film::create(path.clone()).expect("a disk"), Some(0)),
    };
    let Some(next) = next else { return };
    let piece = Piece::new(DateTime::UNIX_EPOCH, DateTime::UNIX_EPOCH, Bytes::from_static(b"one more"));
    film.append(next, &piece).expect("a disk");
    let (film, (_, highest)) = open(path).expect("what was just kept");
    assert!(highest == next && film.load(next).is_ok_and(|kept| kept == piece));
}

fn open(path: &Path) -> Option<(Film, (u64, u64))> {
    Film::open(path.to_owned()).expect("whatever is in it, it can be opened")
}

/// What a chunk is in the file. Only the last one can be torn.
fn written(chunk: &[u8], is_last: bool) -> Vec<u8> {
    let Some((&[1, seq, claimed], data)) = chunk.split_first_chunk() else { return chunk.to_vec() };
    let length = match claimed {
        255 if is_last => u64::MAX,
        1.. if is_last => claimed.into(),
        _ => data.len() as u64,
    };
    let numbers = [u64::from(seq), 0, 0, length].map(u64::to_be_bytes).concat();
    let header = [&b"ALCSPL2\n"[..], &numbers, &Piece::sha256(data)].concat();
    [&header[..], &Piece::sha256(&header)[..8], data].concat()
}
