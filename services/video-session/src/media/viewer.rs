//! A viewer's side of forwarding: the publisher's packets under the viewer's own SSRC and payload type, untouched inside.
//! A picture that is held leaves no hole: the sequence numbers after it follow on those before.

use std::time::{Duration, Instant};

use ids::ParticipantId;
use rtc::{
    rtcp::sender_report::SenderReport,
    rtp::{Header, Packet},
};

use super::{
    Kind, ResourceId, Seat,
    estimate::{Budget, HEADERS},
    frames,
    hold::Hold,
    negotiate::VideoCodec,
};

/// Who watches what.
pub(super) struct Viewer {
    pub(super) seat: Seat,
    pub(super) publisher: ResourceId,
    /// Whose that is.
    pub(super) whom: ParticipantId,
    pub(super) picture: Option<Shown>,
    pub(super) sound: Option<Outlet>,
    pub(super) budget: Budget,
    needs: Needs,
    /// They have covered the call: nothing goes to them.
    is_hidden: bool,
}

/// What sound and picture together would need, the held picture included.
#[derive(Default)]
struct Needs {
    since: Option<Instant>,
    bytes: u64,
    /// Bits a second, over the last whole second.
    rate: u64,
}

impl Needs {
    fn add(&mut self, packet: &Packet) {
        self.bytes += (packet.payload.len() + HEADERS) as u64;
    }

    fn rate(&mut self, now: Instant) -> u64 {
        let passed = now - *self.since.get_or_insert(now);
        if passed >= Duration::from_secs(1) {
            self.rate = self.bytes * 8_000 / u64::try_from(passed.as_millis()).unwrap_or(u64::MAX);
            (self.since, self.bytes) = (Some(now), 0);
        }
        self.rate
    }
}

/// A picture towards a viewer.
pub(super) struct Shown {
    outlet: Outlet,
    codec: VideoCodec,
    hold: Hold,
    /// It goes on with the next key frame.
    awaits_key: bool,
}

/// One stream towards a viewer.
pub(super) struct Outlet {
    ssrc: u32,
    payload_type: u8,
    packets: u32,
    octets: u32,
    /// How much lower our sequence numbers are than the publisher's.
    offset: u16,
    /// Ours, of the newest packet.
    newest: Option<u16>,
    /// The publisher's, of the packet that it went on with: what comes later, but is older, is dropped.
    resumed: Option<u16>,
    /// The next packet is one that it goes on with.
    goes_on: bool,
}

/// Sequence numbers further apart than this are a stream restarted, or wrapped around since.
const NEAR: u16 = 1 << 14;

impl Outlet {
    pub(super) fn new(ssrc: u32, payload_type: u8) -> Self {
        Self { ssrc, payload_type, packets: 0, octets: 0, offset: 0, newest: None, resumed: None, goes_on: false }
    }

    /// Timestamps stay the publisher's; its header extensions were never negotiated here.
    fn packet(&mut self, packet: &Packet) -> Option<Packet> {
        let theirs = packet.header.sequence_number;
        if std::mem::take(&mut self.goes_on) {
            self.resume(packet);
        }
        if let Some(resumed) = self.resumed {
            if resumed.wrapping_sub(theirs).wrapping_sub(1) < NEAR {
                return None;
            }
            if theirs.wrapping_sub(resumed) > NEAR {
                self.resumed = None;
            }
        }
        let sequence_number = theirs.wrapping_sub(self.offset);
        if self.newest.is_none_or(|newest| sequence_number.wrapping_sub(newest).cast_signed() > 0) {
            self.newest = Some(sequence_number);
        }
        self.packets = self.packets.wrapping_add(1);
        self.octets = self.octets.wrapping_add(u32::try_from(packet.payload.len()).unwrap_or_default());
        Some(Packet {
            header: Header {
                version: 2,
                padding: packet.payload.is_empty(),
                marker: packet.header.marker,
                payload_type: self.payload_type,
                sequence_number,
                timestamp: packet.header.timestamp,
                ssrc: self.ssrc,
                ..Header::default()
            },
            payload: packet.payload.clone(),
        })
    }

    /// Goes on with this packet as if nothing had been left out.
    fn resume(&mut self, packet: &Packet) {
        let theirs = packet.header.sequence_number;
        if let Some(newest) = self.newest {
            self.offset = theirs.wrapping_sub(newest.wrapping_add(1));
        }
        self.resumed = Some(theirs);
    }

    fn report(&self, report: &SenderReport) -> SenderReport {
        SenderReport {
            ssrc: self.ssrc,
            packet_count: self.packets,
            octet_count: self.octets,
            reports: Vec::new(),
            ..report.clone()
        }
    }
}

impl Shown {
    pub(super) fn new(outlet: Outlet, codec: VideoCodec) -> Self {
        Self { outlet, codec, hold: Hold::default(), awaits_key: false }
    }

    fn packet(&mut self, packet: &Packet) -> Option<Packet> {
        if self.hold.is_held() {
            return None;
        }
        if self.awaits_key {
            if !frames::starts_key_frame(self.codec, &packet.payload) {
                return None;
            }
            self.awaits_key = false;
            self.outlet.resume(packet);
        }
        self.outlet.packet(packet)
    }
}

impl Viewer {
    pub(super) fn new(seat: Seat, publisher: ResourceId, whom: ParticipantId) -> Self {
        let (budget, needs) = (Budget::default(), Needs::default());
        Self { seat, publisher, whom, picture: None, sound: None, budget, needs, is_hidden: false }
    }

    /// Shows and plays nothing from here on; or goes on, the sound at once and the picture with the next key frame.
    pub(super) fn hide(&mut self, is_hidden: bool) {
        if std::mem::replace(&mut self.is_hidden, is_hidden) && !is_hidden {
            if let Some(picture) = &mut self.picture {
                picture.awaits_key = true;
            }
            if let Some(sound) = &mut self.sound {
                sound.goes_on = true;
            }
        }
    }

    pub(super) fn packet(&mut self, kind: Kind, packet: &Packet) -> Option<Packet> {
        if self.is_hidden {
            return None;
        }
        self.needs.add(packet);
        match kind {
            Kind::Audio => self.sound.as_mut()?.packet(packet),
            Kind::Video => self.picture.as_mut()?.packet(packet),
        }
    }

    pub(super) fn report(&self, kind: Kind, report: &SenderReport) -> Option<SenderReport> {
        let outlet = match kind {
            Kind::Audio => self.sound.as_ref(),
            Kind::Video => self.picture.as_ref().map(|picture| &picture.outlet),
        };
        Some(outlet.filter(|_| !self.is_hidden)?.report(report))
    }

    /// Does it show a picture, or would it if it had one?
    pub(super) fn shows(&self) -> bool {
        !self.is_hidden && !self.is_held()
    }

    pub(super) fn is_held(&self) -> bool {
        self.picture.as_ref().is_some_and(|picture| picture.hold.is_held())
    }

    /// Whether it shows nothing until a key frame comes.
    pub(super) fn awaits_key_frame(&self) -> bool {
        self.shows() && self.picture.as_ref().is_some_and(|picture| picture.awaits_key)
    }

    /// Looks at what its path carries. `Some`: the picture is held, or not, from now on. Without sound there is nothing to
    /// hold it for.
    pub(super) fn look(&mut self, now: Instant) -> Option<bool> {
        let needed = self.needs.rate(now);
        let picture = self.picture.as_mut().filter(|_| self.sound.is_some() && !self.is_hidden)?;
        let held = picture.hold.look(now, self.budget.limit(), needed)?;
        picture.awaits_key = true;
        self.budget.set_sound_only(held);
        Some(held)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn packet(sequence_number: u16, payload: &'static [u8]) -> Packet {
        Packet { header: Header { sequence_number, ..Header::default() }, payload: Bytes::from_static(payload) }
    }

    #[test]
    fn a_held_picture_leaves_no_hole() {
        const KEY: &[u8] = &[0x10, 0x00];
        const DELTA: &[u8] = &[0x10, 0x01];
        let mut shown = Shown::new(Outlet::new(7, 96), VideoCodec::Vp8);
        let forward = |shown: &mut Shown, sequence: u16, payload: &'static [u8]| {
            shown.packet(&packet(sequence, payload)).map(|packet| packet.header.sequence_number)
        };
        assert_eq!(forward(&mut shown, 65_534, KEY), Some(65_534));
        assert_eq!(forward(&mut shown, 0, DELTA), Some(0));
        assert_eq!(forward(&mut shown, 65_535, DELTA), Some(65_535), "late, but in time");
        shown.awaits_key = true;
        assert_eq!(forward(&mut shown, 1, DELTA), None);
        assert_eq!(forward(&mut shown, 100, KEY), Some(1));
        assert_eq!(forward(&mut shown, 99, DELTA), None, "from before");
        assert_eq!(forward(&mut shown, 102, DELTA), Some(3));
        assert_eq!(forward(&mut shown, 101, DELTA), Some(2));
        for far in (1_000..60_000).step_by(1_000) {
            assert_eq!(forward(&mut shown, far, DELTA), Some(far - 99));
        }
        assert_eq!(forward(&mut shown, 50, DELTA), Some(65_487), "it has wrapped around since");
    }
}
