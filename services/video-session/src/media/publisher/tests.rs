//! What a publication's packets become, packet by packet.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use rtc::rtp::Header;

use super::*;
use crate::media::bare::publication;

const WALL: i64 = 1_700_000_000_000_000;
const FRAME: Duration = Duration::from_millis(40);
const SOUND: Duration = Duration::from_millis(20);

/// A publication of pictures only, one packet each; or of sound only.
struct Stage {
    publisher: Publisher,
    now: Instant,
    sent: u16,
    /// What the phone's timestamps are ahead of the time since it began.
    ahead: u32,
    events: Vec<MediaEvent>,
}

impl Stage {
    fn set() -> Self {
        let now = Instant::now();
        let payload = Payload { payload_type: 96, fmtp: String::new(), rtx: None };
        let publisher = Publisher::new(publication(1), (now, WALL), Some((VideoCodec::Vp8, payload)), None);
        Self { publisher, now, sent: 0, ahead: 0, events: Vec::new() }
    }

    fn of_sound() -> Self {
        let now = Instant::now();
        let payload = Payload { payload_type: 111, fmtp: String::new(), rtx: None };
        let publisher = Publisher::new(publication(1), (now, WALL), None, Some(payload));
        Self { publisher, now, sent: 0, ahead: 0, events: Vec::new() }
    }

    /// The next packet of sound comes.
    fn sound(&mut self) {
        let (sequence_number, timestamp) = (self.sent, u32::from(self.sent) * 960);
        let header = Header { payload_type: 111, sequence_number, timestamp, ssrc: 8, ..Header::default() };
        let packet = Packet { header, payload: b"sound".as_slice().into() };
        self.publisher.packet(self.now, Kind::Audio, packet, &mut self.events);
        self.sent += 1;
    }

    /// So much time passes.
    fn passes(&mut self, time: Duration) {
        let until = self.now + time;
        while self.now < until {
            self.now += SOUND;
            self.publisher.tick(self.now, &mut self.events);
        }
    }

    fn timestamp(&self) -> u32 {
        self.ahead.wrapping_add(u32::from(self.sent) * 3_600)
    }

    fn picture(&mut self, key: bool) {
        let data: &[u8] = if key { &[0x10, 0x10, 0, 0, 0x9d, 1, 0x2a, 0x80, 2, 0x68, 1] } else { &[0x10, 0x11, 1, 2] };
        let header = Header {
            payload_type: 96,
            marker: true,
            sequence_number: self.sent,
            timestamp: self.timestamp(),
            ssrc: 7,
            ..Header::default()
        };
        let packet = Packet { header, payload: data.into() };
        self.publisher.packet(self.now, Kind::Video, packet, &mut self.events);
        (self.sent, self.now) = (self.sent + 1, self.now + FRAME);
        self.publisher.tick(self.now, &mut self.events);
    }

    fn keyless(&self) -> Vec<(i64, i64, u64)> {
        let since = |at: DateTime<chrono::Utc>| (at.timestamp_micros() - WALL) / 1_000;
        let noted = self.events.iter().filter_map(|event| match event {
            MediaEvent::Noted(Noted { at, what: What::NoKeyFrame { since: from, frames }, .. }) => {
                Some((since(*from), since(*at), *frames))
            }
            _ => None,
        });
        noted.collect()
    }

    fn segments(&self) -> Vec<&RecordedSegment> {
        let segments = self.events.iter().filter_map(|event| match event {
            MediaEvent::Segment(segment) => Some(segment),
            _ => None,
        });
        segments.collect()
    }
}

/// When each segment begins and ends, in milliseconds since the publication was there.
fn spans(events: &[MediaEvent]) -> Vec<(i64, i64)> {
    let since = |at: DateTime<chrono::Utc>| at.timestamp_millis() - WALL / 1_000;
    let spans = events.iter().filter_map(|event| match event {
        MediaEvent::Segment(segment) => Some((since(segment.starts_at), since(segment.ends_at))),
        _ => None,
    });
    spans.collect()
}

#[test]
fn pictures_without_a_key_frame_are_in_the_ledger() {
    let mut stage = Stage::set();
    for frame in 0..6 {
        stage.picture(frame == 3);
    }
    assert_eq!(stage.keyless(), [(0, 120, 3)]);
    stage.publisher.record(stage.now, Recording::Paused, &mut stage.events);
    stage.picture(false);
    stage.publisher.record(stage.now, Recording::On, &mut stage.events);
    stage.picture(false);
    stage.picture(false);
    stage.publisher.record(stage.now, Recording::Paused, &mut stage.events);
    assert_eq!(stage.keyless()[1..], [(280, 360, 2)], "what came in the pause is no gap");
    stage.publisher.record(stage.now, Recording::On, &mut stage.events);
    stage.picture(false);
    let (publisher, now) = (stage.publisher, stage.now);
    publisher.finish(now, EndedWhy::Closed, &mut stage.events);
    let Some(MediaEvent::PublicationEnded { counters, .. }) = stage.events.last() else { panic!("{:?}", stage.events) };
    assert_eq!(counters.video_frames, 3);
    let of_the_end = stage.events.iter().rev().filter(|event| matches!(event, MediaEvent::Noted(_))).take(2);
    let MediaEvent::Noted(Noted { what, .. }) = of_the_end.last().unwrap() else { unreachable!() };
    assert!(matches!(what, What::NoKeyFrame { frames: 1, .. }), "{what:?}");
}

#[test]
fn a_phone_whose_timestamps_jump_is_recorded_as_it_comes() {
    let mut stage = Stage::set();
    for frame in 0..50 {
        stage.picture(frame == 0);
    }
    let report =
        SenderReport { ssrc: 7, ntp_time: 4_000_000_000 << 32, rtp_time: stage.timestamp(), ..SenderReport::default() };
    stage.publisher.report(stage.now, Kind::Video, &report);
    stage.ahead = 6 * 3_600 * 90_000;
    for frame in 0..100 {
        stage.picture(frame == 0);
    }
    let last = stage.segments().last().map(|segment| segment.ends_at.timestamp_micros()).unwrap();
    let now = WALL + i64::try_from(FRAME.as_micros()).unwrap() * i64::from(stage.sent);
    assert!(last <= now && last > now - 2_000_000, "{} s behind", (now - last) / 1_000_000);
}

/// A phone may change its codec to one that it hasn't agreed on: nothing of it can be recorded, and that much is known.
#[test]
fn what_was_not_agreed_on_is_counted() {
    let mut stage = Stage::set();
    let mut packet = Packet { header: Header { payload_type: 96, ..Header::default() }, ..Packet::default() };
    assert_eq!(stage.publisher.kind(&packet), Some(Kind::Video));
    packet.header.payload_type = 102;
    assert_eq!((stage.publisher.kind(&packet), stage.publisher.kind(&packet)), (None, None));
    stage.publisher.finish(stage.now, EndedWhy::Closed, &mut stage.events);
    let ended = stage.events.iter().find_map(|event| match event {
        MediaEvent::Noted(Noted { what: What::Ended { counters, .. }, .. }) => Some(*counters),
        _ => None,
    });
    assert_eq!(ended.unwrap().other_packets, 2);
}

/// For longer than is waited for: its time is led back gently, so what is recorded may be said to be of a moment after the pause. Nothing
/// that came after it is.
#[test]
fn a_phone_held_up_at_first_is_said_to_be_later_than_it_came_and_a_pause_ends_it_all_the_same() {
    let mut stage = Stage::set();
    let (began, held_up) = (stage.now, Duration::from_millis(300));
    for frame in 0..20_u32 {
        stage.now = began + (held_up + FRAME * frame.min(3)).max(FRAME * frame);
        stage.picture(frame == 0);
    }
    stage.publisher.record(stage.now, Recording::Paused, &mut stage.events);
    let since = |at: DateTime<chrono::Utc>| at.timestamp_micros() - WALL;
    let (paused, ends) = (FRAME * 20, since(stage.segments().last().unwrap().ends_at));
    assert!(ends > i64::try_from(paused.as_micros()).unwrap() + 134_000, "{ends}");
    let segments = stage.segments().len();
    for _ in 0..20 {
        stage.picture(true);
    }
    let (publisher, now) = (stage.publisher, stage.now);
    publisher.finish(now, EndedWhy::Closed, &mut stage.events);
    let Some(MediaEvent::PublicationEnded { counters, segments: all, .. }) = stage.events.last() else {
        panic!("{:?}", stage.events)
    };
    assert_eq!((counters.video_frames, *all), (20, segments as u64));
}

#[test]
fn sound_that_was_held_up_at_first_stands_as_it_was_spoken() {
    let mut stage = Stage::of_sound();
    stage.now += Duration::from_secs(3);
    for _ in 0..100 {
        stage.sound();
        stage.now += Duration::from_micros(50);
    }
    let told = stage.events.iter().any(|event| matches!(event, MediaEvent::FirstMedia { .. }));
    assert!(told && stage.segments().is_empty(), "what is told doesn't wait: {:?}", stage.events);
    stage.passes(SOUND);
    for _ in 0..50 {
        stage.sound();
        stage.passes(SOUND);
    }
    let (publisher, now) = (stage.publisher, stage.now);
    publisher.finish(now, EndedWhy::Closed, &mut stage.events);
    // From 1.98 s before the last of it came, and as it was spoken: 45 packets of 20 ms a segment.
    assert_eq!(spans(&stage.events), [(1_024, 1_904), (1_924, 2_804), (2_824, 3_704), (3_724, 4_004)]);
    let Some(MediaEvent::PublicationEnded { counters, .. }) = stage.events.last() else { panic!("{:?}", stage.events) };
    assert_eq!((counters.audio_frames, counters.audio_lost), (150, 0));
}

#[test]
fn nothing_that_waits_for_its_time_is_lost_at_an_end() {
    for ends in [None, Some(Recording::Paused), Some(Recording::Stopped)] {
        let mut stage = Stage::of_sound();
        (0..5).for_each(|_| stage.sound());
        if let Some(ordered) = ends {
            stage.publisher.record(stage.now, ordered, &mut stage.events);
            stage.sound();
        }
        let (publisher, now) = (stage.publisher, stage.now);
        publisher.finish(now, EndedWhy::ShuttingDown, &mut stage.events);
        let Some(MediaEvent::PublicationEnded { counters, segments: 1, .. }) = stage.events.last() else {
            panic!("{ends:?}: {:?}", stage.events)
        };
        assert_eq!(counters.audio_frames, 5, "{ends:?}");
        assert_eq!(spans(&stage.events), [(-80, 0)], "{ends:?}");
    }
}

#[test]
fn one_packet_and_then_nothing_is_recorded_though_no_other_comes() {
    let mut stage = Stage::of_sound();
    stage.sound();
    stage.passes(Duration::from_millis(1_480));
    assert!(stage.segments().is_empty());
    stage.passes(SOUND);
    assert_eq!(spans(&stage.events), [(0, 0)], "no later than before: its cluster is waited for since the packet came");
}
