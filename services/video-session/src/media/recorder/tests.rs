//! Clusters, their times, and what waits for what.

use ids::{ParticipantId, SessionId};
use uuid::Uuid;

use super::*;
use crate::domain::Recording;

const START: i64 = 1_700_000_000_000_000;
/// Sound's.
const STEP: Duration = Duration::from_millis(20);

fn recorder(picture: Option<Picture>, sound: bool) -> Recorder {
    let publication = Publication {
        session: SessionId::from(Uuid::nil()),
        participant: ParticipantId::from(Uuid::nil()),
        track: "caller-1".parse().unwrap(),
        recording: Recording::On,
        yields: false,
    };
    Recorder::new(publication, picture, sound)
}

fn data() -> Bytes {
    Bytes::from_static(b"x")
}

fn millis(segment: &RecordedSegment) -> (i64, i64) {
    let since = |at: chrono::DateTime<chrono::Utc>| at.timestamp_millis() - START / 1_000;
    (since(segment.starts_at), since(segment.ends_at))
}

#[test]
fn clusters_end_at_key_frames_and_before_a_second() {
    let (mut recorder, now, mut out) = (recorder(Some(Picture::Vp8), true), Instant::now(), Vec::new());
    for step in 0..100 {
        let wall = START + step * 20_000;
        recorder.audio(now, wall, data());
        if step % 2 == 0 {
            recorder.describe(Picture::Vp8, Some((640, 360)));
            recorder.video(now, wall, step == 0 || step == 20, data());
        }
        recorder.poll(now, &mut out);
    }
    recorder.finish(&mut out);
    let spans: Vec<_> = out.iter().map(millis).collect();
    assert_eq!(spans, [(0, 380), (400, 1_280), (1_300, 1_980)]);
    assert_eq!(out.iter().map(|segment| segment.seq).collect::<Vec<_>>(), [0, 1, 2]);
    assert!(out[0].bytes.starts_with(&[0x1a, 0x45, 0xdf, 0xa3]) && out[1].bytes.starts_with(&[0x1f, 0x43, 0xb6, 0x75]));
}

#[test]
fn the_header_waits_two_seconds_for_a_key_frame_and_no_longer() {
    let (mut recorder, now, mut out) = (recorder(Some(Picture::Vp8), true), Instant::now(), Vec::new());
    for step in 0..150 {
        let after = Duration::from_millis(step * 20);
        let wall = START + i64::try_from(after.as_micros()).unwrap();
        recorder.audio(now + after, wall, data());
        recorder.poll(now + after, &mut out);
        assert!(after >= HEADER_WAIT || out.is_empty());
    }
    assert_eq!(millis(&out[0]), (0, 880));
    recorder.finish(&mut out);
    assert_eq!(millis(out.last().unwrap()), (2_700, 2_980));
}

#[test]
fn time_never_runs_backwards() {
    let (mut recorder, now, mut out) = (recorder(None, true), Instant::now(), Vec::new());
    for step in 0..60 {
        recorder.audio(now, START + step * 20_000, data());
    }
    recorder.poll(now, &mut out);
    assert_eq!(millis(&out[0]), (0, 880));
    // The anchor moves back by 400 ms, to before what has left.
    recorder.audio(now, START + 800_000, data());
    recorder.finish(&mut out);
    assert_eq!(millis(&out[1]), (900, 1_181));
}

#[test]
fn the_file_begins_with_the_oldest_block_though_it_came_after_the_others() {
    let (mut recorder, now, mut out) = (recorder(Some(Picture::Vp8), true), Instant::now(), Vec::new());
    recorder.describe(Picture::Vp8, Some((640, 360)));
    for step in 0..10 {
        recorder.video(now, START + step * 20_000, step == 0, data());
        recorder.poll(now, &mut out);
    }
    // Sound that was held up for two seconds.
    for step in 0..150 {
        assert_eq!(recorder.audio(now, START + (step - 100) * 20_000, data()), Some(START / 1_000 + (step - 100) * 20));
        recorder.poll(now, &mut out);
    }
    recorder.finish(&mut out);
    let spans: Vec<_> = out.iter().map(millis).collect();
    assert_eq!(spans, [(-2_000, -1_120), (-1_100, -220), (-200, -20), (0, 880), (900, 980)]);
}

#[test]
fn a_silent_track_is_not_waited_for_long() {
    let (mut recorder, now, mut out) = (recorder(Some(Picture::Vp8), true), Instant::now(), Vec::new());
    recorder.describe(Picture::Vp8, Some((640, 360)));
    recorder.video(now, START, true, data());
    for step in 0..60 {
        recorder.audio(now + STEP * step, START + i64::from(step) * 20_000, data());
    }
    recorder.poll(now + Duration::from_millis(1_499), &mut out);
    assert!(out.is_empty());
    recorder.poll(now + Duration::from_millis(1_500), &mut out);
    assert_eq!(out.len(), 1);
}

#[test]
fn what_comes_after_a_cluster_was_closed_half_full_keeps_its_time() {
    let (mut recorder, now, mut out) = (recorder(Some(Picture::Vp8), true), Instant::now(), Vec::new());
    recorder.describe(Picture::Vp8, Some((640, 360)));
    for step in 0..25 {
        recorder.audio(now + STEP * step, START + i64::from(step) * 20_000, data());
    }
    recorder.poll(now + Duration::from_millis(1_600), &mut out);
    assert_eq!(out.iter().map(millis).collect::<Vec<_>>(), [(0, 480)]);
    let late = recorder.audio(now + Duration::from_millis(1_700), START + 600_000, data());
    assert_eq!(late, Some(START / 1_000 + 600));
}

#[test]
fn what_is_ahead_of_our_clock_waits_no_longer_than_that() {
    let (mut recorder, now, mut out) = (recorder(Some(Picture::Vp8), true), Instant::now(), Vec::new());
    recorder.describe(Picture::Vp8, Some((640, 360)));
    for step in 0..1_000 {
        let now = now + STEP * step;
        recorder.video(now, START + i64::from(step) * 20_000 + 2_000_000, step == 0, data());
        recorder.poll(now, &mut out);
        assert!(recorder.pending.len() < 100, "{step}");
    }
}

#[test]
fn a_pause_is_a_hole_in_the_same_file() {
    let (mut recorder, now, mut out) = (recorder(None, true), Instant::now(), Vec::new());
    for step in 0..150 {
        match step {
            20 => recorder.pause(&mut out),
            25 => recorder.resume(now),
            _ => {}
        }
        assert_eq!(recorder.audio(now, START + step * 20_000, data()).is_some(), !(20..25).contains(&step));
        recorder.poll(now, &mut out);
    }
    recorder.finish(&mut out);
    let spans: Vec<_> = out.iter().map(millis).collect();
    assert_eq!(spans, [(0, 380), (500, 1_380), (1_400, 2_280), (2_300, 2_980)]);
    assert_eq!(out[1].seq, 1);
    assert!(out[1].bytes.starts_with(&[0x1f, 0x43, 0xb6, 0x75]), "no second header");
}

#[test]
fn a_pause_before_the_first_key_frame_does_not_guess_at_the_picture() {
    let (mut recorder, now, mut out) = (recorder(Some(Picture::Vp8), true), Instant::now(), Vec::new());
    assert!(recorder.audio(now, START, data()).is_some());
    recorder.pause(&mut out);
    recorder.poll(now + HEADER_WAIT * 2, &mut out);
    assert!(out.is_empty() && recorder.is_undescribed());
    recorder.resume(now + HEADER_WAIT * 2);
    recorder.describe(Picture::Vp8, Some((640, 360)));
    assert!(recorder.video(now, START + 4_100_000, true, data()).is_some());
    recorder.finish(&mut out);
    assert_eq!(out.iter().map(millis).collect::<Vec<_>>(), [(0, 0), (4_100, 4_100)]);
}

#[test]
fn nothing_received_is_nothing_written() {
    let mut out = Vec::new();
    let mut recorder = recorder(Some(Picture::Vp8), true);
    recorder.poll(Instant::now(), &mut out);
    recorder.finish(&mut out);
    assert!(out.is_empty());
}

#[test]
fn what_waited_while_the_process_stood_still_keeps_its_times() {
    let (mut recorder, now, mut out) = (recorder(Some(Picture::Vp8), true), Instant::now(), Vec::new());
    recorder.describe(Picture::Vp8, Some((640, 360)));
    let (stands, goes_on) = (100, 545);
    // Of the nine seconds in which it stands still, the socket has the first two and a half.
    for step in (0..225).chain(goes_on..600) {
        let late = if (stands..goes_on).contains(&step) { goes_on + (step - stands) / 10 } else { step };
        let (now, wall) = (now + STEP * late, START + i64::from(step) * 20_000);
        assert_eq!(recorder.audio(now, wall, data()), Some(wall / 1_000), "{step}");
        assert_eq!(recorder.video(now, wall, step == 0, data()), Some(wall / 1_000), "{step}");
        recorder.poll(now, &mut out);
    }
    recorder.finish(&mut out);
    let spans: Vec<_> = out.iter().map(millis).collect();
    assert!(spans.iter().all(|(first, last)| last - first < LONGEST), "{spans:?}");
    assert!(spans.is_sorted(), "{spans:?}");
}
