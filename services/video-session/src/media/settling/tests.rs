//! The times of a stream's first packets, as they come.
#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use bytes::Bytes;
use rtc::rtp::{Header, Packet};

use super::*;
use crate::media::{frames::Frame, reorder::Ordered, stream::Stream, timeline::SenderClock};

/// When it came, in microseconds; its sequence number; its timestamp.
type Came = (i64, u16, u32);

/// The time that each gets, in order; and when the first of them was given. The stream ends with the last one.
fn recorded(rate: u32, packets: impl IntoIterator<Item = Came>) -> (Vec<i64>, Option<i64>) {
    let (mut stream, clock, start) = (Stream::new(rate), SenderClock::default(), Instant::now());
    let (mut times, mut given) = (Vec::new(), None);
    for (came, sequence_number, timestamp) in packets {
        let now = start + Duration::from_micros(came.try_into().unwrap());
        stream.timeline.arrived(&clock, timestamp, came);
        let header = Header { sequence_number, timestamp, ..Header::default() };
        stream.reorder.push(now, sequence_number, Packet { header, ..Packet::default() });
        while let Some(Ordered::Packet(packet)) = stream.reorder.pop(now) {
            let frame = Frame { timestamp: packet.header.timestamp, key: true, size: None, data: Bytes::new() };
            stream.keep(now, came, frame);
        }
        if stream.timeline.is_settled(came) {
            times.extend(stream.timed(&clock).map(|(_, at, _)| at));
            given = given.or(times.first().map(|_| came));
        }
    }
    times.extend(stream.timed(&clock).map(|(_, at, _)| at));
    (times, given)
}

/// The nth packet of sound of 20 ms, from just before both counters begin anew.
fn came(n: u16, at: i64) -> Came {
    (at, 65_520_u16.wrapping_add(n), (u32::MAX - 9_600).wrapping_add(u32::from(n) * 960))
}

const BEGAN: i64 = 10_000_000;

/// Every step between two in a row.
fn steps(times: &[i64]) -> Vec<i64> {
    times.windows(2).map(|two| two[1] - two[0]).collect()
}

#[test]
fn what_was_held_up_stands_as_it_was_taken_and_the_last_of_it_where_it_came() {
    for held_up in [30_u16, 100, 450] {
        let all_at_once = |n: u16| BEGAN + i64::from(n) * 5_000 / i64::from(held_up);
        let last = all_at_once(held_up - 1);
        let goes_on = (0..50).map(|n: u16| came(held_up + n, last + 20_000 * i64::from(n + 1)));
        let (times, given) = recorded(48_000, (0..held_up).map(|n| came(n, all_at_once(n))).chain(goes_on));
        assert_eq!(times.len(), usize::from(held_up) + 50);
        assert!(steps(&times).iter().all(|step| *step == 20_000), "{held_up}: {times:?}");
        assert_eq!(times[usize::from(held_up) - 1], last, "{held_up}");
        let given = given.unwrap() - last;
        assert!((SETTLES - 20_000..=SETTLES + 20_000).contains(&given), "{held_up}: {given}");
    }
}

#[test]
fn an_encoder_that_catches_up_is_waited_for() {
    // Two seconds, in 400 ms.
    let catches_up = |n: u16| BEGAN + i64::from(n) * 4_000;
    let (times, given) = recorded(48_000, (0..100).map(|n| came(n, catches_up(n))));
    assert!(steps(&times).iter().all(|step| *step == 20_000), "{times:?}");
    assert_eq!((times[99], given), (catches_up(99), None), "it ended before");
    let (_, given) = recorded(48_000, (0..1_000).map(|n| came(n, catches_up(n))));
    assert_eq!(given, Some(BEGAN + MOST), "and not for ever");
}

#[test]
fn who_comes_steadily_stands_by_the_least_delayed() {
    let jitter = [12_000, 3_000, 9_000, 7_000, 0, 15_000, 4_000];
    let late = |n: u16| jitter[usize::from(n) % jitter.len()];
    let (times, given) = recorded(48_000, (0..200).map(|n| came(n, BEGAN + i64::from(n) * 20_000 + late(n))));
    assert!(times.iter().zip(0..).all(|(at, n)| *at == BEGAN + n * 20_000), "{times:?}");
    assert_eq!(given, Some(BEGAN + 5 * 20_000 + late(5)));
}

#[test]
fn the_least_delayed_is_the_anchor_whatever_order_they_came_in() {
    // Held up for a second, and shuffled; the first that came is the first that is waited for.
    let order = [0, 3, 1, 2, 7, 6, 5, 4, 9, 8];
    let shuffled = (0..50).map(|n: u16| n / 10 * 10 + order[usize::from(n) % 10]);
    let (times, _) = recorded(48_000, shuffled.zip(0..).map(|(n, after)| came(n, BEGAN + after * 100)));
    assert_eq!(times.len(), 50);
    assert!(steps(&times).iter().all(|step| *step == 20_000), "{times:?}");
    assert_eq!(*times.last().unwrap(), BEGAN + 4_800, "the newest came last but one");
}

#[test]
fn one_alone_stands_where_it_came() {
    assert_eq!(recorded(48_000, [came(0, BEGAN)]), (vec![BEGAN], None));
    assert_eq!(recorded(48_000, []), (vec![], None));
}

#[test]
fn what_a_picture_is_made_of_has_one_time() {
    // A second and a half of pictures, three packets each, within 9 ms.
    let packets = (0..90_u16).map(|n| (BEGAN + i64::from(n) * 100, n, u32::from(n / 3) * 4_500));
    let (times, _) = recorded(90_000, packets);
    let last = BEGAN + 87 * 100;
    let as_taken = (0..90_i64).map(|n| last - (29 - n / 3) * 50_000);
    assert_eq!(times, as_taken.collect::<Vec<_>>());
}

#[test]
fn timestamps_that_jump_meanwhile_hold_up_nothing() {
    let hour = 3_600 * 48_000_u32;
    for jump in [hour, hour.wrapping_neg(), 11 * 48_000] {
        let packets = (0..20_u16).map(|n| {
            let timestamp = u32::from(n) * 960 + if n < 3 { 0 } else { jump };
            (BEGAN + i64::from(n) * 20_000, n, timestamp)
        });
        let (times, _) = recorded(48_000, packets);
        assert!(times.iter().zip(0..).all(|(at, n)| *at == BEGAN + n * 20_000), "{jump}: {times:?}");
    }
}
