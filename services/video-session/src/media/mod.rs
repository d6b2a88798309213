//! The media core behind one door: SDP in, SDP out, events out. One thread, one port, `rtc`'s sans-I/O core inside.
//!
//! WHIP and WHEP never renegotiate, so a resource is one offer, one answer, some trickled candidates, perhaps another ICE
//! session, and a close.
//! Everything that touches a packet happens on the socket loop's thread; this handle only sends it commands.
//!
//! Why `rtc`, and what it costs: two-way calls of 1 Mb/s and Opus, recorded and forwarded, everything on; percent of a core a call,
//! each beside Janus 1.1.2 (two event loops) in the same run, of `bench --only crowd` (`docs/performance.md` has the rest).
//!
//! | 10 calls, on a machine that other builds kept busy | | Janus | |
//! |---|---|---|---|
//! | a system call a packet, every connection looked at after each | 1.41, 1.47, 1.54 | 1.37, 1.64, 1.72 | 1.03, 0.90, 0.90 |
//! | by the batch, alarms, no sweep for media that only came in | 1.27, 1.44 | | |
//! | `rtc`'s parts driven without its peer connection (`connection`) | 1.13, 1.20 | 1.90, 1.90 | 0.59, 0.63 |
//! | and beats of 2 ms, and a spool that appends | 1.02 | 1.78 | 0.57 |
//! | **nothing else at work, 10 calls** | 0.83 | 1.92 | 0.43 |
//! | **nothing else at work, 50 calls** | 0.66 | 1.49 | 0.44 |
//!
//! So 0.6 is reached with `rtc`, and `str0m` was not needed. One thread for all calls of an instance: more calls are more instances. On
//! a machine that other builds kept busy two fifths of the thread's time were the kernel, a tenth to wake the thread; memmove took 4%,
//! the allocator 7%, and nothing else above 3%. Each packet is still copied where `rtc` decrypts and encrypts it.

mod alarms;
mod answer;
#[cfg(any(test, fuzzing))]
mod bare;
mod batch;
mod cap;
mod checks;
mod command;
mod connection;
mod cover;
mod endpoint;
mod ends;
mod engine;
mod error;
mod estimate;
mod event;
mod extend;
mod forward;
mod fragment;
mod frames;
#[cfg(fuzzing)]
pub mod fuzz;
mod gate;
mod h264;
mod hold;
mod keyframe;
mod matroska;
mod nack;
mod negotiate;
mod noted;
mod open;
mod patch;
mod path;
mod peer;
mod plea;
mod publisher;
mod record;
mod recorder;
mod reorder;
mod rtx;
mod seat;
mod section;
mod settling;
mod shown;
mod socket;
mod sps;
mod stream;
mod stun;
mod tcp;
mod timeline;
mod viewer;
mod vp8;

use std::{
    fmt, io,
    net::{IpAddr, SocketAddr},
};

use chassis::{Clock, Entropy};
pub use cover::Tapped;
pub use error::MediaError;
pub use event::{Counters, EndedWhy, Instruction, MediaEvent, RecordedFrame, RecordedSegment};
use ids::{ParticipantId, SessionId, TrackName};
pub use matroska::VOID;
pub use noted::{Medium, Noted, What, Why};
pub use patch::{Condition, Patched};
pub use plea::Plea;
pub use seat::Seat;
use tokio::sync::{
    mpsc::{self, UnboundedSender},
    oneshot,
};

use self::{command::Command, endpoint::Endpoint, socket::Sockets};
use crate::domain::{Covering, Pleas, Recording};

/// Where the media socket listens, and what it tells the phones.
#[derive(Debug, Clone)]
pub struct MediaConfig {
    /// The one port of all sessions.
    pub listen: SocketAddr,
    /// Addresses offered as candidates, with the socket's port; empty means the listen address itself.
    pub advertise: Vec<IpAddr>,
    /// Whether it listens on TCP, too, for phones whose network lets no UDP through.
    pub tcp: bool,
}

/// What a participant publishes, and where its recording belongs.
#[derive(Debug, Clone)]
pub struct Publication {
    /// The session it belongs to.
    pub session: SessionId,
    /// Who publishes.
    pub participant: ParticipantId,
    /// The recording's track within the exhibit.
    pub track: TrackName,
    /// Whether it is recorded, as far as the database knows. It is forwarded in any case.
    pub recording: Recording,
    /// May be asked to send less for a viewer's sake. Not the caller: see `media/cap.rs`.
    pub yields: bool,
}

/// One WHIP or WHEP resource. Random: who knows it may close it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceId(u128);

/// The answer to an offer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The SDP answer, candidates included.
    pub sdp: String,
    /// The resource just made, for its `Location`.
    pub resource: ResourceId,
    /// The ICE session's tag (RFC 9725, section 4.3.1).
    pub etag: String,
}

/// A handle to the media loop. Clones are the same loop.
#[derive(Debug, Clone)]
pub struct Media {
    commands: UnboundedSender<Command>,
    local: SocketAddr,
}

/// Sound or picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Audio,
    Video,
}

impl Kind {
    /// As in "m=".
    fn name(self) -> &'static str {
        match self {
            Self::Audio => "audio",
            Self::Video => "video",
        }
    }

    /// As the ledger has it.
    fn medium(self) -> Medium {
        match self {
            Self::Audio => Medium::Audio,
            Self::Video => Medium::Video,
        }
    }
}

impl Media {
    /// Binds the socket and starts the loop's thread.
    ///
    /// # Errors
    /// When the socket can't be bound or the thread can't be started.
    pub fn start(
        config: MediaConfig,
        clock: Clock,
        entropy: Entropy,
        events: UnboundedSender<MediaEvent>,
    ) -> io::Result<Self> {
        let sockets = Sockets::bind(config.listen, config.tcp)?;
        let local = sockets.local_addr()?;
        let mut addresses = config.advertise;
        if addresses.is_empty() {
            addresses.push(local.ip());
        }
        if addresses.iter().any(IpAddr::is_unspecified) {
            let reason = "phones can't be told to send to the unspecified address: set the addresses to advertise";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
        }
        let ends = addresses.into_iter().map(|address| SocketAddr::new(address, local.port()));
        let ends = ends.flat_map(|end| [Some(Endpoint::udp(end)), config.tcp.then(|| Endpoint::tcp(end))]);
        let candidates = ends.flatten().collect();
        let engine = engine::Engine::new(clock, entropy, candidates, events);
        let (commands, receiver) = mpsc::unbounded_channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new().name("media".to_owned()).spawn(move || {
            if let Err(error) = runtime.block_on(socket::run(sockets, engine, receiver)) {
                tracing::error!(%error, "the media loop failed");
            }
        })?;
        Ok(Self { commands, local })
    }

    /// The bound address, with the real port.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// WHIP: a participant publishes.
    ///
    /// # Errors
    /// A malformed offer, or no codec in common.
    pub async fn publish(&self, publication: Publication, offer: String) -> Result<Answer, MediaError> {
        self.ask(|answer| Command::Publish { publication, offer, answer }).await?
    }

    /// WHEP: whoever has the seat watches what another publishes.
    ///
    /// # Errors
    /// A malformed offer, the publisher's codec not offered, or nothing published.
    pub async fn watch(&self, seat: Seat, publisher: ParticipantId, offer: String) -> Result<Answer, MediaError> {
        self.ask(|answer| Command::Watch { seat, publisher, offer, answer }).await?
    }

    /// PATCH: candidates that came after the offer, or an ICE restart (RFC 8840 fragment).
    ///
    /// # Errors
    /// An unknown resource, another ICE session than the condition's, a fragment that isn't one, or a restart that can't be
    /// done; the ICE session then goes on as it was.
    pub async fn patch(
        &self,
        resource: ResourceId,
        condition: Condition,
        fragment: String,
    ) -> Result<Patched, MediaError> {
        self.ask(|done| Command::Patch { resource, condition, fragment, done }).await?
    }

    /// Pauses the recording of a session, goes on with it, or stops it for good: done when this returns.
    ///
    /// # Errors
    /// When it would be recorded against the caller's will.
    pub async fn record(&self, instruction: Instruction) -> Result<Recording, MediaError> {
        Ok(self.ask(|done| Command::Record { instruction, done }).await??)
    }

    /// A caller's page says what it shows: done when this returns. False: that was known, or overtaken.
    ///
    /// # Errors
    /// When the loop is shutting down.
    pub async fn tap(&self, tapped: Tapped) -> Result<bool, MediaError> {
        self.ask(|done| Command::Tap { tapped, done }).await
    }

    /// A caller asks for help: it is told of when this returns. False: that was known, or overtaken.
    ///
    /// # Errors
    /// When the loop is shutting down.
    pub async fn plead(&self, plea: Plea) -> Result<bool, MediaError> {
        self.ask(|done| Command::Plead { plea, done }).await
    }

    /// The rows say how far a caller's pleas are counted: to be told before anybody publishes, and whenever they change.
    pub fn pleas(&self, pleas: Pleas) {
        // A loop that is gone counts nothing.
        let _ = self.commands.send(Command::Pleas { pleas });
    }

    /// The rows say whether a session is covered: to be told before anybody publishes or watches, and whenever they change.
    pub fn cover(&self, covering: Covering) {
        // A loop that is gone forwards nothing.
        let _ = self.commands.send(Command::Cover { covering });
    }

    /// The recorded picture that was stamped so, or the one before it. Waits until its segment is whole: a second or so.
    ///
    /// # Errors
    /// When that participant publishes nothing, or no such picture is in the recording.
    pub async fn frame(&self, publisher: ParticipantId, rtp_timestamp: u32) -> Result<RecordedFrame, MediaError> {
        self.ask(|answer| Command::Frame { publisher, rtp_timestamp, answer }).await?
    }

    /// A session is over: what was ordered about it need not be known any longer.
    pub fn forget(&self, session: SessionId) {
        // A loop that is gone has forgotten everything.
        let _ = self.commands.send(Command::Forget { session });
    }

    /// DELETE. Returns once the resource is gone, its recording flushed and its last event sent. False: it was gone before.
    pub async fn close(&self, resource: ResourceId) -> bool {
        // Whoever is shutting down has closed it.
        self.ask(|done| Command::Close { resource, done }).await.unwrap_or(true)
    }

    /// Closes every resource, flushes every recording and ends the loop.
    pub async fn shutdown(self) {
        let _ = self.ask(|done| Command::Shutdown { done }).await;
    }

    /// Returns once the loop has ended: told to, or because its thread has died and with it every call of this instance.
    pub async fn ended(&self) {
        self.commands.closed().await;
    }

    #[cfg(test)]
    pub(crate) fn die(&self) {
        let _ = self.commands.send(Command::Die);
    }

    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Result<T, MediaError> {
        let (sender, receiver) = oneshot::channel();
        self.commands.send(command(sender)).map_err(|_| MediaError::ShuttingDown)?;
        receiver.await.map_err(|_| MediaError::ShuttingDown)
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl std::str::FromStr for ResourceId {
    type Err = ids::Malformed;

    fn from_str(text: &str) -> Result<Self, ids::Malformed> {
        let malformed = ids::Malformed { kind: "resource id", rule: "32 lower-case hexadecimal digits" };
        if text.len() != 32 || !text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(malformed);
        }
        u128::from_str_radix(text, 16).map(Self).map_err(|_| malformed)
    }
}
