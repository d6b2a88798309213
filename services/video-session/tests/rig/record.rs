//! What the officer orders about the recording and marks in it, and what was kept.

use std::{collections::BTreeMap, path::PathBuf};

use api::session::v1::{ChapterKind, MarkChapterRequest, RecordingAction, RecordingState, SetRecordingRequest};
use chrono::{DateTime, Utc};
use ids::CallId;
use serde_json::Value;
use testkit::phone::Sent;
use tonic::Status;
use video_session::spool::{Lines, Piece, Place, Spool};

use super::{FORCE, OFFICER, Rig};

impl Rig {
    pub fn ordering(&self, call: CallId, action: RecordingAction) -> SetRecordingRequest {
        SetRecordingRequest {
            request_id: self.request(),
            force_id: FORCE.to_owned(),
            officer_id: OFFICER.to_owned(),
            call_id: call.to_string(),
            action: action.into(),
            reason: "asked for by the caller".to_owned(),
        }
    }

    /// Orders it, and says how the recording stands then.
    pub async fn order(&self, request: SetRecordingRequest) -> Result<RecordingState, Status> {
        self.desk.clone().set_recording(request).await.map(|answer| answer.into_inner().state())
    }

    pub fn marking(&self, call: CallId, kind: ChapterKind, note: &str) -> MarkChapterRequest {
        MarkChapterRequest {
            request_id: self.request(),
            force_id: FORCE.to_owned(),
            officer_id: OFFICER.to_owned(),
            call_id: call.to_string(),
            kind: kind.into(),
            note: note.to_owned(),
        }
    }

    /// Where what is recorded of a call is kept.
    pub async fn folder(&self, call: CallId) -> PathBuf {
        let session = self.watched(call, |_| true).await.session_id;
        self.dir.path().join("spool").join(session)
    }

    /// The ledger as it is now.
    pub fn ledger(&self) -> String {
        let session = std::fs::read_dir(self.dir.path().join("spool")).unwrap().next().unwrap().unwrap();
        std::fs::read_to_string(session.path().join("ledger.jsonl")).unwrap_or_default()
    }

    /// Once the service has stopped: a segment of the only session.
    pub fn segment(&self, track: &str, seq: u64) -> Piece {
        let spool = Spool::open(&self.dir.path().join("spool"), &self.dir.path().join("receipts"), None).unwrap();
        let [session] = spool.sessions()[..] else { panic!("one session") };
        spool.load(session, &Place { track: track.parse().unwrap(), seq }).unwrap()
    }

    /// Once the service has stopped: how many pictures and packets of sound of each track are in the spool.
    pub fn recorded(&self) -> BTreeMap<String, Sent> {
        let spool = Spool::open(&self.dir.path().join("spool"), &self.dir.path().join("receipts"), None).unwrap();
        let [session] = spool.sessions()[..] else { panic!("one session") };
        let recorded = spool.recorded(session).into_iter().map(|(track, segments)| {
            let mut there = Sent::default();
            for seq in 0..segments {
                let place = Place { track: track.clone(), seq };
                count(&spool.load(session, &place).unwrap().data, &mut there);
            }
            (track.to_string(), there)
        });
        recorded.collect()
    }

    /// Once the service has stopped: each track's last moment in the spool, and the ledger.
    pub fn kept(&self) -> (Vec<(String, DateTime<Utc>)>, Vec<Value>) {
        let spool = Spool::open(&self.dir.path().join("spool"), &self.dir.path().join("receipts"), None).unwrap();
        let [session] = spool.sessions()[..] else { panic!("one session") };
        let last = spool.recorded(session).into_iter().map(|(track, segments)| {
            let place = Place { track: track.clone(), seq: segments - 1 };
            (track.to_string(), spool.load(session, &place).unwrap().ends_at)
        });
        let lines = spool.lines(session, Lines::Ledger).unwrap();
        (last.collect(), lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect())
    }
}

/// Counts the blocks of a piece of a Matroska file: pictures are its first track, sound its second.
fn count(mut data: &[u8], there: &mut Sent) {
    while let Some(&first) = data.first() {
        let (id, rest) = data.split_at(first.leading_zeros() as usize + 1);
        let (size, rest) = rest.split_at(rest[0].leading_zeros() as usize + 1);
        let marked = size.iter().fold(0_u64, |size, byte| size << 8 | u64::from(*byte));
        let size = usize::try_from(marked & !(1 << (7 * size.len()))).unwrap();
        // Into the segment and its clusters, over everything else.
        data = if matches!(id, [0x18, 0x53, 0x80, 0x67] | [0x1f, 0x43, 0xb6, 0x75]) { rest } else { &rest[size..] };
        match (id, rest.first()) {
            ([0xa3], Some(0x81)) => there.video_frames += 1,
            ([0xa3], Some(0x82)) => there.audio_packets += 1,
            _ => {}
        }
    }
}
