//! What the media core tells the rest of the service, unasked.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use ids::{OfficerId, ParticipantId, SessionId, TrackName};

use super::{Noted, Plea, ResourceId, Seat, Tapped};
use crate::domain::{RecordOrder, Recording, Remark};

/// What the media loop tells the rest of the service.
#[derive(Debug, Clone)]
pub enum MediaEvent {
    /// ICE and DTLS are up.
    Connected {
        /// The resource.
        resource: ResourceId,
        /// Whose it is.
        participant: ParticipantId,
    },
    /// The first decodable video frame of a publication, or its first audio packet when it has no video.
    FirstMedia {
        /// The session.
        session: SessionId,
        /// Who publishes.
        participant: ParticipantId,
        /// Its track.
        track: TrackName,
    },
    /// One finished piece of a recording.
    Segment(RecordedSegment),
    /// Something that the recording doesn't show.
    Noted(Noted),
    /// An order about a session's recording has been carried out; what was recorded before it came before this.
    Instructed {
        /// The order.
        instruction: Instruction,
        /// When.
        at: DateTime<Utc>,
    },
    /// A caller has covered the call, or is back: nothing of the others goes to them from here on, or goes again.
    Covered {
        /// What was tapped.
        tapped: Tapped,
        /// How the session is recorded from here on.
        recording: Recording,
    },
    /// A caller asks for help without saying so.
    Pleaded(Plea),
    /// A publication is over; its last segment came before this.
    PublicationEnded {
        /// The session.
        session: SessionId,
        /// Who published.
        participant: ParticipantId,
        /// Its track.
        track: TrackName,
        /// How many segments were made in all: 0 when not recorded.
        segments: u64,
        /// Why it ended.
        why: EndedWhy,
        /// What was received, written and lost.
        counters: Counters,
    },
    /// A viewer is gone.
    ViewerEnded {
        /// The resource.
        resource: ResourceId,
        /// Who watched, on which record.
        seat: Seat,
    },
    /// A viewer's path can't carry both, so the picture is held and the sound goes on; or it is shown again.
    PictureHeld {
        /// Who watches.
        viewer: ParticipantId,
        /// Whom.
        publisher: ParticipantId,
        /// Held, or shown again.
        held: bool,
    },
    /// ICE lost the peer. It may come back (`Connected` again) until it is closed.
    Disconnected {
        /// The resource.
        resource: ResourceId,
        /// Whose it is.
        participant: ParticipantId,
    },
}

/// An order about the recording of a session.
#[derive(Debug, Clone)]
pub struct Instruction {
    /// The session.
    pub session: SessionId,
    /// What.
    pub order: RecordOrder,
    /// The officer who gave it; `None`: the caller, to the control room.
    pub by: Option<OfficerId>,
    /// Why, in their words: for the exhibit, and for nothing else.
    pub reason: Remark,
}

/// One piece of a recording: concatenating a track's segments by `seq` gives one playable Matroska file.
#[derive(Debug, Clone)]
pub struct RecordedSegment {
    /// The session.
    pub session: SessionId,
    /// Who is seen and heard.
    pub participant: ParticipantId,
    /// Its track.
    pub track: TrackName,
    /// 0, 1, 2 ... without a gap. Segment 0 begins with the file's header.
    pub seq: u64,
    /// Wall clock of the first frame.
    pub starts_at: DateTime<Utc>,
    /// Wall clock of the last frame.
    pub ends_at: DateTime<Utc>,
    /// The bytes, as they belong in the file.
    pub bytes: Bytes,
}

/// Where one picture is in a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedFrame {
    /// The track.
    pub track: TrackName,
    /// As the phone stamped it, in 1/90,000 s.
    pub rtp_timestamp: u32,
    /// Its time in the track's file, in milliseconds.
    pub file_ms: u64,
    /// The segment that it is in.
    pub segment: u64,
    /// Wall clock of it.
    pub at: DateTime<Utc>,
}

/// Why a publication ended, or its recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndedWhy {
    /// `close` (a DELETE, or the session's end).
    Closed,
    /// The peer said goodbye (DTLS close) or ICE failed for good.
    PeerGone,
    /// The media core gave up on this peer; the log says why.
    Failed,
    /// The service is stopping.
    ShuttingDown,
    /// Its recording was stopped for good; the publication goes on.
    RecordingStopped,
}

/// What became of a publication's packets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Sequence number of the first video packet that came: gaps are counted from it.
    pub video_first: Option<u16>,
    /// Video RTP packets received, repairs included, duplicates not.
    pub video_packets: u64,
    /// Video packets that never came.
    pub video_lost: u64,
    /// Video frames written to the recording.
    pub video_frames: u64,
    /// Video frames left out because a part of them is missing.
    pub video_frames_broken: u64,
    /// Sequence number of the first audio packet that came.
    pub audio_first: Option<u16>,
    /// Audio RTP packets received.
    pub audio_packets: u64,
    /// Audio packets that never came.
    pub audio_lost: u64,
    /// Audio packets written to the recording.
    pub audio_frames: u64,
    /// RTP packets of a payload type that was not agreed on: they are nowhere in the recording.
    pub other_packets: u64,
    /// Key frames asked of the publisher.
    pub key_frame_requests: u64,
}
