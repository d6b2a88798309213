//! A track, streamed once: the whole file's digest on one thread, each segment's on another.

use std::{
    io::{self, Read},
    sync::{Arc, mpsc::sync_channel},
    thread,
};

use super::{
    lists::Standing,
    report::{self, Report},
};
use crate::{Digest, Hasher, Segment, Track, time};

const BUFFER: usize = 256 << 10;

/// What reading a track found.
pub struct Seen {
    /// Digest of all of it.
    pub sha256: Digest,
    /// Digests of the segments that are all there.
    pub segments: Vec<Digest>,
}

/// Cuts the stream into segments as it passes.
struct Cutter<'a> {
    list: std::slice::Iter<'a, Segment>,
    /// What is left of the current segment, and its digest so far.
    current: Option<(u64, Hasher)>,
    done: Vec<Digest>,
}

impl<'a> Cutter<'a> {
    fn new(list: &'a [Segment]) -> Self {
        let mut cutter = Self { list: list.iter(), current: None, done: Vec::new() };
        cutter.next();
        cutter
    }

    fn next(&mut self) {
        let mut next = || self.list.next().map(|segment| (segment.bytes, Hasher::new()));
        self.current = next();
        while self.current.as_ref().is_some_and(|(left, _)| *left == 0) {
            self.done.push(Digest::of(b""));
            self.current = next();
        }
    }

    fn take(&mut self, mut bytes: &[u8]) {
        while let Some((left, hasher)) = &mut self.current
            && !bytes.is_empty()
        {
            let here = bytes.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
            hasher.update(&bytes[..here]);
            *left -= here as u64;
            bytes = &bytes[here..];
            if *left == 0 {
                let finished = std::mem::take(hasher).finish();
                self.done.push(finished);
                self.next();
            }
        }
    }
}

/// Streams a track through both digests; through one where there is no list of its segments.
pub fn read(mut from: impl Read, list: &[Segment]) -> io::Result<Seen> {
    thread::scope(|scope| {
        let (send, receive) = sync_channel::<Arc<Vec<u8>>>(4);
        let whole = scope.spawn(move || {
            let mut hasher = Hasher::new();
            receive.into_iter().for_each(|bytes| hasher.update(&bytes));
            hasher.finish()
        });
        let mut cutter = Cutter::new(list);
        loop {
            let mut buffer = Vec::with_capacity(BUFFER);
            if (&mut from).take(BUFFER as u64).read_to_end(&mut buffer)? == 0 {
                break;
            }
            let buffer = Arc::new(buffer);
            // The other end hangs up only if it panicked, and then joining says so.
            let _ = send.send(Arc::clone(&buffer));
            cutter.take(&buffer);
        }
        drop(send);
        let sha256 = whole.join().map_err(|_| io::Error::other("hashing failed"))?;
        Ok(Seen { sha256, segments: cutter.done })
    })
}

/// Compares a track with what the manifest says of it, and its segments with their list.
pub fn check(
    path: &str,
    len: u64,
    read: &Seen,
    (track, list): (&Track, &[Segment]),
    manifest: Standing,
    report: &mut Report,
) {
    let mut complain = |what: &str| manifest.complain(path, what, report);
    if len != track.bytes {
        complain(&format!("is {len} bytes long; {} bytes were sealed", track.bytes));
    }
    if read.sha256 != track.sha256 {
        complain("its bytes are not those that the exhibit's manifest states");
    }
    let place = |segment: &Segment| {
        let (from, to) = (time::write(segment.starts_at), time::write(segment.ends_at));
        format!("{} ({from} to {to})", segment.seq)
    };
    let altered = list.iter().enumerate().filter(|(i, segment)| read.segments.get(*i) != Some(&segment.sha256));
    let altered: Vec<_> = altered.map(|(_, segment)| place(segment)).collect();
    if !altered.is_empty() {
        complain(&format!("altered or absent within it: segment {}", report::few(&altered)));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn segments_are_cut_where_they_are(lengths in proptest::collection::vec(0_usize..400_000, 0..6), extra in 0_usize..9) {
            let bytes: Vec<u8> = (0..lengths.iter().sum::<usize>() + extra).map(|i| (i * 7 % 251) as u8).collect();
            let at = chrono::DateTime::UNIX_EPOCH;
            let digest = Digest::of(b"");
            let segment = |len: &usize| Segment { seq: 0, offset: 0, bytes: *len as u64, sha256: digest,
                stored_sha256: digest, starts_at: at, ends_at: at, chain: digest };
            let list: Vec<_> = lengths.iter().map(segment).collect();
            let read = read(&bytes[..], &list).unwrap();
            let mut rest = &bytes[..];
            let expected: Vec<_> = lengths.iter().map(|len| Digest::of(rest.split_off(..*len).unwrap())).collect();
            prop_assert_eq!(read.segments, expected);
            prop_assert_eq!(read.sha256, Digest::of(&bytes));
        }
    }
}
