//! A media loop with bare WHIP and WHEP in front of it, for synthetic phones; and what a recording says of itself.

use std::{io::Write, net::SocketAddr, path::Path, process::Command, time::Duration};

use axum::{
    Router,
    extract::{Path as Part, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{delete, post},
};
use chassis::{Clock, Entropy};
use chrono::{DateTime, Utc};
use ids::{ParticipantId, SessionId};
use testkit::phone::{Pass, Phone};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use uuid::Uuid;
use video_session::{
    domain::{RecordOrder, Recording as Stands},
    media::{
        Answer, Condition, Counters, EndedWhy, Media, MediaConfig, MediaError, MediaEvent, Patched, Publication, Seat,
        What,
    },
};

/// The loop, its endpoints and its events.
pub struct Room {
    pub media: Media,
    pub events: UnboundedReceiver<MediaEvent>,
    http: SocketAddr,
}

/// What is left of a publication.
#[derive(Debug)]
pub struct Recording {
    pub file: Vec<u8>,
    /// Where each segment ends in the file.
    pub ends: Vec<usize>,
    /// When each begins and ends.
    pub spans: Vec<(DateTime<Utc>, DateTime<Utc>)>,
    /// Orders that were carried out, when, and after how many segments.
    pub ordered: Vec<(RecordOrder, DateTime<Utc>, usize)>,
    pub why: EndedWhy,
    pub counters: Counters,
    pub first_media: usize,
    /// How often the peer was silent for so long that it was noticed.
    pub silences: usize,
    /// What the ledger gets.
    pub noted: Vec<What>,
}

/// Participants of tests are numbers.
pub fn participant(number: u128) -> ParticipantId {
    ParticipantId::from(Uuid::from_u128(number))
}

/// Of no record: these rooms have none.
pub fn seat(number: u128) -> Seat {
    Seat::unrecorded(SessionId::from(Uuid::from_u128(9)), participant(number))
}

pub fn publication(number: u128) -> Publication {
    Publication {
        session: SessionId::from(Uuid::from_u128(9)),
        participant: participant(number),
        track: format!("caller-{number}").parse().unwrap(),
        recording: Stands::On,
        yields: false,
    }
}

impl Room {
    pub async fn open() -> Self {
        Self::with(MediaConfig { listen: "127.0.0.1:0".parse().unwrap(), advertise: Vec::new(), tcp: true }).await
    }

    pub async fn with(config: MediaConfig) -> Self {
        let (sender, events) = unbounded_channel();
        let media = Media::start(config, Clock::system(), Entropy::seeded(1), sender).unwrap();
        let app = Router::new()
            .route("/whip/{me}", post(whip))
            .route("/unnamed/whip/{me}", post(unnamed_whip))
            .route("/whep/{me}/{publisher}", post(whep))
            .route("/resource/{id}", delete(gone).patch(patched))
            .with_state(media.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let http = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { media, events, http }
    }

    pub fn phone(&self, number: u128) -> Phone {
        self.phone_at(number, "whip")
    }

    /// One whose offer comes without a word of its SSRCs.
    pub fn unnamed_phone(&self, number: u128) -> Phone {
        self.phone_at(number, "unnamed/whip")
    }

    fn phone_at(&self, number: u128, whip: &str) -> Phone {
        let me = participant(number);
        Phone::new(Pass {
            participant_id: me.to_string(),
            token: "none".to_owned(),
            whip_url: format!("http://{}/{whip}/{number}", self.http),
            whep_url: format!("http://{}/whep/{number}", self.http),
            events_url: String::new(),
        })
    }

    /// Waits for a publication's end, whatever came before; gives what became of its packets.
    pub async fn ended(&mut self) -> Counters {
        loop {
            let event = tokio::time::timeout(Duration::from_secs(40), self.events.recv()).await.expect("no end came");
            if let MediaEvent::PublicationEnded { counters, .. } = event.expect("the loop ended before the publication")
            {
                return counters;
            }
        }
    }

    /// Collects a publication's segments until its end.
    pub async fn recording(&mut self) -> Recording {
        let (mut file, mut ends, mut first_media, mut silences) = (Vec::new(), Vec::new(), 0, 0);
        let (mut noted, mut spans, mut ordered) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            let event = tokio::time::timeout(Duration::from_secs(40), self.events.recv()).await.expect("no end came");
            match event.expect("the loop ended before the publication") {
                MediaEvent::Segment(segment) => {
                    assert_eq!(segment.seq, ends.len() as u64, "segments count up from 0");
                    assert!(segment.starts_at <= segment.ends_at);
                    assert!(segment.ends_at - segment.starts_at < chrono::TimeDelta::seconds(1), "a second at most");
                    file.extend_from_slice(&segment.bytes);
                    ends.push(file.len());
                    spans.push((segment.starts_at, segment.ends_at));
                }
                MediaEvent::Instructed { instruction, at } => ordered.push((instruction.order, at, ends.len())),
                MediaEvent::FirstMedia { .. } => first_media += 1,
                MediaEvent::Disconnected { .. } => silences += 1,
                MediaEvent::Noted(note) => noted.push(note.what),
                MediaEvent::PublicationEnded { segments, why, counters, .. } => {
                    assert_eq!(segments, ends.len() as u64);
                    return Recording { file, ends, spans, ordered, why, counters, first_media, silences, noted };
                }
                _ => {}
            }
        }
    }
}

async fn whip(State(media): State<Media>, Part(me): Part<u128>, offer: String) -> Response {
    reply(media.publish(publication(me), offer).await)
}

async fn unnamed_whip(media: State<Media>, me: Part<u128>, offer: String) -> Response {
    whip(media, me, unnamed(&offer)).await
}

async fn whep(State(media): State<Media>, Part((me, publisher)): Part<(u128, Uuid)>, offer: String) -> Response {
    reply(media.watch(seat(me), ParticipantId::from(publisher), offer).await)
}

async fn gone(State(media): State<Media>, Part(id): Part<String>) -> StatusCode {
    media.close(id.parse().unwrap()).await;
    StatusCode::OK
}

async fn patched(State(media): State<Media>, Part(id): Part<String>, fragment: String) -> Response {
    match media.patch(id.parse().unwrap(), Condition::Any, fragment).await {
        Ok(Patched::Restarted { fragment, etag }) => ([(header::ETAG, etag)], fragment).into_response(),
        other => (StatusCode::BAD_REQUEST, format!("{other:?}")).into_response(),
    }
}

fn reply(answer: Result<Answer, MediaError>) -> Response {
    match answer {
        Ok(answer) => {
            let location = format!("/resource/{}", answer.resource);
            (StatusCode::CREATED, [(header::LOCATION, location), (header::ETAG, answer.etag)], answer.sdp)
                .into_response()
        }
        Err(error) => (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    }
}

/// What ffprobe, having decoded everything, found.
#[derive(Debug, PartialEq, Eq)]
pub struct Probed {
    pub video_frames: u64,
    pub audio_frames: u64,
    /// How long after the first sound the first picture is, in milliseconds.
    pub picture_after_sound: i64,
    pub complaints: String,
}

/// Decodes a file with ffprobe.
///
/// # Panics
/// When ffprobe is not installed: these tests can't be skipped.
pub fn probe(file: &[u8]) -> Probed {
    let (path, _keep) = saved(file);
    let show = "stream=codec_type,nb_read_frames,start_time";
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-count_frames", "-show_entries", show, "-of", "compact=p=0"])
        .arg(&path)
        .output()
        .expect("ffprobe must be installed (Debian: apt-get install ffmpeg)");
    let (text, complaints) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    let of = |kind: &str, key: &str| -> Option<String> {
        let line = text.lines().find(|line| line.contains(&format!("codec_type={kind}")))?;
        line.split('|').find_map(|pair| pair.strip_prefix(&format!("{key}="))).map(ToOwned::to_owned)
    };
    let frames = |kind| of(kind, "nb_read_frames").and_then(|count| count.parse().ok()).unwrap_or(0);
    let start = |kind| of(kind, "start_time").and_then(|at| at.parse::<f64>().ok()).unwrap_or(0.0);
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds of a short clip")]
    let picture_after_sound = ((start("video") - start("audio")) * 1_000.0) as i64;
    Probed { video_frames: frames("video"), audio_frames: frames("audio"), picture_after_sound, complaints }
}

fn saved(file: &[u8]) -> (std::path::PathBuf, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let path = Path::new(dir.path()).join("recording.mkv");
    std::fs::File::create(&path).unwrap().write_all(file).unwrap();
    (path, dir)
}

/// What Chromium offers to publish sound and picture.
pub fn chromium() -> String {
    include_str!("chromium.sdp").replace('\n', "\r\n")
}

/// An offer that names no SSRC, as no offer has to.
pub fn unnamed(offer: &str) -> String {
    offer.split_inclusive('\n').filter(|line| !line.starts_with("a=ssrc")).collect()
}

/// What Safari offers on iOS 15, made from RFC 8829 and 6184 in Safari's shape: H.264 High first, and only names for candidates.
pub fn iphone_15() -> String {
    include_str!("iphone_15.sdp").replace('\n', "\r\n")
}

/// The same on iOS 17: both packetization modes, and H.265.
pub fn iphone_17() -> String {
    include_str!("iphone_17.sdp").replace('\n', "\r\n")
}

/// Is ffprobe's complaint only that the file ends early?
pub fn nothing_but_cut(complaints: &str) -> bool {
    complaints.lines().all(|line| line.contains("File ended prematurely") || line.contains("Truncating packet"))
}
