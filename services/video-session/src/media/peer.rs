//! One connection, and what it is for.

use std::{collections::HashSet, time::Instant};

use bytes::BytesMut;
use ids::ParticipantId;
use rtc::interceptor::Packet;

use super::{
    ResourceId,
    alarms::Alarm,
    checks::Checks,
    connection::{Connection, Drained},
    endpoint::{Datagram, Endpoint},
    engine::guard,
    gate::Gate,
    publisher::Publisher,
    viewer::Viewer,
};

/// A connection and what it is for.
pub(super) struct Peer {
    pub(super) id: ResourceId,
    pub(super) participant: ParticipantId,
    pub(super) role: Role,
    pub(super) connected: bool,
    pub(super) born: Instant,
    /// When something first came by TCP.
    pub(super) tcp_since: Option<Instant>,
    /// Its ICE session.
    pub(super) checks: Checks,
    /// Where good checks came from in the ICE session before it: media may still be under way from there.
    pub(super) former: HashSet<Endpoint>,
    /// How much it may send.
    pub(super) gate: Gate,
    /// When it next wants to be woken.
    pub(super) alarm: Alarm,
    /// It had an input since it was last asked what it wants to send.
    pub(super) touched: bool,
    pub(super) connection: Connection,
    /// What it isn't written to do.
    #[cfg(test)]
    pub(super) panics: bool,
}

/// What a connection is for.
pub(super) enum Role {
    Publisher(Box<Publisher>),
    Viewer(Box<Viewer>),
}

impl Peer {
    /// A connection that has just been answered.
    pub(super) fn new(
        now: Instant,
        id: ResourceId,
        participant: ParticipantId,
        role: Role,
        connection: Connection,
        checks: Checks,
    ) -> Self {
        Self {
            id,
            participant,
            role,
            connected: false,
            born: now,
            tcp_since: None,
            checks,
            former: HashSet::new(),
            gate: Gate::of_datagrams(now),
            alarm: Alarm::default(),
            touched: false,
            connection,
            #[cfg(test)]
            panics: false,
        }
    }

    /// Its ICE session's entity-tag: a new session has a new one of our user names.
    pub(super) fn etag(&self) -> String {
        format!("\"{}\"", self.checks.ours)
    }

    /// Has had an input. True if it is the first since it was asked.
    pub(super) fn touch(&mut self) -> bool {
        !std::mem::replace(&mut self.touched, true)
    }

    pub(super) fn read(&mut self, now: Instant, datagram: Datagram<'_>, drained: &mut Drained) {
        #[cfg(test)]
        assert!(!self.panics, "as it was told");
        if let Err(error) = self.connection.read(now, datagram, drained) {
            tracing::debug!(participant = %self.participant, %error, "datagram refused");
        }
    }

    pub(super) fn wake(&mut self, now: Instant, drained: &mut Drained) {
        #[cfg(test)]
        assert!(!self.panics, "as it was told");
        if let Err(error) = self.connection.wake(now, drained) {
            tracing::debug!(participant = %self.participant, %error, "timeout refused");
        }
    }

    /// Sends RTP or RTCP.
    pub(super) fn write(&mut self, now: Instant, packet: Packet) {
        if guard(|| self.connection.write(now, packet)).is_err() {
            // Lost, like any other: its timers will end it, or its owner will.
            tracing::error!(participant = %self.participant, "connection can't send");
        }
    }

    /// What must leave on the socket since it was last asked, and when to wake it.
    pub(super) fn settle(&mut self, out: &mut Vec<(Endpoint, BytesMut)>) {
        self.touched = false;
        self.connection.transmit(out);
        self.alarm.wanted = self.connection.next();
    }
}
