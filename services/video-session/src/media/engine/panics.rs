//! A panic costs whoever it happens to their connection, and nobody else anything.
#![allow(clippy::unwrap_used)]

use rtc::rtp;

use super::{
    abuse::{address, check},
    *,
};
use crate::media::{Answer, bare};

const OFFER: &str = include_str!("../../../tests/media_support/chromium.sdp");

/// A publisher whose connection panics, another, and somebody who watches each.
struct Call {
    engine: Engine,
    told: tokio::sync::mpsc::UnboundedReceiver<MediaEvent>,
    publishers: [Answer; 2],
    now: Instant,
}

impl Call {
    fn begin() -> Self {
        let ((mut engine, told), now) = (bare::engine(), Instant::now());
        let publishers = [1, 2].map(|number| engine.publish(now, bare::publication(number), OFFER).unwrap());
        let offer = OFFER.replace("a=sendonly", "a=recvonly");
        for number in [1, 2] {
            engine.watch(now, bare::seat(3), bare::participant(number), &offer).unwrap();
        }
        engine.wake(now);
        let mut call = Self { engine, told, publishers, now };
        call.is_heard(1);
        call.other_speaks(0..10);
        call.engine.peers.get_mut(&call.publishers[0].resource).unwrap().panics = true;
        call
    }

    /// A check of this phone's, with this number.
    fn check(&mut self, phone: usize, number: u32) {
        let check = check(&self.publishers[phone].sdp, number);
        assert!(self.engine.datagram(self.now, address(u32::try_from(phone).unwrap()), &check));
    }

    /// The other phone is answered.
    fn is_heard(&mut self, number: u32) {
        self.check(1, number);
        self.engine.wake(self.now);
        let out = std::mem::take(&mut self.engine.out);
        assert!(out.iter().any(|(to, _)| *to == address(1)));
    }

    fn other_speaks(&mut self, numbers: std::ops::Range<u16>) {
        for number in numbers {
            let timestamp = u32::from(number) * 960;
            let header =
                rtp::Header { payload_type: 111, sequence_number: number, timestamp, ssrc: 7, ..Default::default() };
            let packet = rtp::Packet { header, payload: vec![1; 80].into() };
            self.engine.rtp(self.now, self.publishers[1].resource, packet);
        }
    }

    /// Only the one is gone, with whoever watched it; the other's media is all there.
    fn goes_on(mut self) {
        let [gone, other] = self.publishers.each_ref().map(|answer| answer.resource);
        assert!(!self.engine.peers.contains_key(&gone) && self.engine.peers.len() == 2);
        self.is_heard(2);
        self.other_speaks(10..20);
        self.engine.end(self.now, other, EndedWhy::Closed);
        assert!(self.engine.peers.is_empty() && self.engine.by_address.is_empty() && self.engine.by_ufrag.is_empty());
        let told: Vec<_> = std::iter::from_fn(|| self.told.try_recv().ok()).collect();
        let ended = told.iter().filter_map(|event| match event {
            MediaEvent::PublicationEnded { participant, why, counters, .. } => {
                Some((*participant, *why, counters.audio_packets))
            }
            _ => None,
        });
        let of = bare::participant;
        assert_eq!(ended.collect::<Vec<_>>(), [(of(1), EndedWhy::Failed, 0), (of(2), EndedWhy::Closed, 20)]);
        let left = told.iter().filter(|event| matches!(event, MediaEvent::ViewerEnded { .. })).count();
        assert_eq!(left, 2, "their seats are free");
    }
}

#[test]
fn a_panic_over_what_came_in_ends_one_publication() {
    let mut call = Call::begin();
    call.check(0, 1);
    call.goes_on();
}

#[test]
fn a_panic_when_its_time_has_come_ends_one_publication() {
    let mut call = Call::begin();
    call.now += Duration::from_secs(5);
    call.engine.wake(call.now);
    call.goes_on();
}
