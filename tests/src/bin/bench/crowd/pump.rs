//! The crowd's own loop: one thread, a socket for each end of each call, as phones have. Every packet is a datagram of its own:
//! to hand several to the kernel at once would spare the server what a real network does not.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
    io::{self, IoSliceMut},
    ops::Range,
    sync::mpsc,
    time::{Duration, Instant},
};

use bytes::BytesMut;
use chassis::Clock;
use mio::{Events, Interest, Poll, Token, net::UdpSocket};
use quinn_udp::{BATCH_SIZE, RecvMeta, UdpSocketState};
use rtc::rtcp;
use tokio::sync::oneshot;

use super::{
    camera::{Camera, PICTURE_EVERY, SOUND_EVERY},
    direct::Direct,
    line::{Came, Line},
    screen::Screen,
};
use crate::Failure;

/// So long the loop sleeps at most; what falls due meanwhile is sent in one go.
const NAP: Duration = Duration::from_millis(1);
/// How often a line, and a screen's reports, are looked after.
const BEAT: Duration = Duration::from_millis(50);
const SECOND: Duration = Duration::from_secs(1);

/// One end of a call, connected or about to be.
pub struct End {
    pub socket: std::net::UdpSocket,
    pub line: Line,
    pub role: Role,
}

/// What an end is for.
pub enum Role {
    Camera(Camera),
    Screen(Box<Screen>),
}

/// What was counted of the packets sent within a window.
#[derive(Debug, Default, Clone)]
pub struct Tally {
    /// Packets of all cameras.
    pub sent: u64,
    /// Of these, those that a screen got.
    pub came: u64,
    /// From leaving to arriving at the screen's socket, in microseconds.
    pub took: Vec<u32>,
    /// The same between two sockets of the crowd's own.
    pub direct: Vec<u32>,
    /// The worst that the loop itself was late.
    pub behind: Duration,
}

enum Order {
    Join(Box<End>, oneshot::Sender<()>),
    Measure(Range<i64>),
    Tell(oneshot::Sender<Tally>),
    /// All calls are over.
    Clear,
}

/// A handle to the loop; it ends when the handle is dropped.
pub struct Pump {
    orders: mpsc::Sender<Order>,
    clock: Clock,
}

impl Pump {
    /// Starts the loop.
    pub fn start() -> Result<Self, Failure> {
        let (orders, received) = mpsc::channel();
        let pumping = Pumping::new(received)?;
        std::thread::Builder::new().name("crowd".to_owned()).spawn(move || {
            if let Err(failure) = pumping.run() {
                eprintln!("the crowd failed: {failure}");
            }
        })?;
        Ok(Self { orders, clock: Clock::system() })
    }

    /// One more end; waits until it is connected.
    pub async fn join(&self, end: End) -> Result<(), Failure> {
        let (tell, connected) = oneshot::channel();
        self.order(Order::Join(Box::new(end), tell))?;
        let connected = tokio::time::timeout(Duration::from_secs(20), connected);
        Ok(connected.await.map_err(|_| "an end of the crowd didn't connect")??)
    }

    /// Counts what is sent within some time from now on.
    pub fn measure(&self, time: Duration) -> Result<(), Failure> {
        let from = self.clock.now().timestamp_micros();
        self.order(Order::Measure(from..from + i64::try_from(time.as_micros())?))
    }

    /// What was counted, once the last packets have had their time.
    pub async fn tally(&self) -> Result<Tally, Failure> {
        tokio::time::sleep(SECOND).await;
        let (tell, told) = oneshot::channel();
        self.order(Order::Tell(tell))?;
        Ok(told.await?)
    }

    /// Forgets all ends.
    pub fn clear(&self) -> Result<(), Failure> {
        self.order(Order::Clear)
    }

    fn order(&self, order: Order) -> Result<(), Failure> {
        self.orders.send(order).map_err(|_| "the crowd has gone".into())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Picture,
    Sound,
    Reports,
    Beat,
    Direct,
}

struct Connected {
    socket: UdpSocket,
    state: UdpSocketState,
    line: Line,
    role: Role,
    tell: Option<oneshot::Sender<()>>,
}

struct Pumping {
    orders: mpsc::Receiver<Order>,
    poll: Poll,
    clock: Clock,
    ends: HashMap<usize, Connected>,
    next: usize,
    due: BinaryHeap<Reverse<(Instant, usize, What)>>,
    direct: Direct,
    window: Range<i64>,
    tally: Tally,
    buffers: Vec<Vec<u8>>,
}

impl Pumping {
    fn new(orders: mpsc::Receiver<Order>) -> Result<Self, Failure> {
        Ok(Self {
            orders,
            poll: Poll::new()?,
            clock: Clock::system(),
            ends: HashMap::new(),
            next: 0,
            due: BinaryHeap::from([Reverse((Instant::now(), 0, What::Direct))]),
            direct: Direct::new()?,
            window: 0..0,
            tally: Tally::default(),
            buffers: vec![vec![0; 65_536]; BATCH_SIZE],
        })
    }

    fn run(mut self) -> Result<(), Failure> {
        let mut events = Events::with_capacity(1_024);
        loop {
            loop {
                match self.orders.try_recv() {
                    Ok(order) => self.order(order)?,
                    Err(mpsc::TryRecvError::Empty) => break,
                    Err(mpsc::TryRecvError::Disconnected) => return Ok(()),
                }
            }
            match self.poll.poll(&mut events, Some(NAP)) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                polled => polled?,
            }
            for event in &events {
                self.receive(event.token().0)?;
            }
            self.work()?;
        }
    }

    fn order(&mut self, order: Order) -> Result<(), Failure> {
        match order {
            Order::Join(end, tell) => self.join(*end, tell)?,
            Order::Measure(window) => (self.window, self.tally) = (window, Tally::default()),
            Order::Tell(tell) => {
                let _ = tell.send(std::mem::take(&mut self.tally));
            }
            Order::Clear => {
                self.ends.clear();
                self.due.retain(|Reverse((_, _, what))| *what == What::Direct);
            }
        }
        Ok(())
    }

    fn join(&mut self, End { socket, line, role }: End, tell: oneshot::Sender<()>) -> Result<(), Failure> {
        let state = UdpSocketState::new((&socket).into())?;
        let mut socket = UdpSocket::from_std(socket);
        let token = self.next;
        self.next += 1;
        self.poll.registry().register(&mut socket, Token(token), Interest::READABLE)?;
        self.ends.insert(token, Connected { socket, state, line, role, tell: Some(tell) });
        self.due.push(Reverse((Instant::now(), token, What::Beat)));
        Ok(())
    }

    fn receive(&mut self, token: usize) -> Result<(), Failure> {
        let Some(end) = self.ends.get_mut(&token) else { return Ok(()) };
        let now = Instant::now();
        loop {
            let mut meta = [RecvMeta::default(); BATCH_SIZE];
            let mut slices: Vec<_> = self.buffers.iter_mut().map(|buffer| IoSliceMut::new(buffer)).collect();
            let count = match end.state.recv((&end.socket).into(), &mut slices, &mut meta) {
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // Of an earlier datagram: the server has gone.
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => continue,
                Err(error) => return Err(error.into()),
            };
            for (meta, buffer) in meta.iter().zip(&self.buffers).take(count) {
                let at = meta.timestamp.map_or(0, |at| at.as_micros() as i64);
                for datagram in buffer[..meta.len].chunks(meta.stride.max(1)) {
                    if let Some(sent) = end.came(now, datagram)?.filter(|sent| self.window.contains(sent)) {
                        self.tally.came += 1;
                        self.tally.took.push(u32::try_from(at - sent).unwrap_or_default());
                    }
                }
            }
        }
        end.flush();
        if end.line.keys.is_some()
            && let Some(tell) = end.tell.take()
        {
            let _ = tell.send(());
            if matches!(end.role, Role::Camera(_)) {
                // Phones don't keep time with each other.
                let after = |of: Duration| now + of.mul_f64((token * 37 % 100) as f64 / 100.0);
                for (every, what) in
                    [(PICTURE_EVERY, What::Picture), (SOUND_EVERY, What::Sound), (SECOND, What::Reports)]
                {
                    self.due.push(Reverse((after(every), token, what)));
                }
            }
        }
        Ok(())
    }

    /// Does what is due.
    fn work(&mut self) -> Result<(), Failure> {
        let now = Instant::now();
        while let Some(Reverse((due, token, what))) = self.due.peek().copied().filter(|Reverse((due, ..))| *due <= now)
        {
            self.due.pop();
            self.tally.behind = self.tally.behind.max(now - due);
            if what == What::Direct {
                self.direct.beat(self.clock.now().timestamp_micros(), &self.window, &mut self.tally.direct)?;
                self.due.push(Reverse((due + SOUND_EVERY, token, what)));
                continue;
            }
            let Some(end) = self.ends.get_mut(&token) else { continue };
            let every = match what {
                What::Picture => PICTURE_EVERY,
                What::Sound => SOUND_EVERY,
                What::Reports => SECOND,
                What::Beat | What::Direct => BEAT,
            };
            self.due.push(Reverse((due + every, token, what)));
            let (clock, window) = (&self.clock, &self.window);
            let time = || clock.now().timestamp_micros();
            let Connected { socket, line, role, .. } = end;
            match (what, role, &mut line.keys) {
                (What::Picture | What::Sound, Role::Camera(camera), Some(keys)) => {
                    let sent = &mut self.tally.sent;
                    let send = |at: i64, packet: &[u8]| {
                        if socket.send(packet).is_ok() && window.contains(&at) {
                            *sent += 1;
                        }
                    };
                    match what {
                        What::Picture => camera.picture(&mut keys.ours, time, send)?,
                        _ => camera.sound(&mut keys.ours, time, send)?,
                    }
                }
                (What::Reports, Role::Camera(camera), Some(_)) => {
                    let reports = camera.reports(time());
                    end.say(&reports)?;
                }
                _ => end.beat(now)?,
            }
        }
        Ok(())
    }
}

impl Connected {
    /// A datagram came. Answers when it was sent, if it is media with a time in it.
    fn came(&mut self, now: Instant, datagram: &[u8]) -> Result<Option<i64>, Failure> {
        let came = self.line.datagram(now, datagram)?;
        let Some(keys) = &mut self.line.keys else { return Ok(None) };
        match (came, &mut self.role) {
            (Came::Rtp, Role::Screen(screen)) => return screen.packet(now, &mut keys.theirs, datagram),
            (Came::Rtcp, Role::Camera(camera)) => {
                if let Ok(plain) = keys.theirs.decrypt_rtcp(datagram) {
                    camera.told(&plain);
                }
            }
            _ => {}
        }
        Ok(None)
    }

    fn beat(&mut self, now: Instant) -> Result<(), Failure> {
        self.line.wake(now)?;
        self.flush();
        if let (Role::Screen(screen), Some(_)) = (&mut self.role, &self.line.keys) {
            let said = screen.says(now)?;
            self.say(&said)?;
        }
        Ok(())
    }

    fn say(&mut self, reports: &[Box<dyn rtcp::Packet>]) -> Result<(), Failure> {
        if let Some(keys) = &mut self.line.keys
            && !reports.is_empty()
        {
            let plain: BytesMut = rtcp::packet::marshal(reports)?;
            self.line.out.push(keys.ours.encrypt_rtcp(&plain)?);
            self.flush();
        }
        Ok(())
    }

    /// What can't be sent is lost, as datagrams are.
    fn flush(&mut self) {
        for datagram in self.line.out.drain(..) {
            let _ = self.socket.send(&datagram);
        }
    }
}
