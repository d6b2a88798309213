//! Ports that stay their holder's.
//!
//! Whatever is started again must be found where it was, and some addresses must be known before anything listens
//! there. A port that was free a moment ago won't do: the system may have given it to somebody's outgoing connection by
//! then. So these are from below the range that it gives away, and a file lock keeps other tests from them.

use std::{
    fs::{self, File, TryLockError},
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket},
    ops::Range,
    process,
};

use crate::{Error, scratch};

/// Below what Linux gives to `:0` and to outgoing connections (`ip_local_port_range`: from 32,768 on).
const RANGE: Range<u16> = 16_000..32_000;
/// So many processes begin to look at places of their own, each at so many ports.
const APART: u32 = 64;

/// A port of this machine's, for TCP and UDP, that no other test is given while this one is held.
#[derive(Debug)]
pub struct Port {
    address: SocketAddr,
    _lock: File,
}

impl Port {
    /// One of 127.0.0.1.
    ///
    /// # Errors
    /// When none can be had.
    pub fn claim() -> Result<Self, Error> {
        Self::claim_at(Ipv4Addr::LOCALHOST.into())
    }

    /// One of this address.
    ///
    /// # Errors
    /// When none can be had: also when it isn't an address of this machine.
    pub fn claim_at(at: IpAddr) -> Result<Self, Error> {
        let what = || Error::io("a port of one's own");
        let locks = scratch::cache()?.join("ports");
        fs::create_dir_all(&locks).map_err(what())?;
        let size = u32::from(RANGE.end - RANGE.start);
        let first = process::id() * APART % size;
        let mut refusal = io::Error::from(io::ErrorKind::AddrInUse);
        for step in 0..size {
            // Both are less than the range's size, which fits.
            let number = RANGE.start + u16::try_from((first + step) % size).unwrap_or_default();
            let lock = File::create(locks.join(number.to_string())).map_err(what())?;
            match lock.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => continue,
                Err(TryLockError::Error(source)) => return Err(what()(source)),
            }
            let address = SocketAddr::new(at, number);
            match TcpListener::bind(address).and_then(|_| UdpSocket::bind(address)) {
                Ok(_) => return Ok(Self { address, _lock: lock }),
                Err(error) => refusal = error,
            }
        }
        Err(what()(refusal))
    }

    /// Where to listen, and where to find who does.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_its_holders_until_dropped() {
        let held: Vec<_> = (0..100).map(|_| Port::claim().unwrap()).collect();
        let mut numbers: Vec<_> = held.iter().map(|port| port.address().port()).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), held.len());
        assert!(numbers.iter().all(|number| RANGE.contains(number)), "{numbers:?}");
    }

    #[test]
    fn what_listens_without_a_claim_is_left_alone() {
        let held = Port::claim().unwrap();
        let address = held.address();
        let listener = TcpListener::bind(address).unwrap();
        drop(held);
        let next: Vec<_> = (0..4).map(|_| Port::claim().unwrap().address()).collect();
        assert!(!next.contains(&address), "{next:?}");
        drop(listener);
    }

    #[test]
    fn the_system_gives_none_of_them_away() {
        let given = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap();
        let from: u16 = given.split_whitespace().next().unwrap().parse().unwrap();
        assert!(from >= RANGE.end, "this machine gives away ports from {from} on");
    }
}
