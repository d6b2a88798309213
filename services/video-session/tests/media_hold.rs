//! A viewer whose network carries only the sound goes on hearing, and sees again when it carries both.

use std::{collections::BTreeSet, time::Duration};

use crate::media_support::{Room, participant};
use testkit::road::{Road, Way, Weather};
use video_session::media::{MediaConfig, MediaEvent};

const ROAD: &str = "127.0.0.2";
const PATIENCE: Duration = Duration::from_secs(40);
/// The payload type of a synthetic phone's picture.
const VP8: u8 = 96;

#[tokio::test(flavor = "multi_thread")]
async fn the_sound_goes_on_while_the_picture_is_held() {
    let at = ROAD.parse().unwrap();
    let mut room =
        Room::with(MediaConfig { listen: "127.0.0.1:0".parse().unwrap(), advertise: vec![at], tcp: false }).await;
    let road = Road::open(room.media.local_addr(), at, 1).await.unwrap();
    let (mut caller, mut officer) = (room.phone(1), room.phone(2));
    let watched = participant(1).to_string();
    caller.publish().await.unwrap();
    officer.watch(&watched).await.unwrap();
    officer.wait_for(&watched, PATIENCE, |seen| seen.video_frames >= 15).await.unwrap();

    // The clip's sound is some 50 kb/s with its headers, its picture 160.
    road.weather(Way::Down, Weather { kbps: Some(120), ..Weather::default() });
    told(&mut room, true).await;
    let then = officer.received(&watched);
    let heard = officer.wait_for(&watched, PATIENCE, |now| now.audio_packets >= then.audio_packets + 100);
    let seen = heard.await.unwrap().video_frames - then.video_frames;
    assert!(seen <= 15, "{seen} pictures came in the two seconds after it was held: more than was under way");

    road.weather(Way::Down, Weather::default());
    told(&mut room, false).await;
    officer.wait_for(&watched, PATIENCE, |now| now.video_frames >= then.video_frames + seen + 30).await.unwrap();
    let picture = road.streams(Way::Down).into_iter().find(|stream| stream.payload_type == VP8).unwrap();
    let sent: BTreeSet<_> =
        picture.passed.iter().chain(&picture.lost).map(|n| n.wrapping_sub(picture.passed[0])).collect();
    assert!(sent.iter().zip(0..).all(|(n, expected)| *n == expected), "what was held left no hole: {sent:?}");
    caller.hang_up().await.unwrap();
    let counters = room.ended().await;
    assert_eq!((counters.video_lost, counters.audio_lost), (0, 0), "the recording has it all");
}

/// Waits until the officer's picture is held, or is not any more.
async fn told(room: &mut Room, wanted: bool) {
    loop {
        let event = tokio::time::timeout(PATIENCE, room.events.recv()).await.unwrap().unwrap();
        if let MediaEvent::PictureHeld { viewer, publisher, held } = event {
            assert_eq!((viewer, publisher, held), (participant(2), participant(1), wanted));
            return;
        }
    }
}
