//! What a phone of the crowd sends: 1 Mb/s of VP8 in 30 pictures a second and Opus in 50 packets a second, made once. Only the
//! numbers in front and a time stamp within change from packet to packet.

use std::time::Duration;

use bytes::BytesMut;
use rtc::{
    rtcp::{
        packet,
        payload_feedbacks::{full_intra_request::FullIntraRequest, picture_loss_indication::PictureLossIndication},
        sender_report::SenderReport,
    },
    srtp::context::Context,
};

use super::sdp::{PICTURE, SOUND};
use crate::Failure;

/// From picture to picture.
pub const PICTURE_EVERY: Duration = Duration::from_nanos(1_000_000_000 / 30);
/// From sound to sound.
pub const SOUND_EVERY: Duration = Duration::from_millis(20);
/// A picture's packets, and what is in each: a browser makes them equally long. 30 x 4 x 1,042 bytes are 1 Mb.
const PARTS: usize = 4;
const PART: usize = 1_042;
/// 32 kb/s.
const SOUND_BYTES: usize = 80;
/// Where in each payload its time stamp is: behind what a recorder reads.
pub const STAMP: usize = 16;
/// A VP8 descriptor that begins a picture; then a picture's tag, start code and size (640 x 360): a key frame.
const KEY: [u8; 11] = [0x10, 0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01];
const FIXED_HEADER: usize = 12;

/// The camera and its microphone.
pub struct Camera {
    picture: Track,
    sound: Track,
    /// The extension's number and the next transport-wide number.
    wide: Option<(u8, u16)>,
    /// A key frame has been asked for, or is the first one.
    key: bool,
}

struct Track {
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    /// How much later the next packet's media is, in the track's own units.
    step: u32,
    packets: u32,
    octets: u32,
    /// A packet as it will be, before protection.
    plain: Vec<u8>,
    header: usize,
}

impl Track {
    fn new(ssrc: u32, payload_type: u8, step: u32, payload: usize, wide: Option<u8>) -> Self {
        let mut plain = vec![if wide.is_some() { 0x90 } else { 0x80 }, payload_type, 0, 0, 0, 0, 0, 0];
        plain.extend(ssrc.to_be_bytes());
        if let Some(id) = wide {
            plain.extend([0xbe, 0xde, 0, 1, (id << 4) | 1, 0, 0, 0]);
        }
        let header = plain.len();
        // Anything but zeros: a disk may compress.
        plain.extend((0..payload).scan(ssrc, |state, _| {
            *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            Some(state.to_be_bytes()[0])
        }));
        Self { ssrc, sequence: 1, timestamp: ssrc, step, packets: 0, octets: 0, plain, header }
    }

    fn next(
        &mut self,
        keys: &mut Context,
        wide: &mut Option<(u8, u16)>,
        last: bool,
        at: i64,
    ) -> Result<BytesMut, Failure> {
        self.plain[1] = (self.plain[1] & 0x7f) | (u8::from(last) << 7);
        self.plain[2..4].copy_from_slice(&self.sequence.to_be_bytes());
        self.plain[4..8].copy_from_slice(&self.timestamp.to_be_bytes());
        if let Some((_, number)) = wide {
            self.plain[FIXED_HEADER + 5..FIXED_HEADER + 7].copy_from_slice(&number.to_be_bytes());
            *number = number.wrapping_add(1);
        }
        let stamp = self.header + STAMP;
        self.plain[stamp..stamp + 8].copy_from_slice(&at.to_be_bytes());
        self.sequence = self.sequence.wrapping_add(1);
        self.packets += 1;
        self.octets += u32::try_from(self.plain.len() - self.header)?;
        if last {
            self.timestamp = self.timestamp.wrapping_add(self.step);
        }
        Ok(keys.encrypt_rtp(&self.plain)?)
    }

    /// Media of the next step is of `at`: microseconds since 1970.
    fn report(&self, at: i64) -> SenderReport {
        let (seconds, micros) = (at.div_euclid(1_000_000), at.rem_euclid(1_000_000));
        // The era of NTP began in 1900.
        let ntp_time = ((seconds + 2_208_988_800).cast_unsigned() << 32) | ((micros.cast_unsigned() << 32) / 1_000_000);
        let (packet_count, octet_count) = (self.packets, self.octets);
        SenderReport {
            ssrc: self.ssrc,
            ntp_time,
            rtp_time: self.timestamp,
            packet_count,
            octet_count,
            ..SenderReport::default()
        }
    }
}

impl Camera {
    /// With SSRCs of sound and picture, numbering packets transport-wide if that was agreed on.
    pub fn new([sound, picture]: [u32; 2], wide: Option<u8>) -> Self {
        Self {
            picture: Track::new(picture, PICTURE, 90_000 / 30, PART, wide),
            sound: Track::new(sound, SOUND, 48_000 / 50, SOUND_BYTES, wide),
            wide: wide.map(|id| (id, 1)),
            key: true,
        }
    }

    /// The next picture's packets; `now` is asked for each one's time.
    pub fn picture(
        &mut self,
        keys: &mut Context,
        now: impl Fn() -> i64,
        mut send: impl FnMut(i64, &[u8]),
    ) -> Result<(), Failure> {
        let key = std::mem::take(&mut self.key);
        let header = self.picture.header;
        for part in 0..PARTS {
            let start = &mut self.picture.plain[header..header + KEY.len()];
            start.copy_from_slice(&KEY);
            if part > 0 {
                start[0] = 0;
            } else if !key {
                start[1] |= 1;
            }
            let at = now();
            send(at, &self.picture.next(keys, &mut self.wide, part + 1 == PARTS, at)?);
        }
        Ok(())
    }

    /// The next packet of sound.
    pub fn sound(
        &mut self,
        keys: &mut Context,
        now: impl Fn() -> i64,
        mut send: impl FnMut(i64, &[u8]),
    ) -> Result<(), Failure> {
        let at = now();
        // Sound has its marker at its beginning only; here a packet is a step.
        let packet = self.sound.next(keys, &mut self.wide, true, at)?;
        send(at, &packet);
        Ok(())
    }

    /// What it says of its clocks once a second.
    pub fn reports(&self, at: i64) -> Vec<Box<dyn packet::Packet>> {
        vec![Box::new(self.picture.report(at)), Box::new(self.sound.report(at))]
    }

    /// What the server says to it.
    pub fn told(&mut self, mut reports: &[u8]) {
        let asks = |one: &dyn packet::Packet| {
            one.as_any().is::<PictureLossIndication>() || one.as_any().is::<FullIntraRequest>()
        };
        self.key |= packet::unmarshal(&mut reports).is_ok_and(|packets| packets.iter().any(|one| asks(one.as_ref())));
    }
}
