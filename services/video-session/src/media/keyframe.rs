//! When to ask a publisher for a key frame: on need, but at most twice a second. A key frame is many packets at once, and
//! asking faster than they arrive starves the very link that lost the last one.

use std::time::{Duration, Instant};

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
