//! What the path to a viewer carries, from its transport-wide feedback: nothing to say while it carries all that is sent;
//! when it is full, how much comes through.
//!
//! A forwarder doesn't choose the rate. It needs no target to grow towards, but to know when the path is full, and to be
//! sure: a picture is held on the strength of it. A path is full when even its quickest packets wait in a queue, or when it
//! loses what no radio loses. Overtaking, and a tenth lost at random, are not that.
//!
//! `rtc`'s own `Gcc` was tried first. Fed 20 s of 800 kb/s it says 2.8 Mb/s where nothing is wrong, and falls to its floor
//! (60 kb/s) not only on a link of 300 kb/s: also with 150 ms of jitter, and with 10% lost at random, where the path carries
//! everything. It would have taken the picture from those who can have it. A viewer that gives no such feedback (`aiortc`,
//! GStreamer) is sent everything.

use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use rtc::{
    interceptor::{Interceptor, Packet, StreamInfo, TaggedPacket, convert_twcc},
    rtcp::transport_feedbacks::{transport_layer_cc::TransportLayerCc, transport_layer_nack::TransportLayerNack},
    sansio::Protocol,
    shared::error::Error,
};

use super::peer::TWCC;

/// A packet's fate is settled once one is known that left so many microseconds later: what overtakes it makes it look lost
/// at first.
const SETTLED: i64 = 200_000;
/// What left in this long before that is judged together.
const JUDGED: i64 = 500_000;
/// So few packets prove nothing.
const FEWEST: usize = 10;
/// No path takes longer, there and back.
const LONGEST: i64 = 5_000_000;
/// The fastest packet of this long, or of twice that, is how long the way takes without any queue.
const REMEMBERED: i64 = 10_000_000;
/// A queue of more microseconds than this in front of the quickest tenth: full.
const STANDING: i64 = 150_000;
/// A short queue, and more of this lost: full too, with little room to wait in.
const SHORT: i64 = 40_000;
const OVERFLOWING: f64 = 0.15;
/// Full, whatever the reason.
const HOPELESS: f64 = 0.3;
/// IP, UDP, SRTP and RTP around a payload.
pub(super) const HEADERS: usize = 28 + 10 + 20;

/// What a path carries, told by the chain to the engine; and what the engine makes of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Budget(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    limit: AtomicU64,
    sound_only: AtomicBool,
}

impl Budget {
    /// Bits a second, when it doesn't carry all that is sent.
    pub(super) fn limit(&self) -> Option<u64> {
        Some(self.0.limit.load(Ordering::Relaxed)).filter(|limit| *limit > 0)
    }

    fn set_limit(&self, limit: Option<u64>) {
        self.0.limit.store(limit.unwrap_or_default(), Ordering::Relaxed);
    }

    /// Only sound is sent from now on, or everything again.
    pub(super) fn set_sound_only(&self, sound_only: bool) {
        self.0.sound_only.store(sound_only, Ordering::Relaxed);
    }

    /// Whether what was lost may be sent again. On a full path that would be lost as well, and the sound with it; and sound
    /// itself is never asked for twice.
    fn allows_repairs(&self) -> bool {
        self.limit().is_none() && !self.0.sound_only.load(Ordering::Relaxed)
    }
}

/// Watches one path: next to the wire, where everything has its transport-wide number.
#[derive(Default)]
pub(super) struct Estimate {
    budget: Budget,
    path: Path,
    /// Where the viewer was heard from last.
    from: Option<SocketAddr>,
    /// SSRC to the number of the header extension.
    extensions: HashMap<u32, u8>,
    read: VecDeque<TaggedPacket>,
    write: VecDeque<TaggedPacket>,
}

impl Estimate {
    pub(super) fn new(budget: &Budget) -> Self {
        Self { budget: budget.clone(), ..Self::default() }
    }

    fn number(&self, packet: &rtc::rtp::Packet) -> Option<u16> {
        let id = self.extensions.get(&packet.header.ssrc)?;
        let value = packet.header.get_extension(*id)?;
        Some(u16::from_be_bytes(value.get(..2)?.try_into().ok()?))
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for Estimate {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, mut packet: TaggedPacket) -> Result<(), Error> {
        if let Packet::Rtcp(compound) = &mut packet.message.packet {
            // Another network has another length: measured by the old one it might look full.
            if self.from.replace(packet.transport.peer_addr) != Some(packet.transport.peer_addr) {
                self.path = Path::default();
            }
            let feedback = compound.iter().filter_map(|one| one.as_any().downcast_ref::<TransportLayerCc>());
            let arrivals: Vec<_> = feedback.flat_map(convert_twcc).collect();
            for (number, arrived) in arrivals.iter().filter_map(|one| Some((one.sequence_number, one.arrival?))) {
                self.path.arrived(number, arrived);
            }
            if !arrivals.is_empty() {
                self.budget.set_limit(self.path.limit());
            }
            if !self.budget.allows_repairs() {
                compound.retain(|one| !one.as_any().is::<TransportLayerNack>());
                // An empty compound means something else to `rtc`.
                if compound.is_empty() {
                    return Ok(());
                }
            }
        }
        self.read.push_back(packet);
        Ok(())
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        self.read.pop_front()
    }

    fn handle_write(&mut self, packet: TaggedPacket) -> Result<(), Error> {
        if let Packet::Rtp(rtp) = &packet.message.packet
            && let Some(number) = self.number(rtp)
        {
            self.path.left(packet.now, number, rtp.payload.len() + HEADERS);
        }
        self.write.push_back(packet);
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.write.pop_front()
    }
}

impl Interceptor for Estimate {
    fn bind_remote_stream(&mut self, _: &StreamInfo) {}

    fn unbind_remote_stream(&mut self, _: &StreamInfo) {}

    fn bind_local_stream(&mut self, info: &StreamInfo) {
        let extension = info.rtp_header_extensions.iter().find(|extension| extension.uri == TWCC);
        if let Some(id) = extension.and_then(|extension| u8::try_from(extension.id).ok()) {
            self.extensions.insert(info.ssrc, id);
        }
    }

    fn unbind_local_stream(&mut self, info: &StreamInfo) {
        self.extensions.remove(&info.ssrc);
    }
}

/// What left, and what is known to have arrived.
#[derive(Default)]
struct Path {
    began: Option<Instant>,
    /// Transport-wide number of the oldest one.
    oldest: u16,
    packets: VecDeque<Sent>,
    /// When the newest one left that is known to have arrived.
    known: i64,
    /// The shortest way of this period, and of the one before; and when this one began. All in microseconds.
    fastest: [Option<i64>; 2],
    period: i64,
}

struct Sent {
    left: i64,
    bytes: usize,
    /// By the viewer's clock.
    arrived: Option<i64>,
}

impl Path {
    fn left(&mut self, now: Instant, number: u16, bytes: usize) {
        let left = micros(now.saturating_duration_since(*self.began.get_or_insert(now)));
        while self.packets.front().is_some_and(|packet| packet.left < left - LONGEST) {
            self.packets.pop_front();
            self.oldest = self.oldest.wrapping_add(1);
        }
        if self.packets.is_empty() {
            self.oldest = number;
        }
        self.packets.push_back(Sent { left, bytes, arrived: None });
        if left >= self.period + REMEMBERED {
            self.fastest = [None, self.fastest[0]];
            self.period = left;
        }
    }

    fn arrived(&mut self, number: u16, at: Duration) {
        let Some(packet) = self.packets.get_mut(usize::from(number.wrapping_sub(self.oldest))) else { return };
        let at = micros(at);
        packet.arrived = Some(at);
        self.known = self.known.max(packet.left);
        let took = at - packet.left;
        self.fastest[0] = Some(self.fastest[0].map_or(took, |fastest| fastest.min(took)));
    }

    /// Bits a second that come through, if that is less than what is sent.
    fn limit(&self) -> Option<u64> {
        let settled = self.known - SETTLED - JUDGED..self.known - SETTLED;
        let judged = || self.packets.iter().filter(|packet| settled.contains(&packet.left));
        let arrived = || judged().filter_map(|packet| Some((packet, packet.arrived?)));
        let (sent, came) = (judged().count(), arrived().count());
        if sent < FEWEST || came == 0 {
            return None;
        }
        let fastest = self.fastest.iter().flatten().min()?;
        let mut queued: Vec<_> = arrived().map(|(packet, at)| at - packet.left - fastest).collect();
        let (_, standing, _) = queued.select_nth_unstable(came / 10);
        let lost = (sent - came) as f64 / sent as f64;
        let full = *standing > STANDING || *standing > SHORT && lost > OVERFLOWING || lost > HOPELESS;
        if !full {
            return None;
        }
        let (first, last) = (arrived().map(|(_, at)| at).min()?, arrived().map(|(_, at)| at).max()?);
        let bits: usize = arrived().map(|(packet, _)| packet.bytes * 8).sum();
        Some(bits as u64 * 1_000_000 / (last - first).max(JUDGED).cast_unsigned())
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use rtc::{interceptor::AttributedPacket, rtcp::receiver_report::ReceiverReport, shared::TransportContext};

    use super::*;

    /// A path that takes 20 ms, and what it does to packets of 1,000 bytes.
    struct Simulated {
        path: Path,
        now: Instant,
        number: u16,
        /// When the link is free, in microseconds.
        free: i64,
        dice: u32,
    }

    /// What the link does.
    #[derive(Default, Clone, Copy)]
    struct Link {
        kbps: Option<i64>,
        /// How long a packet may wait, in milliseconds.
        queue: i64,
        jitter: i64,
        lost_percent: u32,
    }

    impl Simulated {
        fn new() -> Self {
            Self { path: Path::default(), now: Instant::now(), number: 65_500, free: 0, dice: 1 }
        }

        fn throw(&mut self) -> u32 {
            self.dice = self.dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            self.dice >> 16
        }

        /// Sends at so many kb/s for a time, and says what is known at the end of each tenth of a second.
        fn send(&mut self, kbps: i64, tenths: usize, link: Link) -> Vec<Option<u64>> {
            let (began, bytes) = (self.now, 1_000 - HEADERS);
            let each = Duration::from_micros((8_000_000 / kbps).unsigned_abs());
            let (mut said, mut arrivals) = (Vec::new(), Vec::new());
            while said.len() < tenths {
                self.path.left(self.now, self.number, bytes + HEADERS);
                let at = micros(self.now - self.path.began.unwrap());
                let waits = (self.free - at).max(0);
                let lost = self.throw() % 100 < link.lost_percent || link.kbps.is_some() && waits > link.queue * 1_000;
                if !lost {
                    self.free = at + waits + link.kbps.map_or(0, |kbps| 8_000_000 / kbps);
                    let jitter = i64::from(self.throw() % 1_000) * link.jitter;
                    arrivals.push((self.number, self.free + 20_000 + jitter));
                }
                self.number = self.number.wrapping_add(1);
                self.now += each;
                if self.now >= began + Duration::from_millis(100) * (said.len() as u32 + 1) {
                    let now = micros(self.now - self.path.began.unwrap());
                    let told = arrivals.extract_if(.., |(_, arrived)| *arrived <= now);
                    told.for_each(|(number, at)| self.path.arrived(number, Duration::from_micros(at.unsigned_abs())));
                    said.push(self.path.limit());
                }
            }
            said
        }
    }

    #[test]
    fn a_full_path_is_known_within_two_seconds_and_so_is_what_it_carries() {
        for queue in [60, 300, 2_000] {
            let mut simulated = Simulated::new();
            let calm = simulated.send(250, 30, Link { kbps: Some(300), queue, ..Link::default() });
            assert!(calm.iter().all(Option::is_none), "it carries that: {calm:?}");
            let full = simulated.send(600, 40, Link { kbps: Some(300), queue, ..Link::default() });
            let known = full[20..].iter().map(|limit| limit.unwrap_or_default());
            assert!(known.clone().all(|limit| (270_000..330_000).contains(&limit)), "queue {queue}: {full:?}");
            let calm = simulated.send(50, 60, Link { kbps: Some(300), queue, ..Link::default() });
            assert!(calm[45..].iter().all(Option::is_none), "queue {queue}: {calm:?}");
        }
    }

    #[test]
    fn jitter_and_loss_at_random_are_not_a_full_path() {
        for link in [
            Link { jitter: 150, ..Link::default() },
            Link { lost_percent: 10, ..Link::default() },
            Link { jitter: 50, lost_percent: 10, ..Link::default() },
        ] {
            let said = Simulated::new().send(800, 200, link);
            assert!(said.iter().all(Option::is_none), "{said:?}");
        }
    }

    #[test]
    fn another_network_is_measured_by_itself() {
        let now = Instant::now();
        let from = |address: &str| TaggedPacket {
            now,
            transport: TransportContext { peer_addr: address.parse().unwrap(), ..TransportContext::default() },
            message: AttributedPacket::new(Packet::Rtcp(vec![Box::new(ReceiverReport::default())])),
        };
        let mut estimate = Estimate::default();
        estimate.handle_read(from("192.0.2.1:5000")).unwrap();
        estimate.path.left(now, 7, 1_000);
        estimate.handle_read(from("192.0.2.1:5000")).unwrap();
        assert_eq!(estimate.path.packets.len(), 1);
        estimate.handle_read(from("198.51.100.1:5000")).unwrap();
        assert_eq!(estimate.path.packets.len(), 0);
    }

    #[test]
    fn most_of_it_lost_is_full_whatever_the_reason() {
        let said = Simulated::new().send(800, 40, Link { lost_percent: 45, ..Link::default() });
        assert!(said[25..].iter().all(Option::is_some), "{said:?}");
    }
}
