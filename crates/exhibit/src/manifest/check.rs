//! That a manifest doesn't contradict itself, nor the lists of segments that it names: asked before it is signed, and again by
//! whoever verifies it.

use std::collections::HashMap;

use ids::TrackName;

use super::{Encryption, Error, ITEMS, Item, Manifest, Missing, Parent, Segment, Segments, Track};
use crate::{chain, sha256::Digest};

fn require(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), Error> {
    if holds { Ok(()) } else { Err(Error::Inconsistent(otherwise())) }
}

/// One line, so that it can stand in a tag file and on a label.
fn one_line(what: &str, text: &str) -> Result<(), Error> {
    let good = !text.is_empty() && text.len() <= 128 && !text.contains(char::is_control) && text.trim() == text;
    require(good, || format!("{what} must be one line of 1 to 128 bytes without control characters"))
}

impl Manifest {
    /// Checks everything that can be checked without the media and their lists: order, coverage, gaps, and the items' chain.
    ///
    /// # Errors
    /// [`Error::Inconsistent`] says what is wrong, and where.
    pub fn check(&self) -> Result<(), Error> {
        one_line("the reference", &self.reference)?;
        one_line("the end reason", &self.end_reason)?;
        one_line("the software's name", &self.software)?;
        require(self.tracks.is_sorted_by(|a, b| a.name < b.name), || {
            "tracks are not in order of name, once each".into()
        })?;
        // As wide as can be: of one track, at least one held segment lies between two ranges.
        let in_order = |a: &Missing, b: &Missing| (&a.track, a.last_seq.saturating_add(1)) < (&b.track, b.first_seq);
        require(self.missing.is_sorted_by(in_order), || "missing ranges touch, overlap or are out of order".into())?;
        for missing in &self.missing {
            require(missing.first_seq <= missing.last_seq, || {
                format!("a missing range of {} is backwards", missing.track)
            })?;
        }
        if let Some(encryption) = &self.encryption {
            require(encryption.algorithm == Encryption::AES_256_GCM, || "an unknown way of encryption".into())?;
            one_line("the key's id", &encryption.key_id)?;
        }
        self.parent.as_ref().map_or(Ok(()), |parent| self.check_parent(parent))?;
        self.tracks.iter().try_for_each(|track| self.check_track(track))?;
        self.check_items()
    }

    fn check_parent(&self, parent: &Parent) -> Result<(), Error> {
        one_line("the parent's reference", &parent.reference)?;
        require(parent.exhibit != self.exhibit, || "it is its own parent".into())?;
        let known = [parent.log_entry_sha256.is_some(), parent.log_origin.is_some(), parent.log_index.is_some()];
        require(known == [known[0]; 3], || "the parent's place in the log is given in part".into())?;
        parent.log_origin.as_ref().map_or(Ok(()), |origin| one_line("the log's origin", origin))
    }

    /// Where nothing is encrypted, what is stored is what was recorded; otherwise it can't be.
    fn check_stored(&self, what: &str, plain: Digest, stored: Digest) -> Result<(), Error> {
        require(self.encryption.is_some() == (plain != stored), || {
            format!("{what}: its digest in storage doesn't fit what is said of encryption")
        })
    }

    fn check_items(&self) -> Result<(), Error> {
        let unwritable = Error::Unwritable;
        let items: TrackName = ITEMS.parse().map_err(|_| Error::Inconsistent("no name for the items' chain".into()))?;
        let mut head = chain::genesis(self.exhibit, &items);
        let mut versions = HashMap::new();
        for (seq, item) in (0_u64..).zip(&self.items) {
            let path = &item.path;
            item.check_name()?;
            require(item.seq == seq, || format!("item {path} is not in its place, or one before it is left out"))?;
            let facts = item.facts();
            require(*path == facts.path(), || format!("item {seq} is not at {}", facts.path()))?;
            let before = versions.entry((item.kind, &item.name)).or_insert(0_u64);
            *before += 1;
            require(item.version == *before, || format!("item {path} is not the next version of its name"))?;
            let payload = facts.prefix().map_err(unwritable)?.len() as u64;
            require(Some(item.payload_bytes) == payload.checked_add(item.bytes), || {
                format!("item {path}: its payload's length is not that of its facts and its file")
            })?;
            self.check_stored(path, item.payload_sha256, item.stored_sha256)?;
            head = item.link(self.exhibit, &items).after(head);
            require(item.chain == head, || format!("the chain of items breaks at {path}"))?;
        }
        Ok(())
    }

    fn check_track(&self, track: &Track) -> Result<(), Error> {
        let name = &track.name;
        one_line("a role", &track.role)?;
        require(track.path == Track::path_of(name), || format!("track {name} is not at {}", Track::path_of(name)))?;
        require(name.as_str() != ITEMS, || format!("{ITEMS} is no name for a track"))?;
        let Segments { path, count, first_seq, last_seq, .. } = &track.segments;
        let (count, first, last) = (*count, *first_seq, *last_seq);
        require(*path == Segments::path_of(name), || format!("its segments are not at {}", Segments::path_of(name)))?;
        let span = last.checked_sub(first).and_then(|more| more.checked_add(1));
        let span = span.ok_or_else(|| Error::Inconsistent(format!("track {name} ends before it starts")))?;
        let mut left_out = 0;
        for missing in self.missing_of(name).filter(|m| m.first_seq <= last && first <= m.last_seq) {
            let between = first < missing.first_seq && missing.last_seq < last;
            require(between, || format!("track {name}: segment {first} or {last} is both held and missing"))?;
            left_out += missing.last_seq - missing.first_seq + 1;
        }
        require(count >= 1 && count.checked_add(left_out) == Some(span), || {
            format!("track {name}: what is between segment {first} and {last} is not either held or said to be missing")
        })?;
        // An addendum goes on where its parent was fenced.
        let from_the_start = first == 0 || self.missing_of(name).any(|m| m.first_seq == 0 && m.last_seq == first - 1);
        require(self.parent.is_some() || from_the_start, || {
            format!("track {name}: what is before segment {first} is neither held nor said to be missing")
        })
    }

    fn missing_of(&self, track: &TrackName) -> impl Iterator<Item = &Missing> {
        self.missing.iter().filter(move |missing| missing.track == *track)
    }

    /// Checks a track's list of segments: their order, that they cover the file, that a number left out is said to be missing, that
    /// the chain holds, and that they are as many, and from and until when, as this manifest says.
    ///
    /// # Errors
    /// [`Error::Inconsistent`] says what is wrong, and where.
    pub fn check_list(&self, track: &Track, list: &[Segment]) -> Result<(), Error> {
        let name = &track.name;
        let told = &track.segments;
        let ends = list
            .first()
            .zip(list.last())
            .map(|(first, last)| (first.seq, first.starts_at, last.seq, last.ends_at, last.chain, list.len() as u64));
        let stated = (told.first_seq, told.starts_at, told.last_seq, told.ends_at, told.chain, told.count);
        require(ends == Some(stated), || format!("track {name}: the list is not as the manifest says of it"))?;
        let (mut offset, mut next_seq) = (0, told.first_seq);
        let mut head = chain::genesis(self.exhibit, name);
        for segment in list {
            let seq = segment.seq;
            require(seq >= next_seq, || format!("track {name}: segment {seq} is out of order"))?;
            let left_out = |m: &Missing| m.first_seq == next_seq && m.last_seq == seq - 1;
            require(seq == next_seq || self.missing_of(name).any(left_out), || {
                format!(
                    "track {name}: what is between segment {next_seq} and {seq} is neither held nor said to be missing"
                )
            })?;
            require(segment.offset == offset, || {
                format!("track {name}: segment {seq} doesn't start where the last ended")
            })?;
            self.check_stored(&format!("track {name}, segment {seq}"), segment.sha256, segment.stored_sha256)?;
            head = segment.link(self.exhibit, name).after(head);
            require(segment.chain == head, || format!("track {name}: the chain breaks at segment {seq}"))?;
            let (end, next) = (offset.checked_add(segment.bytes), seq.checked_add(1));
            (offset, next_seq) =
                end.zip(next).ok_or_else(|| Error::Inconsistent(format!("track {name} is too long")))?;
        }
        require(offset == track.bytes, || format!("track {name}: its segments don't add up to its length"))
    }
}

impl Item {
    fn check_name(&self) -> Result<(), Error> {
        let good = (1..=64).contains(&self.name.len())
            && self.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        require(good, || format!("item {} has a name that is not 1 to 64 of a-z, 0-9 and '-'", self.seq))
    }
}
