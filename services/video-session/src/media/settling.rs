//! A stream's beginning, in which its packets have no times yet.
//!
//! What a phone or its path held up comes at once, behind the stream's first packet: so that is the one most delayed. By its arrival all that
//! follows would stand too late, until it is set right and the sound of that while lies within milliseconds, of which players drop most. So
//! the first time is given a tenth of a second after the first packet, by the least delayed one (`timeline`): what was held up stands as
//! far apart as it was taken, and the last of it where it came. An encoder that catches up isn't done at once: while packets still come
//! faster than they last, that is waited for, up to half a second. Where silence that isn't sent follows what was held up, nothing says how long
//! ago that was: it stands later by the silence, until the next sound or the first report.
//!
//! What was held up was taken before its connection was there, and stands so: a recording begins when its first part was taken, which
//! may be before the ledger's `began`. Ten seconds before it came are believed, no more (`timeline`). What stands before a cluster that has
//! left comes right behind that, as always; so the first cluster waits for streams that have only begun (`recorder`).
//!
//! Only the times wait. What is told, asked for and forwarded is not held up, nor is the end of anything: a pause, a stop or the stream's
//! end gives what waits its times at once. A kill costs no more for it: the streams that a phone begins with have settled long before their
//! first cluster is full, and how long the recorder waits for one that begins late counts from when a packet came, as before.

/// Microseconds from the first packet, or from the last that moved the anchor, to the first time.
const SETTLES: i64 = 100_000;
/// The same at most, from the first packet.
const MOST: i64 = 500_000;
/// An anchor that has moved so far moves still: a packet of sound. Less is a path's jitter.
const MOVES: i64 = 20_000;

/// When one stream's times can be given.
#[derive(Debug)]
pub(super) struct Settling {
    began: i64,
    /// The least of arrival minus RTP time when last it moved.
    anchor: i64,
    over: i64,
}

impl Settling {
    /// The first packet came, with this much between its RTP time and its arrival.
    pub(super) fn begin(wall: i64, delay: i64) -> Self {
        Self { began: wall, anchor: delay, over: wall + SETTLES }
    }

    /// Another came.
    pub(super) fn arrived(&mut self, wall: i64, delay: i64) {
        if wall < self.over && delay <= self.anchor - MOVES {
            self.anchor = delay;
            self.over = (wall + SETTLES).min(self.began + MOST);
        }
    }

    /// Is it, by now?
    pub(super) fn is_over(&self, now: i64) -> bool {
        now >= self.over
    }
}

#[cfg(test)]
mod tests;
