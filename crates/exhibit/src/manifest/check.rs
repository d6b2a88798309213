//! That a manifest doesn't contradict itself: asked before it is signed, and again by whoever verifies it.

use super::{Error, Manifest, Missing, Track};
use crate::chain;

fn require(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), Error> {
    if holds { Ok(()) } else { Err(Error::Inconsistent(otherwise())) }
}

/// One line, so that it can stand in a tag file and on a label.
fn one_line(what: &str, text: &str) -> Result<(), Error> {
    let good = !text.is_empty() && text.len() <= 128 && !text.contains(char::is_control) && text.trim() == text;
    require(good, || format!("{what} must be one line of 1 to 128 bytes without control characters"))
}

impl Manifest {
    /// Checks everything that can be checked without the media: order, coverage, gaps, and the chains.
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
        self.tracks.iter().try_for_each(|track| self.check_track(track))
    }

    fn check_track(&self, track: &Track) -> Result<(), Error> {
        let name = &track.name;
        one_line("a role", &track.role)?;
        require(track.path == Track::path_of(name), || format!("track {name} is not at {}", Track::path_of(name)))?;
        let missing: Vec<_> = self.missing.iter().filter(|m| m.track == *name).collect();
        let (mut offset, mut next_seq) = (0, 0);
        let mut head = chain::genesis(self.exhibit, name);
        for segment in &track.segments {
            let seq = segment.seq;
            require(seq >= next_seq, || format!("track {name}: segment {seq} is out of order"))?;
            let left_out = |m: &&Missing| m.first_seq <= next_seq && seq - 1 <= m.last_seq;
            require(seq == next_seq || missing.iter().any(left_out), || {
                format!(
                    "track {name}: what is between segment {next_seq} and {seq} is neither held nor said to be missing"
                )
            })?;
            let both = missing.iter().any(|m| (m.first_seq..=m.last_seq).contains(&seq));
            require(!both, || format!("track {name}: segment {seq} is both held and missing"))?;
            require(segment.offset == offset, || {
                format!("track {name}: segment {seq} doesn't start where the last ended")
            })?;
            head = segment.link(self.exhibit, name).after(head);
            require(segment.chain == head, || format!("track {name}: the chain breaks at segment {seq}"))?;
            let (end, next) = (offset.checked_add(segment.bytes), seq.checked_add(1));
            (offset, next_seq) =
                end.zip(next).ok_or_else(|| Error::Inconsistent(format!("track {name} is too long")))?;
        }
        require(offset == track.bytes, || format!("track {name}: its segments don't add up to its length"))
    }
}

impl super::Segment {
    /// As the chain sees it.
    #[must_use]
    pub fn link<'a>(&self, exhibit: ids::ExhibitId, track: &'a ids::TrackName) -> chain::Link<'a> {
        chain::Link {
            exhibit,
            track,
            seq: self.seq,
            plain: self.sha256,
            stored: self.stored_sha256,
            starts_at: self.starts_at,
            ends_at: self.ends_at,
            bytes: self.bytes,
        }
    }
}
