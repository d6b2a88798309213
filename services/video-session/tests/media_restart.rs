//! A phone changes its network in mid-call: an ICE restart (RFC 9725, section 4.3.3), and one recording all the same.

use std::time::Duration;

use crate::media_support::{Room, participant, probe};
use video_session::media::EndedWhy;

const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn picture_and_sound_go_on_over_another_network() {
    let mut room = Room::open().await;
    let (mut caller, mut officer) = (room.phone(1), room.phone(2));
    let watched = participant(1).to_string();
    caller.publish().await.unwrap();
    officer.watch(&watched).await.unwrap();
    officer.wait_for(&watched, PATIENCE, |now| now.video_frames >= 15 && now.audio_packets >= 50).await.unwrap();
    for moving in 0..4 {
        // Each in turn, and each twice: to another network and on to a third.
        let phone = if moving % 2 == 0 { &mut caller } else { &mut officer };
        phone.change_network().await.unwrap();
        let then = officer.received(&watched);
        let goes_on = officer.wait_for(&watched, PATIENCE, |now| {
            now.video_frames >= then.video_frames + 20 && now.audio_packets >= then.audio_packets + 60
        });
        goes_on.await.unwrap_or_else(|error| panic!("after restart {moving}: {error}"));
    }
    officer.hang_up().await.unwrap();
    caller.hang_up().await.unwrap();

    let recording = room.recording().await;
    assert_eq!((recording.why, recording.first_media), (EndedWhy::Closed, 1), "one publication from start to end");
    let probed = probe(&recording.file);
    assert_eq!(probed.complaints, "");
    assert_eq!(probed.video_frames, recording.counters.video_frames);
    assert!(probed.video_frames > 80, "{probed:?} {:?}", recording.counters);
}
