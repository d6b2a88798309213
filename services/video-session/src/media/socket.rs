//! The one port and the one thread. All instants come from here.
//!
//! It works in beats of two milliseconds: whatever comes within one is taken, passed on and sent together, and each connection that
//! was touched is swept once.

use std::{
    io,
    net::{SocketAddr, TcpListener, UdpSocket},
    time::{Duration, Instant},
};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::{io::Interest, sync::mpsc::UnboundedReceiver};

use super::{Command, batch::Batch, endpoint::Endpoint, engine::Engine, tcp::Streams};

/// Kernel buffers: with the usual 200 kB, eighty streams lose packets whenever the thread is not scheduled at once.
const BUFFERS: usize = 8 << 20;
/// How often as much as the kernel gives at once is taken before what that caused is sent.
const BATCHES: usize = 4;
/// Between one batch and the next: what comes meanwhile is handled together, which costs far less. Nobody sees two milliseconds.
const NAP: Duration = Duration::from_millis(2);
/// With nothing to do.
const IDLE: Duration = Duration::from_secs(60);
/// How often a port that is free for UDP is looked for that is free for TCP, too.
const PORTS: usize = 16;

/// UDP, and TCP on the same port if it is wanted.
pub(super) struct Sockets {
    udp: UdpSocket,
    tcp: Option<TcpListener>,
}

impl Sockets {
    /// Binds. Any port (0) is one that is free for both.
    pub(super) fn bind(listen: SocketAddr, tcp: bool) -> io::Result<Self> {
        for _ in 1..PORTS {
            match Self::bind_once(listen, tcp) {
                Err(error) if listen.port() == 0 && error.kind() == io::ErrorKind::AddrInUse => {}
                bound => return bound,
            }
        }
        Self::bind_once(listen, tcp)
    }

    fn bind_once(listen: SocketAddr, tcp: bool) -> io::Result<Self> {
        let udp = bind_udp(listen)?;
        let tcp = tcp.then(|| bind_tcp(udp.local_addr()?)).transpose()?;
        Ok(Self { udp, tcp })
    }

    /// The bound address, with the real port.
    pub(super) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.udp.local_addr()
    }
}

/// With large buffers, or as large as the system allows: it cuts them down without an error.
fn bind_udp(listen: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(listen), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_recv_buffer_size(BUFFERS)?;
    socket.set_send_buffer_size(BUFFERS)?;
    // Linux doubles what it is asked for, for its own needs, and says the double.
    let (receives, sends) = (socket.recv_buffer_size()? / 2, socket.send_buffer_size()? / 2);
    if receives.min(sends) < BUFFERS {
        tracing::warn!(
            receives,
            sends,
            wanted = BUFFERS,
            "small socket buffers lose packets when many calls are on: raise net.core.rmem_max and net.core.wmem_max"
        );
    }
    socket.set_nonblocking(true)?;
    socket.bind(&listen.into())?;
    Ok(socket.into())
}

fn bind_tcp(listen: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(listen)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Runs until told to shut down, or until every handle is gone.
pub(super) async fn run(
    sockets: Sockets,
    mut engine: Engine,
    mut commands: UnboundedReceiver<Command>,
) -> io::Result<()> {
    let direct = sockets.udp.try_clone()?;
    let mut batch = Batch::new(&direct)?;
    let socket = tokio::net::UdpSocket::from_std(sockets.udp)?;
    let mut streams = Streams::new(sockets.tcp)?;
    loop {
        let wake_at = engine.next().unwrap_or_else(|| Instant::now() + IDLE);
        let (mut ended, mut may_nap) = (false, false);
        tokio::select! {
            biased;
            command = commands.recv() => {
                // A phone's last packets came before its goodbye, and are recorded. (The runtime may not know of them yet.)
                receive(|| batch.receive(&direct, taken_by(&mut engine)));
                match command {
                    Some(command) => ended = engine.command(Instant::now(), command),
                    None => {
                        engine.shut_down(Instant::now());
                        ended = true;
                    }
                }
            }
            ready = socket.readable() => {
                ready?;
                // With more waiting there is no time to nap, or a busy server falls ever further behind.
                may_nap = receive(|| socket.try_io(Interest::READABLE, || batch.receive(&direct, taken_by(&mut engine))));
            }
            Some(arrival) = streams.arrival() => streams.take(Instant::now(), arrival, &mut engine),
            () = tokio::time::sleep_until(wake_at.into()) => {}
        }
        engine.wake(Instant::now());
        for (to, datagram) in engine.out.extract_if(.., |(to, _)| to.is_tcp()) {
            streams.send(to.address, datagram);
        }
        batch.send(&direct, &engine.out);
        engine.out.clear();
        if ended {
            return Ok(());
        }
        if may_nap {
            // The thread is this loop's own.
            std::thread::sleep(NAP);
        }
    }
}

/// Takes what has come, a batch each time. True when that was all.
fn receive(mut next: impl FnMut() -> io::Result<bool>) -> bool {
    for _ in 0..BATCHES {
        match next() {
            Ok(true) => {}
            Ok(false) => return true,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return true,
            // An ICMP error of some earlier datagram: no reason to stop.
            Err(error) => tracing::debug!(%error, "receive"),
        }
    }
    false
}

/// What belongs to nobody is dropped without a word.
fn taken_by(engine: &mut Engine) -> impl FnMut(SocketAddr, &[u8]) {
    let now = Instant::now();
    move |from, datagram| _ = engine.datagram(now, Endpoint::udp(from), datagram)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How it would answer whether it may nap, and how often it asked the kernel.
    fn receives(mut next: impl FnMut() -> io::Result<bool>) -> (bool, usize) {
        let mut asked = 0;
        let all = receive(|| {
            asked += 1;
            next()
        });
        (all, asked)
    }

    #[test]
    fn it_naps_only_when_nothing_more_waits() {
        assert_eq!(receives(|| Ok(false)), (true, 1));
        assert_eq!(receives(|| Err(io::ErrorKind::WouldBlock.into())), (true, 1));
        // As much as the kernel gives, again and again: what has come is sent, and the rest is taken at once.
        assert_eq!(receives(|| Ok(true)), (false, BATCHES));
        // An earlier datagram was refused somewhere: that says nothing of those that wait.
        assert_eq!(receives(|| Err(io::ErrorKind::ConnectionRefused.into())), (false, BATCHES));
    }
}
