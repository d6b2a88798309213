//! One phone's connection, without I/O: datagrams in, packets out, and the other way. `rtc`'s own parts (ICE, DTLS, SRTP, and what
//! repairs and reports) are driven here one by one: its peer connection, which would do the same, hands each packet by value through
//! eight handlers each way, and sweeps through all of them to ask for one datagram.

pub(super) mod handshake;
mod ice;
pub(super) mod keys;
pub(super) mod receiving;
pub(super) mod sending;
mod streams;

use std::time::Instant;

use bytes::BytesMut;
use rtc::{
    ice::state::ConnectionState,
    interceptor::Packet,
    rtcp, rtp,
    shared::{
        error::Error,
        marshal::{Marshal, MarshalSize, Unmarshal},
    },
};

use self::{
    handshake::{Handshake, Outcome},
    ice::Ice,
    keys::Keys,
    receiving::Receiving,
    sending::Sending,
};
use super::{
    answer::{self, Ours, Outgoing},
    checks::Checks,
    endpoint::{Datagram, Endpoint},
    estimate::Budget,
    negotiate::Offer,
};

/// How a connection is made.
pub(super) struct Setup<'a> {
    pub(super) now: Instant,
    /// Any number: the answer's.
    pub(super) number: u64,
    pub(super) offer: Offer,
    pub(super) candidates: &'a [Endpoint],
    pub(super) way: Way,
}

/// Which way media goes.
pub(super) enum Way {
    /// To us.
    In,
    /// To them: these streams, under one name. What the path carries goes into the budget.
    Out { stream: String, sends: Vec<Outgoing>, budget: Budget },
}

/// An answer, and the ICE session that it begins.
pub(super) struct Answered {
    pub(super) sdp: String,
    pub(super) checks: Checks,
}

/// How it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// There is no path yet, or not again, or they have not proved themselves.
    Connecting,
    Connected,
    /// They don't answer. They may again.
    Disconnected,
    /// They didn't for too long.
    Failed,
}

/// What came out of a connection after an input.
#[derive(Default)]
pub(super) struct Drained {
    pub(super) states: Vec<State>,
    pub(super) packets: Vec<Packet>,
    /// They closed their side.
    pub(super) goodbye: bool,
}

/// A connection.
pub(super) struct Connection {
    number: u64,
    offer: Offer,
    stream: String,
    sends: Vec<Outgoing>,
    ice: Ice,
    handshake: Handshake,
    keys: Option<Box<Keys>>,
    half: Half,
    state: State,
    /// Datagrams to send.
    out: Vec<(Endpoint, BytesMut)>,
    /// Kept for its room.
    plain: Vec<u8>,
}

enum Half {
    In(Box<Receiving>),
    Out(Box<Sending>),
}

impl Connection {
    /// Makes one, and its answer.
    pub(super) fn new(setup: Setup<'_>) -> Result<(Self, Answered), Error> {
        let Setup { now, number, offer, candidates, way } = setup;
        let (half, stream, sends) = match way {
            Way::In => (Half::In(Box::new(Receiving::new(&streams::received(&offer)))), String::new(), Vec::new()),
            Way::Out { stream, sends, budget } => {
                (Half::Out(Box::new(Sending::new(&streams::sent(&offer, &sends), &budget))), stream, sends)
            }
        };
        let connection = Self {
            number,
            stream,
            sends,
            ice: Ice::new(now, &offer, candidates)?,
            handshake: Handshake::new(&offer)?,
            offer,
            keys: None,
            half,
            state: State::Connecting,
            out: Vec::new(),
            plain: Vec::new(),
        };
        let answered = connection.answered(now);
        Ok((connection, answered))
    }

    fn answered(&self, now: Instant) -> Answered {
        let credentials = self.ice.credentials();
        let sdp = answer::write(
            &self.offer,
            &Ours {
                number: self.number,
                credentials,
                fingerprint: &self.handshake.fingerprint,
                candidates: self.ice.candidates(),
                sends: &self.sends,
                stream: &self.stream,
            },
        );
        Answered {
            sdp,
            checks: Checks::new(now, credentials.ufrag.clone(), &credentials.pwd, self.offer.ufrag.clone()),
        }
    }

    /// Begins another ICE session. DTLS and all streams go on over it.
    pub(super) fn restart(&mut self, now: Instant, theirs: (&str, &str)) -> Result<Answered, Error> {
        self.ice.restart(now, theirs)?;
        (self.offer.ufrag, self.offer.pwd) = (theirs.0.to_owned(), theirs.1.to_owned());
        // Connected again is another time, even within this one input.
        self.state = State::Connecting;
        Ok(self.answered(now))
    }

    /// Another candidate of theirs.
    pub(super) fn trickle(&mut self, candidate: &str) -> Result<(), Error> {
        self.ice.trickle(candidate)
    }

    /// A datagram came.
    pub(super) fn read(&mut self, now: Instant, datagram: Datagram<'_>, drained: &mut Drained) -> Result<(), Error> {
        let Datagram { from, bytes, .. } = datagram;
        match bytes {
            // RTCP has its own numbers (RFC 5761).
            [128..=191, 192..=223, ..] => self.reports(now, from, bytes, drained),
            [128..=191, ..] => self.packet(now, bytes, drained),
            [20..=63, ..] => self.shake(now, bytes, drained),
            [0..=3, ..] => {
                let read = self.ice.read(now, datagram);
                self.stand(now, drained);
                read
            }
            _ => Ok(()),
        }
    }

    fn packet(&mut self, now: Instant, datagram: &[u8], drained: &mut Drained) -> Result<(), Error> {
        let (Some(keys), Half::In(half)) = (&mut self.keys, &mut self.half) else { return Ok(()) };
        let header = rtp::Header::unmarshal(&mut &*datagram)?;
        let mut plain = keys.theirs.decrypt_rtp_with_header(datagram, &header)?;
        let mut payload = plain.split_off(header.marshal_size()).freeze();
        if header.padding {
            let padding = payload.last().map_or(0, |padding| usize::from(*padding));
            payload.truncate(payload.len().checked_sub(padding).ok_or(Error::ErrShortPacket)?);
        }
        drained.packets.extend(half.packet(now, rtp::Packet { header, payload }).map(Packet::Rtp));
        Ok(())
    }

    fn reports(&mut self, now: Instant, from: Endpoint, datagram: &[u8], drained: &mut Drained) -> Result<(), Error> {
        let Some(keys) = &mut self.keys else { return Ok(()) };
        let reports = rtcp::packet::unmarshal(&mut keys.theirs.decrypt_rtcp(datagram)?)?;
        let heard = match &mut self.half {
            Half::In(half) => half.heard(now, reports),
            Half::Out(half) => {
                let mut out = Out { keys, route: self.ice.route, out: &mut self.out, plain: &mut self.plain };
                half.heard(now, from.address, reports, |packet| out.packet(packet))
            }
        };
        drained.packets.extend(heard.map(Packet::Rtcp));
        Ok(())
    }

    /// Before there is a path, nobody could be answered.
    fn shake(&mut self, now: Instant, datagram: &[u8], drained: &mut Drained) -> Result<(), Error> {
        if self.ice.route.is_none() {
            return Ok(());
        }
        let read = self.handshake.read(now, datagram).map(|outcome| match outcome {
            Some(Outcome::Done(keys)) => self.keys = Some(keys),
            Some(Outcome::Goodbye) => drained.goodbye = self.keys.is_some(),
            None => {}
        });
        self.stand(now, drained);
        read
    }

    /// When it wants to be woken.
    pub(super) fn next(&mut self) -> Option<Instant> {
        let half = match &mut self.half {
            Half::In(half) => half.next(),
            Half::Out(_) => None,
        };
        [self.ice.next(), self.handshake.next(), half].into_iter().flatten().min()
    }

    /// Time has passed.
    pub(super) fn wake(&mut self, now: Instant, drained: &mut Drained) -> Result<(), Error> {
        let woken = self.ice.wake(now).and(self.handshake.wake(now));
        self.stand(now, drained);
        if let (Some(keys), Half::In(half)) = (&mut self.keys, &mut self.half) {
            let mut out = Out { keys, route: self.ice.route, out: &mut self.out, plain: &mut self.plain };
            half.wake(now, |reports| out.reports(&reports));
        }
        woken
    }

    /// Looks at what has become of the path and the handshake.
    fn stand(&mut self, now: Instant, drained: &mut Drained) {
        if self.ice.has_chosen()
            && let Err(error) = self.handshake.begin(now)
        {
            tracing::debug!(%error, "no handshake");
        }
        self.flush();
        let state = match self.ice.state() {
            ConnectionState::Failed | ConnectionState::Closed => State::Failed,
            ConnectionState::Disconnected => State::Disconnected,
            ConnectionState::Connected | ConnectionState::Completed if self.keys.is_some() => State::Connected,
            _ => State::Connecting,
        };
        if std::mem::replace(&mut self.state, state) != state {
            drained.states.push(state);
        }
    }

    /// What ICE and DTLS have to say.
    fn flush(&mut self) {
        while let Some(sent) = self.ice.transmit() {
            self.out.push(sent);
        }
        while let Some(datagram) = self.handshake.transmit() {
            self.out.extend(self.ice.route.map(|to| (to, datagram)));
        }
    }

    /// Sends RTP or RTCP. Lost while there is no path, or there are no keys.
    pub(super) fn write(&mut self, now: Instant, packet: Packet) {
        let Some(keys) = &mut self.keys else { return };
        let mut out = Out { keys, route: self.ice.route, out: &mut self.out, plain: &mut self.plain };
        match (packet, &mut self.half) {
            (Packet::Rtp(packet), Half::Out(half)) => half.packet(now, packet, |packet| out.packet(packet)),
            (Packet::Rtcp(reports), _) => out.reports(&reports),
            _ => {}
        }
    }

    /// Says goodbye.
    pub(super) fn close(&mut self, now: Instant) -> Result<(), Error> {
        let closed = self.handshake.close(now);
        self.flush();
        closed
    }

    /// What must leave on the socket.
    pub(super) fn transmit(&mut self, out: &mut Vec<(Endpoint, BytesMut)>) {
        out.append(&mut self.out);
    }
}

/// The way out: encrypts.
struct Out<'a> {
    keys: &'a mut Keys,
    route: Option<Endpoint>,
    out: &'a mut Vec<(Endpoint, BytesMut)>,
    plain: &'a mut Vec<u8>,
}

impl Out<'_> {
    fn packet(&mut self, packet: &rtp::Packet) {
        self.plain.resize(packet.marshal_size(), 0);
        let sealed = packet
            .marshal_to(self.plain)
            .and_then(|length| self.keys.ours.encrypt_rtp_with_header(&self.plain[..length], &packet.header));
        self.leave(sealed);
    }

    fn reports(&mut self, reports: &[Box<dyn rtcp::Packet>]) {
        let sealed = rtcp::packet::marshal(reports).and_then(|plain: BytesMut| self.keys.ours.encrypt_rtcp(&plain));
        self.leave(sealed);
    }

    fn leave(&mut self, sealed: Result<BytesMut, Error>) {
        match (sealed, self.route) {
            (Ok(datagram), Some(to)) => self.out.push((to, datagram)),
            (Ok(_), None) => {}
            (Err(error), _) => tracing::debug!(%error, "packet refused"),
        }
    }
}
