//! The one socket and the one thread. All instants come from here.

use std::{
    io,
    net::{SocketAddr, UdpSocket},
    time::{Duration, Instant},
};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::sync::mpsc::UnboundedReceiver;

use super::{Command, engine::Engine};

/// Kernel buffers: with the usual 200 kB, eighty streams lose packets whenever the thread is not scheduled at once.
const BUFFERS: usize = 8 << 20;
/// Datagrams read before what they caused is sent.
const BATCH: usize = 128;
/// With nothing to do.
const IDLE: Duration = Duration::from_secs(60);

/// Binds with large buffers, as large as the system allows.
pub(super) fn bind(listen: SocketAddr) -> io::Result<UdpSocket> {
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

/// Runs until told to shut down, or until every handle is gone.
pub(super) async fn run(
    socket: UdpSocket,
    mut engine: Engine,
    mut commands: UnboundedReceiver<Command>,
) -> io::Result<()> {
    let direct = socket.try_clone()?;
    let socket = tokio::net::UdpSocket::from_std(socket)?;
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
            () = tokio::time::sleep_until(wake_at.into()) => {}
        }
        engine.wake(Instant::now());
        for (to, datagram) in engine.out.drain(..) {
            // A full buffer or an unreachable candidate: the datagram is lost, as datagrams are.
            if let Err(error) = socket.try_send_to(&datagram, to) {
                tracing::trace!(%error, %to, "send");
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
            Ok((length, from)) => engine.datagram(now, from, &buffer[..length]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            // An ICMP error of some earlier datagram: no reason to stop.
            Err(error) => tracing::debug!(%error, "receive"),
        }
    }
}
