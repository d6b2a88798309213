//! Pausing, resuming and stopping the recording of what goes on being seen and heard.

use std::time::Duration;

use crate::media_support::{Room, participant, probe, publication};
use chrono::TimeDelta;
use ids::SessionId;
use video_session::{
    domain::{Illegal, RecordOrder, Recording, Remark},
    media::{EndedWhy, Instruction, MediaError, What},
};

const PATIENCE: Duration = Duration::from_secs(20);
/// Two pictures of the clip.
const TWO_FRAMES: TimeDelta = TimeDelta::milliseconds(134);

impl Room {
    async fn order(&self, order: RecordOrder) -> Result<Recording, MediaError> {
        let session: SessionId = publication(1).session;
        self.media.record(Instruction { session, order, by: None, reason: Remark::none() }).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_is_a_hole_in_a_file_that_plays() {
    let mut room = Room::open().await;
    let (mut caller, mut officer) = (room.phone(1), room.phone(2));
    let watched = participant(1).to_string();
    caller.publish().await.unwrap();
    officer.watch(&watched).await.unwrap();
    officer.wait_for(&watched, PATIENCE, |seen| seen.video_frames >= 20).await.unwrap();
    assert_eq!(room.order(RecordOrder::Pause).await, Ok(Recording::Paused));
    assert_eq!(room.order(RecordOrder::Pause).await, Ok(Recording::Paused), "twice is once");
    let then = officer.received(&watched);
    let goes_on = officer.wait_for(&watched, PATIENCE, |now| now.video_frames >= then.video_frames + 45);
    goes_on.await.unwrap();
    assert_eq!(room.order(RecordOrder::Resume).await, Ok(Recording::On));
    let then = officer.received(&watched);
    let seen = officer.wait_for(&watched, PATIENCE, |now| now.video_frames >= then.video_frames + 45).await.unwrap();
    caller.hang_up().await.unwrap();

    let recording = room.recording().await;
    let [(RecordOrder::Pause, paused, before), (RecordOrder::Resume, resumed, after)] = recording.ordered[..] else {
        panic!("{:?}", recording.ordered);
    };
    assert_eq!(before, after, "nothing is written in a pause");
    assert!(before > 0 && after < recording.spans.len());
    let (last, next) = (recording.spans[before - 1].1, recording.spans[after].0);
    assert!(last <= paused + TWO_FRAMES && paused - last < TimeDelta::seconds(1), "{last} {paused}");
    assert!(next >= resumed - TWO_FRAMES, "{resumed} {next}");
    assert!(recording.spans.is_sorted());
    let probed = probe(&recording.file);
    assert_eq!(probed.complaints, "");
    let counters = recording.counters;
    assert_eq!((probed.video_frames, probed.audio_frames), (counters.video_frames, counters.audio_frames));
    assert!(counters.video_frames + 40 <= seen.video_frames, "what wasn't recorded was seen: {counters:?} {seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_is_for_good_and_the_call_goes_on() {
    let mut room = Room::open().await;
    let (mut caller, mut officer) = (room.phone(1), room.phone(2));
    let watched = participant(1).to_string();
    caller.publish().await.unwrap();
    officer.watch(&watched).await.unwrap();
    officer.wait_for(&watched, PATIENCE, |seen| seen.video_frames >= 20).await.unwrap();
    assert_eq!(room.order(RecordOrder::Stop).await, Ok(Recording::Stopped));
    assert_eq!(room.order(RecordOrder::Stop).await, Ok(Recording::Stopped), "twice is once");
    for refused in [RecordOrder::Resume, RecordOrder::Pause] {
        assert_eq!(room.order(refused).await, Err(MediaError::Recording(Illegal::RecordingStopped)));
    }
    let then = officer.received(&watched);
    let goes_on = officer.wait_for(&watched, PATIENCE, |now| {
        now.video_frames >= then.video_frames + 30 && now.audio_packets >= then.audio_packets + 100
    });
    goes_on.await.unwrap();
    caller.hang_up().await.unwrap();
    let recording = room.recording().await;
    let [(RecordOrder::Stop, stopped, segments)] = recording.ordered[..] else { panic!("{:?}", recording.ordered) };
    assert_eq!(segments, recording.spans.len(), "nothing came after");
    let last = recording.spans.last().unwrap().1;
    assert!(last <= stopped + TWO_FRAMES && stopped - last < TimeDelta::seconds(1), "{last} {stopped}");
    let probed = probe(&recording.file);
    let Some(What::Ended { why: EndedWhy::RecordingStopped, counters }) = recording.noted.last() else {
        panic!("{:?}", recording.noted.last());
    };
    assert_eq!((probed.complaints.as_str(), probed.video_frames), ("", counters.video_frames));
    assert_eq!(recording.why, EndedWhy::Closed);

    // Whoever publishes anew isn't recorded either, whatever the database has not heard of yet.
    let mut caller = room.phone(1);
    caller.publish().await.unwrap();
    caller.has_sent(20, PATIENCE).await.unwrap();
    caller.hang_up().await.unwrap();
    let again = room.recording().await;
    assert_eq!((again.ends.len(), again.noted.len()), (0, 0));
}
