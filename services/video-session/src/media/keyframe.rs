//! When to ask a publisher for a key frame: on need, but at most twice a second. A key frame is many packets at once, and
//! asking faster than they arrive starves the very link that lost the last one.

use std::time::{Duration, Instant};

use chrono::DateTime;

use super::What;

const SPACING: Duration = Duration::from_millis(500);

/// Remembers a wish until it may be spoken.
#[derive(Debug, Default)]
pub(super) struct KeyFrames {
    wanted: bool,
    asked: Option<Instant>,
}

impl KeyFrames {
    /// Somebody needs one: a viewer came, or a gap stayed.
    pub(super) fn want(&mut self) {
        self.wanted = true;
    }

    /// One came.
    pub(super) fn came(&mut self) {
        self.wanted = false;
    }

    /// True when it must be asked for now.
    pub(super) fn due(&mut self, now: Instant) -> bool {
        let due = self.wanted && self.asked.is_none_or(|asked| now >= asked + SPACING);
        if due {
            self.asked = Some(now);
            self.wanted = false;
        }
        due
    }
}

/// Pictures that came while there was no key frame to decode them from, and are left out of the recording.
#[derive(Debug, Default)]
pub(super) struct Keyless(Option<(i64, u64)>);

impl Keyless {
    /// One came, at `wall` microseconds since 1970.
    pub(super) fn add(&mut self, wall: i64) {
        self.0.get_or_insert((wall, 0)).1 += 1;
    }

    /// What there is to say of them, once.
    pub(super) fn told(&mut self) -> Option<What> {
        let (since, frames) = self.0.take()?;
        Some(What::NoKeyFrame { since: DateTime::from_timestamp_micros(since).unwrap_or_default(), frames })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_are_spaced_and_not_forgotten() {
        let (mut frames, now) = (KeyFrames::default(), Instant::now());
        assert!(!frames.due(now));
        frames.want();
        frames.want();
        assert!(frames.due(now));
        assert!(!frames.due(now + SPACING));
        frames.want();
        assert!(!frames.due(now + SPACING / 2));
        assert!(frames.due(now + SPACING));
        frames.want();
        frames.came();
        assert!(!frames.due(now + SPACING * 3));
    }
}
