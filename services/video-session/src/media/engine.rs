//! All connections of this instance, without I/O: commands and datagrams in; datagrams and events out.

use std::{
    collections::HashMap,
    net::SocketAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

use bytes::BytesMut;
use chassis::{Clock, Entropy};
use ids::{ParticipantId, SessionId};
use rtc::interceptor::Packet;
use tokio::sync::mpsc::UnboundedSender;

use super::{
    Command, EndedWhy, MediaError, MediaEvent, ResourceId,
    alarms::Alarms,
    connection::{Drained, State},
    cover::Cover,
    endpoint::{Datagram, Endpoint},
    forward::ask_for_key_frame,
    peer::{Peer, Role},
    stun,
};
use crate::domain::{Counted, Recording};

/// How often recordings look at the time.
const TICK: Duration = Duration::from_millis(20);
/// An offer whose peer has not connected by then is forgotten.
const CONNECT_WITHIN: Duration = Duration::from_secs(30);
/// For so long a new connection's first checks by TCP are not heard: `rtc` stays with the first path that is nominated, and over TCP
/// what is late holds up all that follows. Not so after a restart: Chromium then checks each path twice a second only.
const HEAD_START: Duration = Duration::from_millis(150);

/// The engine.
pub(super) struct Engine {
    pub(super) clock: Clock,
    pub(super) entropy: Entropy,
    pub(super) candidates: Vec<Endpoint>,
    pub(super) peers: HashMap<ResourceId, Peer>,
    /// Our half of each USERNAME.
    pub(super) by_ufrag: HashMap<String, ResourceId>,
    /// What each participant publishes now.
    pub(super) by_participant: HashMap<ParticipantId, ResourceId>,
    /// How the recording of each session stands, as far as it was ordered or said here.
    pub(super) recording: HashMap<SessionId, Recording>,
    /// Whether each is covered, in the same way.
    pub(super) covers: HashMap<SessionId, Cover>,
    /// How far each caller's pleas are counted.
    pub(super) pleas: HashMap<SessionId, Counted>,
    by_address: HashMap<Endpoint, ResourceId>,
    /// Connections that had an input since they were last asked what they want to send.
    pub(super) touched: Vec<ResourceId>,
    alarms: Alarms,
    /// Kept for its room.
    drained: Drained,
    ticked: Option<Instant>,
    events: UnboundedSender<MediaEvent>,
    /// Datagrams to send.
    pub(super) out: Vec<(Endpoint, BytesMut)>,
}

impl Engine {
    pub(super) fn new(
        clock: Clock,
        entropy: Entropy,
        candidates: Vec<Endpoint>,
        events: UnboundedSender<MediaEvent>,
    ) -> Self {
        Self {
            clock,
            entropy,
            candidates,
            peers: HashMap::new(),
            by_ufrag: HashMap::new(),
            by_participant: HashMap::new(),
            recording: HashMap::new(),
            covers: HashMap::new(),
            pleas: HashMap::new(),
            by_address: HashMap::new(),
            touched: Vec::new(),
            alarms: Alarms::default(),
            drained: Drained::default(),
            ticked: None,
            events,
            out: Vec::new(),
        }
    }

    /// Does what it is told. True when it was the last command.
    pub(super) fn command(&mut self, now: Instant, command: Command) -> bool {
        match command {
            Command::Publish { publication, offer, answer } => {
                let result = guard(|| self.publish(now, publication, &offer)).unwrap_or_else(|()| Err(defect()));
                if let Err(Ok(untaken)) = answer.send(result) {
                    // Not told: nobody knows of it, and its name may be another publication's by now.
                    self.disconnect(now, untaken.resource);
                }
            }
            Command::Watch { seat, publisher, offer, answer } => {
                let result = guard(|| self.watch(now, seat, publisher, &offer)).unwrap_or_else(|()| Err(defect()));
                if let Err(Ok(untaken)) = answer.send(result) {
                    // Told: their seat is on the record.
                    self.end(now, untaken.resource, EndedWhy::Closed);
                }
            }
            Command::Patch { resource, condition, fragment, done } => {
                let _ = done.send(self.patch(now, resource, &condition, &fragment));
            }
            Command::Record { instruction, done } => {
                let _ = done.send(self.record(now, instruction));
            }
            Command::Tap { tapped, done } => {
                let _ = done.send(self.tap(now, tapped));
            }
            Command::Cover { covering } => self.covering(now, covering),
            Command::Plead { plea, done } => {
                let _ = done.send(self.plead(plea));
            }
            Command::Pleas { pleas } => self.pleas_known(pleas),
            Command::Frame { publisher, rtp_timestamp, answer } => self.frame(publisher, rtp_timestamp, answer),
            Command::Forget { session } => {
                self.recording.remove(&session);
                self.covers.remove(&session);
                self.pleas.remove(&session);
            }
            Command::Close { resource, done } => {
                let was_there = self.peers.contains_key(&resource);
                self.end(now, resource, EndedWhy::Closed);
                let _ = done.send(was_there);
            }
            #[cfg(test)]
            Command::Die => panic!("as it was told"),
            Command::Shutdown { done } => {
                self.shut_down(now);
                let _ = done.send(());
                return true;
            }
        }
        false
    }

    /// Ends everything; what the recordings hold is told.
    pub(super) fn shut_down(&mut self, now: Instant) {
        for resource in self.peers.keys().copied().collect::<Vec<_>>() {
            self.end(now, resource, EndedWhy::ShuttingDown);
        }
    }

    /// A datagram arrived. False when it is nobody's.
    pub(super) fn datagram(&mut self, now: Instant, from: Endpoint, bytes: &[u8]) -> bool {
        let Some(resource) = self.route(now, from, bytes) else { return false };
        let datagram = Datagram { local: self.local_for(from), from, bytes };
        let Some(peer) = self.peers.get_mut(&resource) else { return false };
        if !peer.gate.pass_datagram(now, bytes.len()) {
            if peer.gate.turned_away == 1 {
                tracing::warn!(participant = %peer.participant, "more comes than a phone sends: some is dropped");
            }
            return true;
        }
        if from.is_tcp() && !peer.connected && now < *peer.tcp_since.get_or_insert(now) + HEAD_START {
            // They check again soon.
            return true;
        }
        let mut drained = std::mem::take(&mut self.drained);
        let read = guard(|| peer.read(now, datagram, &mut drained));
        self.drained(now, resource, drained, read);
        true
    }

    /// A resource has left these addresses.
    pub(super) fn leave<'a>(&mut self, resource: ResourceId, addresses: impl Iterator<Item = &'a Endpoint>) {
        for address in addresses {
            if self.by_address.get(address) == Some(&resource) {
                self.by_address.remove(address);
            }
        }
    }

    /// A connection is closed: nothing comes from there any more.
    pub(super) fn forget(&mut self, from: Endpoint) {
        self.by_address.remove(&from);
    }

    /// When it wants to be woken.
    pub(super) fn next(&self) -> Option<Instant> {
        let tick = self.ticked.map(|ticked| ticked + TICK).filter(|_| !self.peers.is_empty());
        self.alarms.next().into_iter().chain(tick).min()
    }

    /// Time has passed: wakes those whose time has come.
    pub(super) fn wake(&mut self, now: Instant) {
        while let Some((at, resource)) = self.alarms.gone_off(now) {
            let Some(peer) = self.peers.get_mut(&resource) else { continue };
            if !peer.alarm.goes_off(at, now) {
                self.alarms.set(resource, &mut peer.alarm);
                continue;
            }
            let mut drained = std::mem::take(&mut self.drained);
            let woken = guard(|| peer.wake(now, &mut drained));
            self.drained(now, resource, drained, woken);
        }
        if self.ticked.is_none_or(|ticked| now >= ticked + TICK) {
            self.ticked = Some(now);
            self.tick(now);
        }
        self.flush();
    }

    fn tick(&mut self, now: Instant) {
        self.look_at_viewers(now);
        let (mut events, mut over) = (Vec::new(), Vec::new());
        for (resource, peer) in &mut self.peers {
            if let Role::Publisher(publisher) = &mut peer.role
                && guard(|| publisher.tick(now, &mut events)).is_err()
            {
                over.push((*resource, EndedWhy::Failed));
                continue;
            }
            if ask_for_key_frame(now, peer) && peer.touch() {
                self.touched.push(*resource);
            }
            if !peer.connected && now >= peer.born + CONNECT_WITHIN {
                over.push((*resource, EndedWhy::PeerGone));
            }
        }
        self.tell(events);
        for (resource, why) in over {
            self.end(now, resource, why);
        }
    }

    /// Collects what the connections touched since last time want to send.
    fn flush(&mut self) {
        let mut touched = std::mem::take(&mut self.touched);
        for resource in touched.drain(..) {
            let Some(peer) = self.peers.get_mut(&resource) else { continue };
            if guard(|| peer.settle(&mut self.out)).is_err() {
                // It can't be closed politely either; its timers will end it, or its owner will.
                peer.alarm.wanted = None;
                tracing::error!(participant = %peer.participant, "connection can't send");
            }
            self.alarms.set(resource, &mut peer.alarm);
        }
        self.touched = touched;
    }

    pub(super) fn tell(&self, events: impl IntoIterator<Item = MediaEvent>) {
        for event in events {
            // Nobody listens any more: the service is ending.
            let _ = self.events.send(event);
        }
    }

    pub(super) fn touch(&mut self, resource: ResourceId) {
        if self.peers.get_mut(&resource).is_some_and(Peer::touch) {
            self.touched.push(resource);
        }
    }

    fn route(&mut self, now: Instant, from: Endpoint, datagram: &[u8]) -> Option<ResourceId> {
        let known = self.by_address.get(&from).copied();
        let Some((ours, theirs)) = stun::request_user(datagram) else {
            // Everything else, answers to our own checks included, comes from where a good check came from before.
            return known.filter(|_| !stun::is_stun(datagram) || datagram.len() >= 20);
        };
        let resource = *self.by_ufrag.get(ours)?;
        // A live connection's address is nobody else's.
        let taken =
            known.is_some_and(|other| other != resource && self.peers.get(&other).is_some_and(|peer| peer.connected));
        if taken || !self.peers.get_mut(&resource)?.checks.admit(now, from, theirs, datagram) {
            return None;
        }
        self.by_address.insert(from, resource);
        Some(resource)
    }

    /// `rtc` pairs by local address: it must be one that was offered.
    fn local_for(&self, peer: Endpoint) -> SocketAddr {
        let ours = || self.candidates.iter().filter(|candidate| candidate.transport == peer.transport);
        let same = ours().find(|candidate| candidate.address.is_ipv4() == peer.address.is_ipv4());
        same.or_else(|| ours().next()).map_or(peer.address, |candidate| candidate.address)
    }

    /// What came out of a connection, unless it panicked.
    fn drained(&mut self, now: Instant, resource: ResourceId, mut drained: Drained, outcome: Result<(), ()>) {
        self.touch(resource);
        let outcome = outcome.and(guard(|| {
            for packet in drained.packets.drain(..) {
                match packet {
                    Packet::Rtp(packet) => self.rtp(now, resource, packet),
                    Packet::Rtcp(reports) => {
                        reports.iter().for_each(|report| self.rtcp(now, resource, report.as_ref()));
                    }
                    _ => {}
                }
            }
        }));
        for state in drained.states.drain(..) {
            self.state(now, resource, state);
        }
        if outcome.is_err() {
            self.end(now, resource, EndedWhy::Failed);
        } else if std::mem::take(&mut drained.goodbye) {
            self.end(now, resource, EndedWhy::PeerGone);
        }
        self.drained = drained;
    }

    fn state(&mut self, now: Instant, resource: ResourceId, state: State) {
        let Some(peer) = self.peers.get_mut(&resource) else { return };
        let participant = peer.participant;
        tracing::debug!(%participant, ?state, "connection");
        match state {
            State::Connected => {
                // Whoever comes back has missed, or we have missed of them, what later frames build on.
                let publisher = match &peer.role {
                    Role::Viewer(viewer) => Some(viewer.publisher),
                    Role::Publisher(_) => peer.connected.then_some(resource),
                };
                peer.connected = true;
                if let Some(publisher) = publisher {
                    self.want_key_frame(now, publisher);
                }
                self.tell([MediaEvent::Connected { resource, participant }]);
            }
            State::Disconnected => self.tell([MediaEvent::Disconnected { resource, participant }]),
            State::Failed => {
                self.end(now, resource, EndedWhy::PeerGone);
            }
            State::Connecting => {}
        }
    }

    /// Ends a resource, and with a publication those who watch it.
    pub(super) fn end(&mut self, now: Instant, resource: ResourceId, why: EndedWhy) {
        let Some(peer) = self.disconnect(now, resource) else { return };
        match peer.role {
            Role::Viewer(viewer) => {
                if let Some(Peer { role: Role::Publisher(publisher), .. }) = self.peers.get_mut(&viewer.publisher) {
                    publisher.viewers.retain(|id| *id != resource);
                }
                if viewer.is_held() {
                    let (viewer, publisher) = (peer.participant, viewer.whom);
                    self.tell([MediaEvent::PictureHeld { viewer, publisher, held: false }]);
                }
                self.tell([MediaEvent::ViewerEnded { resource, seat: viewer.seat }]);
            }
            Role::Publisher(publisher) => {
                let viewers = publisher.viewers.clone();
                let mut events = Vec::new();
                publisher.finish(now, why, &mut events);
                self.tell(events);
                for viewer in viewers {
                    self.end(now, viewer, why);
                }
            }
        }
    }

    /// Closes a connection. From here on nothing is routed to it.
    fn disconnect(&mut self, now: Instant, resource: ResourceId) -> Option<Peer> {
        let mut peer = self.peers.remove(&resource)?;
        self.by_ufrag.remove(&peer.checks.ours);
        self.leave(resource, peer.checks.addresses.union(&peer.former));
        if self.by_participant.get(&peer.participant) == Some(&resource) {
            self.by_participant.remove(&peer.participant);
        }
        let closed = guard(|| {
            let closed = peer.connection.close(now);
            peer.connection.transmit(&mut self.out);
            closed
        });
        if !matches!(closed, Ok(Ok(()))) {
            tracing::debug!(participant = %peer.participant, "connection did not close cleanly");
        }
        Some(peer)
    }
}

/// `rtc` asserts in places, and what is ours reads what strangers send: a panic there costs one connection, not the loop.
pub(super) fn guard<T>(work: impl FnOnce() -> T) -> Result<T, ()> {
    catch_unwind(AssertUnwindSafe(work))
        .map_err(|_| tracing::error!("the media core panicked; dropping that connection"))
}

fn defect() -> MediaError {
    MediaError::MalformedSdp("can't be answered".to_owned())
}

#[cfg(test)]
mod abuse;
#[cfg(test)]
mod panics;
#[cfg(test)]
mod untaken;
