//! Datagrams by the batch: many are taken from the kernel at once, and those that go to one address, one after the other and
//! equally long, are given to it as one piece that it cuts up itself.

use std::{
    io::{self, IoSliceMut},
    net::SocketAddr,
    os::fd::AsFd,
};

use bytes::BytesMut;
use quinn_udp::{BATCH_SIZE, RecvMeta, Transmit, UdpSocketState};

use super::endpoint::Endpoint;

/// The longest that the kernel gives as one piece, or takes.
const PIECE: usize = 65_536;
/// UDP's own limit, less the headers.
const LONGEST: usize = 65_000;

/// Buffers for both ways, and what the kernel can do.
pub(super) struct Batch {
    state: UdpSocketState,
    buffers: Vec<Vec<u8>>,
    piece: Vec<u8>,
}

impl Batch {
    /// Tells the kernel that it may hand over several datagrams as one.
    pub(super) fn new(socket: impl AsFd) -> io::Result<Self> {
        let state = UdpSocketState::new((&socket).into())?;
        Ok(Self { state, buffers: vec![vec![0; PIECE]; BATCH_SIZE], piece: Vec::with_capacity(PIECE) })
    }

    /// Takes what has come. True when there may be more.
    pub(super) fn receive(&mut self, socket: impl AsFd, mut take: impl FnMut(SocketAddr, &[u8])) -> io::Result<bool> {
        let mut meta = [RecvMeta::default(); BATCH_SIZE];
        let mut buffers = self.buffers.iter_mut();
        let mut slices: [IoSliceMut<'_>; BATCH_SIZE] =
            std::array::from_fn(|_| IoSliceMut::new(buffers.next().map_or(&mut [], Vec::as_mut_slice)));
        let count = self.state.recv((&socket).into(), &mut slices, &mut meta)?;
        for (meta, buffer) in meta.iter().zip(&self.buffers).take(count) {
            for datagram in buffer[..meta.len].chunks(meta.stride.max(1)) {
                take(meta.addr, datagram);
            }
        }
        Ok(count == BATCH_SIZE)
    }

    /// Sends in order. A full buffer or an unreachable candidate: the datagram is lost, as datagrams are.
    pub(super) fn send(&mut self, socket: impl AsFd, datagrams: &[(Endpoint, BytesMut)]) {
        let most = self.state.max_gso_segments();
        let mut left = datagrams;
        while let Some((to, first)) = left.first() {
            let run = run(left, most);
            let (together, rest) = left.split_at(run);
            left = rest;
            if run > 1 {
                self.piece.clear();
                together.iter().for_each(|(_, datagram)| self.piece.extend_from_slice(datagram));
                if self.give(&socket, to.address, &self.piece, Some(first.len())) {
                    continue;
                }
            }
            for (to, datagram) in together {
                self.give(&socket, to.address, datagram, None);
            }
        }
    }

    /// False when it could not be sent as it is, and may be cut up here.
    fn give(&self, socket: impl AsFd, destination: SocketAddr, contents: &[u8], segment_size: Option<usize>) -> bool {
        let transmit = Transmit { destination, ecn: None, contents, segment_size, src_ip: None };
        match self.state.try_send((&socket).into(), &transmit) {
            Ok(()) => true,
            Err(error) => {
                tracing::trace!(%error, "send");
                error.kind() == io::ErrorKind::WouldBlock
            }
        }
    }
}

/// How many from the front can go as one piece: to one address, all as long as the first; the last may be shorter.
fn run(datagrams: &[(Endpoint, BytesMut)], most: usize) -> usize {
    let Some((to, first)) = datagrams.first() else { return 0 };
    let most = most.min(LONGEST / first.len().max(1)).max(1);
    let mut run = 1;
    for (next, datagram) in datagrams.iter().take(most).skip(1) {
        if next != to || datagram.len() > first.len() || datagram.is_empty() {
            break;
        }
        run += 1;
        if datagram.len() < first.len() {
            break;
        }
    }
    run
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::*;

    fn outgoing(to: SocketAddr, lengths: &[usize]) -> Vec<(Endpoint, BytesMut)> {
        let datagrams = lengths.iter().enumerate();
        datagrams.map(|(n, length)| (Endpoint::udp(to), BytesMut::from(&vec![n as u8; *length][..]))).collect()
    }

    #[test]
    fn a_run_is_of_one_address_and_one_length_but_for_its_last() {
        let [a, b] = ["192.0.2.1:1", "192.0.2.1:2"].map(|address| address.parse().unwrap());
        assert_eq!(run(&outgoing(a, &[9, 9, 9, 5, 9]), 64), 4);
        assert_eq!(run(&outgoing(a, &[5, 9]), 64), 1);
        assert_eq!(run(&outgoing(a, &[9, 9, 9]), 2), 2);
        assert_eq!(run(&outgoing(a, &[40_000, 40_000]), 64), 1);
        assert_eq!(run(&[outgoing(a, &[9]), outgoing(b, &[9])].concat(), 64), 1);
    }

    #[test]
    fn datagrams_arrive_one_by_one_and_in_order() {
        let sockets = ["127.0.0.1:0"; 2].map(|address| UdpSocket::bind(address).unwrap());
        let [from, to] = &sockets;
        let [mut sends, mut takes] = [from, to].map(|socket| Batch::new(socket).unwrap());
        let lengths = [1_100, 1_100, 1_100, 300, 90, 1_100, 1_100];
        let datagrams = outgoing(to.local_addr().unwrap(), &lengths);
        sends.send(from, &datagrams);
        let mut came = Vec::new();
        // On loopback what is sent is there.
        while let Ok(more) = takes.receive(to, |source, datagram| {
            assert_eq!(source, from.local_addr().unwrap());
            came.push(BytesMut::from(datagram));
        }) && more
        {}
        assert_eq!(came, datagrams.into_iter().map(|(_, datagram)| datagram).collect::<Vec<_>>());
    }
}
