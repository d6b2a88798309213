//! The one port and the one thread. All instants come from here.

use std::{
    io,
    net::{SocketAddr, TcpListener, UdpSocket},
    time::{Duration, Instant},
};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::sync::mpsc::UnboundedReceiver;

use super::{Command, endpoint::Endpoint, engine::Engine, tcp::Streams};

/// Kernel buffers: with the usual 200 kB, eighty streams lose packets whenever the thread is not scheduled at once.
const BUFFERS: usize = 8 << 20;
/// Datagrams read before what they caused is sent.
const BATCH: usize = 128;
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

/// With large buffers, as large as the system allows.
fn bind_udp(listen: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(listen), Type::DGRAM, Some(Protocol::UDP))?;
    for set in [Socket::set_recv_buffer_size, Socket::set_send_buffer_size] {
        if let Err(error) = set(&socket, BUFFERS) {
            tracing::warn!(%error, "socket buffers stay small");
        }
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
    let socket = tokio::net::UdpSocket::from_std(sockets.udp)?;
    let mut streams = Streams::new(sockets.tcp)?;
    let mut buffer = vec![0; 65_536];
    loop {
        let wake_at = engine.next().unwrap_or_else(|| Instant::now() + IDLE);
        let mut ended = false;
        tokio::select! {
            biased;
            command = commands.recv() => {
                // A phone's last packets came before its goodbye, and are recorded. (The runtime may not know of them yet.)
                receive(&mut engine, &mut buffer, |buffer| direct.recv_from(buffer));
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
                receive(&mut engine, &mut buffer, |buffer| socket.try_recv_from(buffer));
            }
            Some(arrival) = streams.arrival() => streams.take(Instant::now(), arrival, &mut engine),
            () = tokio::time::sleep_until(wake_at.into()) => {}
        }
        engine.wake(Instant::now());
        for (to, datagram) in engine.out.drain(..) {
            if to.is_tcp() {
                streams.send(to.address, datagram);
            // A full buffer or an unreachable candidate: the datagram is lost, as datagrams are.
            } else if let Err(error) = socket.try_send_to(&datagram, to.address) {
                tracing::trace!(%error, to = %to.address, "send");
            }
        }
        if ended {
            return Ok(());
        }
    }
}

/// Reads what has come.
fn receive(engine: &mut Engine, buffer: &mut [u8], mut next: impl FnMut(&mut [u8]) -> io::Result<(usize, SocketAddr)>) {
    let now = Instant::now();
    for _ in 0..BATCH {
        match next(buffer) {
            Ok((length, from)) => {
                // What belongs to nobody is dropped without a word.
                let _ = engine.datagram(now, Endpoint::udp(from), &buffer[..length]);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            // An ICMP error of some earlier datagram: no reason to stop.
            Err(error) => tracing::debug!(%error, "receive"),
        }
    }
}
