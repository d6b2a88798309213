//! A private NATS with JetStream for each test: started in about 0.1 s, on a port of its own.

use std::{path::PathBuf, time::Duration};

use async_nats::{Client, jetstream};
use rustix::process::Signal;

use crate::{
    Error, Port,
    process::{Process, User, command, tail},
    scratch::Scratch,
    tools::tool,
};

const PATIENCE: Duration = Duration::from_secs(20);

/// A NATS server of the test's own; ends when dropped.
#[derive(Debug)]
pub struct TestNats {
    process: Option<Process>,
    scratch: Scratch,
    binary: PathBuf,
    port: Port,
    url: String,
}

impl TestNats {
    /// Starts a server.
    ///
    /// # Errors
    /// When the tool is missing, or the server doesn't come up: with its log.
    pub async fn launch() -> Result<Self, Error> {
        let binary = tool("nats-server")?;
        let port = Port::claim()?;
        let url = format!("nats://{}", port.address());
        let mut nats = Self { process: None, scratch: Scratch::new("nats-")?, binary, port, url };
        nats.up().await?;
        Ok(nats)
    }

    async fn up(&mut self) -> Result<(), Error> {
        let dir = self.scratch.path();
        let log = dir.join("log");
        let mut command = command(&self.binary, User::Same, "KILL");
        command
            .args(["-a", "127.0.0.1", "-p", &self.port.address().port().to_string(), "-js", "-sd"])
            .arg(dir.join("js"));
        command.arg("--ports_file_dir").arg(dir).arg("-l").arg(&log);
        let process = Process::spawn(command, Signal::KILL)?;
        let ports = dir.join(format!("nats-server_{}.ports", process.pid()));
        // The file appears once the listeners are open.
        process.ready(PATIENCE, &log, async || ports.exists().then_some(())).await?;
        self.process = Some(process);
        Ok(())
    }

    /// For a service's `nats.url`; stays the same over an outage.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A new connection.
    ///
    /// # Errors
    /// When the server is away.
    pub async fn client(&self) -> Result<Client, Error> {
        Ok(async_nats::connect(&self.url).await?)
    }

    /// JetStream, on a new connection.
    ///
    /// # Errors
    /// When the server is away.
    pub async fn jetstream(&self) -> Result<jetstream::Context, Error> {
        Ok(jetstream::new(self.client().await?))
    }

    /// Takes NATS away at once, as a crash does; what it acknowledged is kept.
    ///
    /// # Errors
    /// When it doesn't end.
    pub async fn stop(&mut self) -> Result<(), Error> {
        if let Some(process) = self.process.take() {
            process.signal(Signal::KILL)?;
            process.wait(PATIENCE).await?;
        }
        Ok(())
    }

    /// Brings NATS back on the same port with the same streams.
    ///
    /// # Errors
    /// When it doesn't come up: with its log.
    pub async fn start(&mut self) -> Result<(), Error> {
        if self.process.is_some() {
            return Ok(());
        }
        self.up().await
    }

    /// Stops it in its tracks (SIGSTOP): connections stay, and nothing comes.
    ///
    /// # Errors
    /// When the signal can't be sent.
    pub fn freeze(&self) -> Result<(), Error> {
        self.process.as_ref().map_or(Ok(()), |process| process.signal(Signal::STOP))
    }

    /// Lets it go on (SIGCONT).
    ///
    /// # Errors
    /// When the signal can't be sent.
    pub fn thaw(&self) -> Result<(), Error> {
        self.process.as_ref().map_or(Ok(()), |process| process.signal(Signal::CONT))
    }

    /// The end of the server's log.
    #[must_use]
    pub fn log(&self) -> String {
        tail(&self.scratch.path().join("log"))
    }
}

/// A fresh NATS with nothing in it.
///
/// # Panics
/// When it can't be had: the test can't go on, and says why.
#[expect(clippy::panic, reason = "a test without its NATS has failed; the message says why")]
pub async fn nats() -> TestNats {
    TestNats::launch().await.unwrap_or_else(|e| panic!("no test nats: {e}"))
}
