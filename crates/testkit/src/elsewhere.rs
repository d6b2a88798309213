//! A phone's place in the world: a network namespace with two links to this machine, as a phone has Wi-Fi and 4G. Real links, real
//! addresses, and a kernel that tells the browser of them. Needs root, and `ip` (Debian: iproute2).

use std::{net::Ipv4Addr, process::Command};

use crate::Error;

/// One of the phone's two networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// Taken whenever it is there.
    Wifi,
    /// Taken when the other isn't there.
    Mobile,
}

/// The place; gone when dropped.
#[derive(Debug)]
pub struct Elsewhere {
    name: String,
    /// 10.98.x: addresses of this test's own.
    net: [u8; 3],
}

impl Elsewhere {
    /// Makes it, with both networks there.
    ///
    /// # Errors
    /// When not root, or `ip` is not installed: with what it said.
    pub fn make() -> Result<Self, Error> {
        let pid = std::process::id();
        let elsewhere = Self { name: format!("alcove{pid}"), net: [10, 98, (pid % 256).to_le_bytes()[0]] };
        ip(&["netns", "add", &elsewhere.name])?;
        ip(&["address", "add", &format!("{}/32", elsewhere.here()), "dev", "lo"])?;
        elsewhere.inside(&["link", "set", "lo", "up"])?;
        // Its addresses come a second or two after the link, and a browser waits for the last of them.
        let no_ipv6 = "v6=/proc/sys/net/ipv6/conf/all/disable_ipv6; [ ! -e $v6 ] || echo 1 > $v6";
        ip(&["netns", "exec", &elsewhere.name, "sh", "-c", no_ipv6])?;
        for network in [Network::Wifi, Network::Mobile] {
            let [near, far] = elsewhere.ends(network);
            ip(&["link", "add", &near, "type", "veth", "peer", "name", &far, "netns", &elsewhere.name])?;
            let [near_address, _] = elsewhere.addresses(network);
            ip(&["address", "add", &format!("{near_address}/30"), "dev", &near])?;
            ip(&["link", "set", &near, "up"])?;
            elsewhere.up(network)?;
        }
        Ok(elsewhere)
    }

    /// The namespace's name, for `ip netns exec`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// This machine's address, the same over either network.
    #[must_use]
    pub fn here(&self) -> Ipv4Addr {
        self.address(1)
    }

    /// Brings a network up.
    ///
    /// # Errors
    /// What `ip` said.
    pub fn up(&self, network: Network) -> Result<(), Error> {
        let ([_, far], [near_address, far_address]) = (self.ends(network), self.addresses(network));
        let preference = if network == Network::Wifi { "100" } else { "200" };
        self.inside(&["address", "replace", &format!("{far_address}/30"), "dev", &far])?;
        self.inside(&["link", "set", &far, "up"])?;
        let gateway = near_address.to_string();
        self.inside(&["route", "replace", "default", "via", &gateway, "dev", &far, "metric", preference])
    }

    /// Takes a network down, and with it the phone's address there.
    ///
    /// # Errors
    /// What `ip` said.
    pub fn down(&self, network: Network) -> Result<(), Error> {
        let [_, far] = self.ends(network);
        self.inside(&["address", "flush", "dev", &far])?;
        self.inside(&["link", "set", &far, "down"])
    }

    /// Lets only so much out over a network, in kilobits a second; `None`: all.
    ///
    /// # Errors
    /// What `tc` said.
    pub fn limit(&self, network: Network, kbps: Option<u32>) -> Result<(), Error> {
        let [_, far] = self.ends(network);
        let rate = format!("{}kbit", kbps.unwrap_or(1_000_000));
        let bucket = ["root", "tbf", "rate", &rate, "burst", "4k", "latency", "300ms"];
        run("tc", &[&["-n", &self.name, "qdisc", "replace", "dev", &far], &bucket[..]].concat())
    }

    /// From now on no UDP gets out.
    ///
    /// # Errors
    /// What `ip` said.
    pub fn block_udp(&self) -> Result<(), Error> {
        self.inside(&["rule", "add", "ipproto", "udp", "blackhole"])
    }

    /// The links' names, here and there.
    fn ends(&self, network: Network) -> [String; 2] {
        ["n", "f"].map(|end| format!("{}{}{end}", if network == Network::Wifi { 'w' } else { 'm' }, std::process::id()))
    }

    fn addresses(&self, network: Network) -> [Ipv4Addr; 2] {
        let first = if network == Network::Wifi { 5 } else { 9 };
        [self.address(first), self.address(first + 1)]
    }

    fn address(&self, last: u8) -> Ipv4Addr {
        let [a, b, c] = self.net;
        Ipv4Addr::new(a, b, c, last)
    }

    fn inside(&self, arguments: &[&str]) -> Result<(), Error> {
        ip(&[&["-n", &self.name], arguments].concat())
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        // The links go with the namespace.
        let _ = ip(&["netns", "delete", &self.name]);
        let _ = ip(&["address", "delete", &format!("{}/32", self.here()), "dev", "lo"]);
    }
}

fn ip(arguments: &[&str]) -> Result<(), Error> {
    run("ip", arguments)
}

fn run(program: &str, arguments: &[&str]) -> Result<(), Error> {
    let what = format!("{program} {} (needs root, and iproute2)", arguments.join(" "));
    let output = Command::new(program).args(arguments).output().map_err(Error::io(what.clone()))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(Error::Failed { what, status: output.status, output: said })
}
