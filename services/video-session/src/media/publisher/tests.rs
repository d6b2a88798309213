//! What a publication's packets become, packet by packet.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use rtc::rtp::Header;

use super::*;
use crate::media::bare::publication;

const WALL: i64 = 1_700_000_000_000_000;
const FRAME: Duration = Duration::from_millis(40);

/// A publication of pictures only, one packet each.
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
    stage.publisher.report(Kind::Video, &report);
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

/// Its time is led back gently, so what is recorded may be said to be of a moment after the pause: nothing that came after it is.
#[test]
fn a_phone_held_up_at_first_is_said_to_be_later_than_it_came_and_a_pause_ends_it_all_the_same() {
    let mut stage = Stage::set();
    let (began, held_up) = (stage.now, Duration::from_millis(300));
    for frame in 0..20 {
        stage.now = began + held_up.max(FRAME * frame);
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
