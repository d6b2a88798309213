//! A TURN server as others run it: coturn (Debian's), over TLS only, under an authority of its own, with credentials that are
//! good for a while (`use-auth-secret`).

use std::{
    fs,
    net::IpAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::process::Signal;
use tokio::net::TcpStream;

use crate::{
    Error, Port,
    authority::certify,
    process::{Process, User, command},
    scratch::Scratch,
};

const PATIENCE: Duration = Duration::from_secs(20);
const SECRET: &str = "the north wind";

/// A running server; ends when dropped.
#[derive(Debug)]
pub struct Turn {
    port: Port,
    scratch: Scratch,
    _process: Process,
}

impl Turn {
    /// Starts one at an address of this machine, on a port of its own.
    ///
    /// # Errors
    /// When coturn, OpenSSL or `certutil` isn't installed, or it doesn't come up: with its log.
    pub async fn start(at: IpAddr) -> Result<Self, Error> {
        let scratch = Scratch::new("turn-")?;
        let (folder, log) = (scratch.path().to_owned(), scratch.path().join("log"));
        certify(&folder, &format!("IP:{at}"))?;
        // It can't be asked for any port, and says none.
        let port = Port::claim_at(at)?;
        let address = port.address();
        let mut command = command(Path::new("turnserver"), User::Same, "KILL");
        command.args(["-n", "--no-cli", "--no-udp", "--no-tcp", "--no-dtls", "--no-multicast-peers"]);
        command.args(["--realm=turn.test", "--use-auth-secret", "--log-file=stdout", "--simple-log"]);
        command.arg(format!("--static-auth-secret={SECRET}"));
        command.args([format!("--listening-ip={at}"), format!("--relay-ip={at}")]);
        command.arg(format!("--tls-listening-port={}", address.port()));
        for (option, file) in [("cert", "server.pem"), ("pkey", "server.key"), ("pidfile", "pid"), ("userdb", "users")]
        {
            command.arg(format!("--{option}={}", folder.join(file).display()));
        }
        let out = fs::File::create(&log).map_err(Error::io("coturn's log"))?;
        command.stdout(out.try_clone().map_err(Error::io("coturn's log"))?).stderr(out);
        let process = Process::spawn(command, Signal::KILL)?;
        process.ready(PATIENCE, &log, async || TcpStream::connect(address).await.ok()).await?;
        Ok(Self { port, scratch, _process: process })
    }

    /// For video-session's `turn.urls`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("turns:{}?transport=tcp", self.port.address())
    }

    /// For video-session's `turn.secret`.
    #[must_use]
    pub fn secret(&self) -> &'static str {
        SECRET
    }

    /// A home folder whose user trusts the server's authority, for a browser.
    #[must_use]
    pub fn home(&self) -> PathBuf {
        self.scratch.path().join("home")
    }
}
