//! What a phone sends is recorded whole and seen by another, over real UDP, and standard tools can play it.

use crate::media_support;
use std::time::Duration;

use crate::media_support::{Room, nothing_but_cut, participant, probe, publication, seat};
use video_session::{
    domain::Recording as Stands,
    media::{EndedWhy, MediaError, MediaEvent, Publication, VOID},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_is_seen_and_its_recording_plays() {
    let mut room = Room::open().await;
    let (mut caller, mut officer) = (room.phone(1), room.phone(2));
    caller.publish().await.unwrap();
    officer.watch(&participant(1).to_string()).await.unwrap();
    let seen = officer
        .wait_for(&participant(1).to_string(), Duration::from_secs(20), |seen| seen.video_frames >= 45)
        .await
        .unwrap();
    assert!(seen.audio_packets >= 100, "{seen:?}");
    let sent = caller.hang_up().await.unwrap();

    let recording = room.recording().await;
    let counters = recording.counters;
    assert_eq!((recording.why, recording.first_media), (EndedWhy::Closed, 1));
    assert_eq!((counters.video_lost, counters.audio_lost, counters.video_frames_broken), (0, 0, 0), "{counters:?}");
    assert!(sent.video_frames.abs_diff(counters.video_frames) <= 2, "{sent:?} {counters:?}");
    assert!(sent.audio_packets.abs_diff(counters.audio_frames) <= 2, "{sent:?} {counters:?}");

    let probed = probe(&recording.file);
    assert_eq!(probed.complaints, "");
    assert_eq!((probed.video_frames, probed.audio_frames), (counters.video_frames, counters.audio_frames));
    assert!(probed.picture_after_sound.abs() <= 80, "{probed:?}");

    // Cut in the middle of any segment, it plays to the end of the one before at least.
    assert!(recording.ends.len() >= 3, "{:?}", recording.ends);
    for ends in recording.ends.windows(2) {
        let (whole, cut) = (probe(&recording.file[..ends[0]]), probe(&recording.file[..ends[0].midpoint(ends[1])]));
        assert_eq!(whole.complaints, "");
        assert!(nothing_but_cut(&cut.complaints), "{}", cut.complaints);
        assert!(cut.audio_frames >= whole.audio_frames && cut.video_frames >= whole.video_frames, "{whole:?} {cut:?}");
    }
    // And where segments had to be given up, it plays on after them.
    let (file, ends) = (&recording.file, &recording.ends);
    let holed = probe(&[&file[..ends[0]], &VOID.repeat(ends.len() - 2), &file[ends[ends.len() - 2]..]].concat());
    let first = probe(&file[..ends[0]]);
    assert_eq!(holed.complaints, "");
    assert!(holed.audio_frames > first.audio_frames && holed.audio_frames < probed.audio_frames, "{first:?} {holed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publication_refused_recording_is_seen_but_not_written() {
    let mut room = Room::open().await;
    let unrecorded = Publication { recording: Stands::Refused, ..publication(1) };
    let answer = room.media.publish(unrecorded, media_support::chromium()).await.unwrap();
    room.media.close(answer.resource).await;
    let recording = room.recording().await;
    assert_eq!((recording.ends.len(), recording.why), (0, EndedWhy::Closed));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_closes_ends_its_publication_and_those_who_watch_it() {
    let mut room = Room::open().await;
    let (mut caller, mut officer) = (room.phone(1), room.phone(2));
    caller.publish().await.unwrap();
    officer.watch(&participant(1).to_string()).await.unwrap();
    officer
        .wait_for(&participant(1).to_string(), Duration::from_secs(20), |seen| seen.video_frames >= 5)
        .await
        .unwrap();
    // Its connection is closed, but nobody sends a DELETE.
    caller.vanish().await;
    let recording = room.recording().await;
    assert_eq!(recording.silences, 0, "its goodbye was heard, long before its silence would have been");
    assert_eq!(recording.why, EndedWhy::PeerGone);
    assert_eq!(probe(&recording.file).video_frames, recording.counters.video_frames);
    let next = tokio::time::timeout(Duration::from_secs(5), room.events.recv()).await.unwrap();
    assert!(matches!(next, Some(MediaEvent::ViewerEnded { seat: ended, .. }) if ended == seat(2)), "{next:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn shutting_down_writes_what_is_left() {
    let mut room = Room::open().await;
    let mut caller = room.phone(1);
    caller.publish().await.unwrap();
    caller.has_sent(20, Duration::from_secs(20)).await.unwrap();
    room.media.clone().shutdown().await;
    let recording = room.recording().await;
    assert_eq!(recording.why, EndedWhy::ShuttingDown);
    let probed = probe(&recording.file);
    assert_eq!((probed.complaints.as_str(), probed.video_frames), ("", recording.counters.video_frames));
    assert!(room.events.recv().await.is_none(), "nothing comes after");
    let refused = room.media.watch(seat(2), participant(1), String::new()).await;
    assert_eq!(refused.unwrap_err(), MediaError::ShuttingDown);
}
