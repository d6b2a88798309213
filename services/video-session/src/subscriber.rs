//! Who is behind an address, as far as counting goes.

use std::net::{IpAddr, Ipv6Addr};

/// One subscriber: an IPv4 address, or an IPv6 /64. Personal data: no `Debug`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Subscriber(IpAddr);

/// What one holder of addresses may have: an IPv4 address, or an IPv6 /48, in which there are 65,536 subscribers.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Site(IpAddr);

impl Subscriber {
    /// Where it is.
    pub(crate) fn site(self) -> Site {
        match self.0 {
            IpAddr::V6(v6) => Site(first(v6, 3)),
            v4 => Site(v4),
        }
    }
}

impl From<IpAddr> for Subscriber {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(v6) => Self(first(v6, 4)),
            v4 => Self(v4),
        }
    }
}

/// Only so many groups of 16 bits of it.
fn first(v6: Ipv6Addr, groups: usize) -> IpAddr {
    let mut all = v6.segments();
    all.iter_mut().skip(groups).for_each(|group| *group = 0);
    Ipv6Addr::from(all).into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_address_is_its_subscribers_and_its_sites() {
        let of = |text: &str| Subscriber::from(text.parse::<IpAddr>().unwrap());
        let one = of("2001:db8:1:2::1");
        let (same, neighbour, other) = (of("2001:db8:1:2:ffff::9"), of("2001:db8:1:3::1"), of("2001:db8:2:2::1"));
        assert!(one == same && one != neighbour && one.site() == neighbour.site() && one.site() != other.site());
        assert!(of("::ffff:10.0.0.1") == of("10.0.0.1"));
        assert!(of("10.0.0.1") != of("10.0.0.2") && of("10.0.0.1").site() != of("10.0.0.2").site());
    }
}
