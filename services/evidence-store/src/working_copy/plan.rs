//! What goes where and when. Tracks are laid on one time line by the wall clock of their first segments, which
//! video-session took from the phones' sender reports.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use ids::TrackName;

/// Frames a second.
pub(super) const RATE: i64 = 25;

/// One track's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clip {
    /// Its track.
    pub track: TrackName,
    /// Who is in it: `caller`, `officer`, `interpreter` ...
    pub role: String,
    /// When its first frame was taken.
    pub starts_at: DateTime<Utc>,
    /// When its last one was.
    pub ends_at: DateTime<Utc>,
    /// Whether it has a picture.
    pub picture: bool,
    /// Whether it has sound.
    pub sound: bool,
}

/// The film.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The tracks, in order of time.
    pub clips: Vec<Clip>,
    /// The pane of each.
    pub panes: Vec<usize>,
    /// The wall clock at the film's beginning: a whole second, so that the clock in it ticks where ours does.
    pub starts_at: DateTime<Utc>,
    /// Its length: whole frames.
    pub length: TimeDelta,
}

impl Plan {
    /// Lays tracks out; `None` if there is nothing to see or to hear. Tracks of one role that follow each other share a
    /// pane: somebody who lost the connection comes back in their place.
    #[must_use]
    pub fn new(mut clips: Vec<Clip>) -> Option<Self> {
        clips.retain(|clip| clip.picture || clip.sound);
        clips.sort_by(|a, b| (a.starts_at, &a.track).cmp(&(b.starts_at, &b.track)));
        let starts_at = clips.first()?.starts_at.duration_trunc(TimeDelta::seconds(1)).ok()?;
        let ends_at = clips.iter().map(|clip| clip.ends_at).max()?;
        let frames = ((ends_at - starts_at).num_milliseconds() * RATE).div_euclid(1_000) + 1;
        // The caller comes to the left and the officer beside them, whoever was first and whoever else is there.
        let mut roles: Vec<&str> = clips.iter().map(|clip| clip.role.as_str()).collect();
        roles.sort_unstable_by_key(|role| (*role != "caller", *role != "officer", *role));
        roles.dedup();
        let mut panes = vec![0; clips.len()];
        let mut taken: Vec<DateTime<Utc>> = Vec::new();
        for role in roles {
            let first = taken.len();
            for (place, clip) in clips.iter().enumerate().filter(|(_, clip)| clip.role == role) {
                let free = (first..taken.len()).find(|pane| taken[*pane] <= clip.starts_at);
                let pane = free.unwrap_or(taken.len());
                taken.resize(taken.len().max(pane + 1), clip.ends_at);
                taken[pane] = clip.ends_at;
                panes[place] = pane;
            }
        }
        let length = TimeDelta::milliseconds(frames.max(1) * 1_000 / RATE);
        Some(Self { clips, panes, starts_at, length })
    }

    /// How far into the film a clip begins.
    #[must_use]
    pub fn offset(&self, clip: &Clip) -> TimeDelta {
        clip.starts_at - self.starts_at
    }

    pub(super) fn pane_count(&self) -> usize {
        self.panes.iter().max().map_or(0, |last| last + 1)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn at(millis: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(1_800_000_000_000 + millis).unwrap()
    }

    fn clip(track: &str, from: i64, to: i64) -> Clip {
        let role = track.split('-').next().unwrap().to_owned();
        let (starts_at, ends_at) = (at(from), at(to));
        Clip { track: track.parse().unwrap(), role, starts_at, ends_at, picture: true, sound: true }
    }

    fn panes(plan: &Plan) -> Vec<(&str, usize)> {
        plan.clips.iter().zip(&plan.panes).map(|(clip, pane)| (clip.track.as_str(), *pane)).collect()
    }

    #[test]
    fn tracks_lie_on_the_wall_clock() {
        let plan = Plan::new(vec![clip("officer-1", 1_250, 9_000), clip("caller-1", 2_750, 10_010)]).unwrap();
        assert_eq!(plan.starts_at, at(1_000));
        assert_eq!(plan.length, TimeDelta::milliseconds(9_040));
        let offsets: Vec<_> = plan.clips.iter().map(|clip| plan.offset(clip).num_milliseconds()).collect();
        assert_eq!(offsets, [250, 1_750]);
        assert_eq!(panes(&plan), [("officer-1", 1), ("caller-1", 0)]);
    }

    #[test]
    fn who_comes_back_comes_back_in_their_place() {
        let plan = Plan::new(vec![
            clip("caller-1", 0, 4_000),
            clip("caller-2", 4_500, 9_000),
            clip("officer-1", 500, 9_000),
            clip("officer-2", 600, 8_000),
            clip("caller-3", 9_000, 9_500),
        ]);
        let expected = [("caller-1", 0), ("officer-1", 1), ("officer-2", 2), ("caller-2", 0), ("caller-3", 0)];
        assert_eq!(panes(&plan.unwrap()), expected);
    }

    #[test]
    fn caller_and_officer_keep_their_places_when_others_come() {
        let clips = ["supporter-1", "interpreter-2", "officer-1", "caller-1", "interpreter-1"];
        let plan = Plan::new(clips.map(|track| clip(track, 0, 9_000)).into()).unwrap();
        let expected =
            [("caller-1", 0), ("interpreter-1", 2), ("interpreter-2", 3), ("officer-1", 1), ("supporter-1", 4)];
        assert_eq!(panes(&plan), expected);
    }

    #[test]
    fn nothing_makes_no_film() {
        assert_eq!(Plan::new(Vec::new()), None);
        assert_eq!(Plan::new(vec![Clip { picture: false, sound: false, ..clip("caller-1", 0, 1) }]), None);
    }
}
