//! A private NATS with JetStream for each test: started in about 0.1 s, on a port of its own. That of a stack asks who comes, as a
//! cluster's does.

use std::{fs, path::PathBuf, time::Duration};

use async_nats::{Client, ConnectOptions, jetstream};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::{
    Error, Identities, Papers, Port, Proxy,
    process::{Process, User, command, tail},
    scratch::Scratch,
    tools::{tool, workspace},
};

const PATIENCE: Duration = Duration::from_secs(20);
/// Who we are to one that asks.
const OURSELVES: &str = "spiffe://alcove/test";
/// Its settings, in its folder.
const SETTINGS: &str = "settings.json";

/// A NATS server of the test's own; ends when dropped.
#[derive(Debug)]
pub struct TestNats {
    process: Option<Process>,
    scratch: Scratch,
    binary: PathBuf,
    port: Port,
    url: String,
    /// By which we connect ourselves, if it asks.
    papers: Option<Papers>,
}

impl TestNats {
    /// Starts a server.
    ///
    /// # Errors
    /// When the tool is missing, or the server doesn't come up: with its log.
    pub async fn launch() -> Result<Self, Error> {
        Self::launch_with(None).await
    }

    /// Starts a server as a cluster has it: whoever connects shows a certificate of this authority, and may do what
    /// deploy/k8s/data/nats-users.json lets the one that it names. We ourselves may do anything.
    ///
    /// # Errors
    /// As [`Self::launch`].
    pub async fn launch_guarded(identities: &Identities) -> Result<Self, Error> {
        Self::launch_with(Some(identities)).await
    }

    async fn launch_with(identities: Option<&Identities>) -> Result<Self, Error> {
        let (binary, port, scratch) = (tool("nats-server")?, Port::claim()?, Scratch::new("nats-")?);
        let papers = identities.map(|identities| identities.named(OURSELVES)).transpose()?;
        if let Some(identities) = identities {
            let settings = guarded(&identities.named("spiffe://alcove/nats")?)?;
            let file = scratch.path().join(SETTINGS);
            fs::write(&file, settings.to_string()).map_err(Error::io("writing NATS' settings"))?;
        }
        let url = format!("{}://{}", if papers.is_some() { "tls" } else { "nats" }, port.address());
        let mut nats = Self { process: None, scratch, binary, port, url, papers };
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
        if self.papers.is_some() {
            command.arg("-c").arg(dir.join(SETTINGS));
        }
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

    /// The same, over a network.
    #[must_use]
    pub fn url_over(&self, network: &Proxy) -> String {
        self.url.replace(&self.address(), &network.address().to_string())
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> String {
        self.port.address().to_string()
    }

    /// A new connection.
    ///
    /// # Errors
    /// When the server is away.
    pub async fn client(&self) -> Result<Client, Error> {
        let options = match &self.papers {
            None => ConnectOptions::new(),
            Some(Papers { certificate, key, roots, .. }) => ConnectOptions::new()
                .add_root_certificates(roots.clone())
                .add_client_certificate(certificate.clone(), key.clone()),
        };
        Ok(options.connect(&self.url).await?)
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

    /// Takes NATS away with its disk, and starts one that has nothing.
    ///
    /// # Errors
    /// As [`Self::stop`] and [`Self::start`].
    pub async fn lose(&mut self) -> Result<(), Error> {
        self.stop().await?;
        fs::remove_dir_all(self.scratch.path().join("js")).map_err(Error::io("losing NATS' disk"))?;
        self.start().await
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

/// What NATS is told of TLS and of those who may come: a cluster's own words, and ourselves.
fn guarded(server: &Papers) -> Result<Value, Error> {
    let file = workspace().join("deploy/k8s/data/nats-users.json");
    let text = fs::read_to_string(&file).map_err(Error::io(format!("reading {}", file.display())))?;
    let mut values: Value =
        serde_json::from_str(&text).map_err(|error| Error::io("reading NATS' users")(error.into()))?;
    let mut authorization = values["config"]["merge"]["authorization"].take();
    if let Some(users) = authorization["users"].as_array_mut() {
        users.push(json!({ "user": OURSELVES }));
    }
    let Papers { certificate, key, roots, .. } = server;
    let tls = json!({ "cert_file": certificate, "key_file": key, "ca_file": roots, "verify_and_map": true });
    Ok(json!({ "tls": tls, "authorization": authorization }))
}

/// A fresh NATS with nothing in it.
///
/// # Panics
/// When it can't be had: the test can't go on, and says why.
#[expect(clippy::panic, reason = "a test without its NATS has failed; the message says why")]
pub async fn nats() -> TestNats {
    TestNats::launch().await.unwrap_or_else(|e| panic!("no test nats: {e}"))
}
