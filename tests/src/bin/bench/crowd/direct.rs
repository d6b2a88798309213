//! The same way without a server in between: what the kernel and the measuring itself add to each time.

use std::{
    io::{self, IoSliceMut},
    net::UdpSocket,
    ops::Range,
};

use quinn_udp::{RecvMeta, UdpSocketState};

use crate::Failure;

/// As long as a packet of a picture.
const LENGTH: usize = 1_078;

/// Two sockets.
pub struct Direct {
    from: UdpSocket,
    to: UdpSocket,
    state: UdpSocketState,
}

impl Direct {
    /// On loopback.
    pub fn new() -> Result<Self, Failure> {
        let [from, to] = [UdpSocket::bind("127.0.0.1:0")?, UdpSocket::bind("127.0.0.1:0")?];
        from.connect(to.local_addr()?)?;
        let state = UdpSocketState::new((&to).into())?;
        Ok(Self { from, to, state })
    }

    /// Takes what was sent last time, and sends the next.
    pub fn beat(&self, now: i64, window: &Range<i64>, took: &mut Vec<u32>) -> Result<(), Failure> {
        let (mut buffer, mut meta) = ([0; 4 * LENGTH], [RecvMeta::default()]);
        match self.state.recv((&self.to).into(), &mut [IoSliceMut::new(&mut buffer)], &mut meta) {
            Ok(_) => {
                let sent = i64::from_be_bytes(*buffer.first_chunk().ok_or("a short datagram")?);
                if window.contains(&sent) {
                    let at = meta[0].timestamp.map_or(0, |at| at.as_micros() as i64);
                    took.push(u32::try_from(at - sent).unwrap_or_default());
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
        let mut datagram = [0; LENGTH];
        datagram[..8].copy_from_slice(&now.to_be_bytes());
        self.from.send(&datagram)?;
        Ok(())
    }
}
