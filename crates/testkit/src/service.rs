//! A service as a process: the built binary, on ports of its own, with its log kept for the error message.

use std::{
    collections::BTreeMap,
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
    time::{Duration, Instant},
};

use rustix::process::Signal;

use crate::{
    Error, Port,
    process::{Process, User, command, tail},
    scratch::Scratch,
};

const PATIENCE: Duration = Duration::from_secs(60);

/// A running service; killed when dropped.
#[derive(Debug)]
pub struct Service {
    name: String,
    dir: PathBuf,
    env: Vec<(String, String)>,
    process: Option<Process>,
    /// Of each listener's section: started again, it must be found where it was.
    ports: BTreeMap<&'static str, Port>,
    addresses: BTreeMap<String, String>,
    _own_dir: Option<Scratch>,
}

impl Service {
    /// Starts a service on ports of 127.0.0.1, with these environment variables (`ALCOVE_INTAKE__NATS__URL`),
    /// and waits until it listens. It may still be without its Postgres or NATS: see [`Service::ready`].
    ///
    /// # Errors
    /// When it isn't built, or ends before it listens: with its log.
    pub async fn start(name: &str, env: &[(&str, &str)]) -> Result<Self, Error> {
        let own = Scratch::new("service-")?;
        let mut service = Self::start_in(name, env, own.path()).await?;
        service._own_dir = Some(own);
        Ok(service)
    }

    /// As [`Service::start`], with its log (`intake.log`) and address file in a folder of the caller's.
    ///
    /// # Errors
    /// As [`Service::start`].
    pub async fn start_in(name: &str, env: &[(&str, &str)], dir: &Path) -> Result<Self, Error> {
        let ports = listeners(name).iter().map(|(section, _)| Ok((*section, Port::claim()?)));
        let mut service = Self {
            name: name.to_owned(),
            dir: dir.to_owned(),
            env: env.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
            process: None,
            ports: ports.collect::<Result<_, Error>>()?,
            addresses: BTreeMap::new(),
            _own_dir: None,
        };
        service.up().await?;
        Ok(service)
    }

    async fn up(&mut self) -> Result<(), Error> {
        let address_file = self.dir.join(format!("{}.addresses.json", self.name));
        let _ = fs::remove_file(&address_file);
        let log = self.log_file();
        let out = File::options().create(true).append(true).open(&log).map_err(Error::io("a service's log"))?;
        let mut command = command(&binary(&self.name)?, User::Same, "KILL");
        command.arg("serve");
        clean(&mut command);
        for (section, port) in &self.ports {
            command.env(key(&self.name, &format!("{section}__listen")), port.address().to_string());
        }
        command.env(key(&self.name, "address_file"), &address_file);
        // What it leaves in temporary files lies beside its log, where tests look.
        command.env("TMPDIR", &self.dir).envs(self.env.iter().cloned());
        command.stdout(out.try_clone().map_err(Error::io("a service's log"))?).stderr(out);
        let process = Process::spawn(command, Signal::KILL)?;
        self.addresses = process.ready(PATIENCE, &log, async || read_addresses(&address_file)).await?;
        self.process = Some(process);
        Ok(())
    }

    /// Waits until `/readyz` says that all that it depends on is there.
    ///
    /// # Errors
    /// When it isn't in time: with what `/readyz` said last.
    pub async fn ready(&self) -> Result<(), Error> {
        let url = format!("{}/readyz", self.url("health"));
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = reqwest::get(&url).await?;
            if answer.status().is_success() {
                return Ok(());
            }
            if Instant::now() > deadline {
                let log = format!("{}\n{}", answer.text().await?, self.log());
                return Err(Error::Late {
                    what: format!("readiness of {}", self.name),
                    seconds: PATIENCE.as_secs(),
                    log,
                });
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Where it listens: `grpc`, `health`, `http` or `udp`, as `127.0.0.1:1234`; empty for what it doesn't have.
    #[must_use]
    pub fn address(&self, listener: &str) -> &str {
        self.addresses.get(listener).map_or("", String::as_str)
    }

    /// As [`Service::address`], as a URL.
    #[must_use]
    pub fn url(&self, listener: &str) -> String {
        self.url_at(listener, self.address(listener))
    }

    /// As [`Service::url`], where a proxy leads to the listener.
    #[must_use]
    pub fn url_at(&self, listener: &str, address: &str) -> String {
        let certificate = key(&self.name, "tls__certificate");
        let secure = listener == "grpc" && self.env.iter().any(|(key, _)| *key == certificate);
        format!("{}://{address}", if secure { "https" } else { "http" })
    }

    /// Its process id; 0 when it doesn't run.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.as_ref().map_or(0, Process::pid)
    }

    /// Asks it to end (SIGTERM) and waits for that.
    ///
    /// # Errors
    /// When it doesn't run, or doesn't end.
    pub async fn terminate(&mut self) -> Result<ExitStatus, Error> {
        self.end(Signal::TERM).await
    }

    /// Ends it as a crash does (SIGKILL).
    ///
    /// # Errors
    /// When it doesn't run.
    pub async fn kill(&mut self) -> Result<ExitStatus, Error> {
        self.end(Signal::KILL).await
    }

    /// Stops it in its tracks (SIGSTOP): it listens, and does nothing.
    ///
    /// # Errors
    /// When the signal can't be sent.
    pub fn freeze(&self) -> Result<(), Error> {
        self.process.as_ref().map_or(Ok(()), |process| process.signal(Signal::STOP))
    }

    /// Lets it go on (SIGCONT), as if no time had passed.
    ///
    /// # Errors
    /// When the signal can't be sent.
    pub fn thaw(&self) -> Result<(), Error> {
        self.process.as_ref().map_or(Ok(()), |process| process.signal(Signal::CONT))
    }

    async fn end(&mut self, signal: Signal) -> Result<ExitStatus, Error> {
        let Some(process) = self.process.take() else {
            let what = format!("{} doesn't run", self.name);
            return Err(Error::Io { what, source: std::io::ErrorKind::NotFound.into() });
        };
        process.signal(signal)?;
        let ended = process.wait(PATIENCE).await;
        ended.map_err(|late| {
            if let Error::Late { what, seconds, log: threads } = late {
                Error::Late { what, seconds, log: format!("{}\n{threads}", self.log()) }
            } else {
                late
            }
        })
    }

    /// How it ended, if it did by itself.
    ///
    /// # Errors
    /// When the system doesn't say.
    pub fn ended(&self) -> Result<Option<ExitStatus>, Error> {
        self.process.as_ref().map_or(Ok(None), Process::ended)
    }

    /// Starts it again, on the same addresses and with the same settings; kills it first if it runs.
    ///
    /// # Errors
    /// As [`Service::start`].
    pub async fn restart(&mut self) -> Result<(), Error> {
        self.process = None;
        self.up().await
    }

    /// The end of its log.
    #[must_use]
    pub fn log(&self) -> String {
        tail(&self.log_file())
    }

    /// Where its whole log is.
    #[must_use]
    pub fn log_file(&self) -> PathBuf {
        self.dir.join(format!("{}.log", self.name))
    }

    /// Runs `<service> migrate` to its end.
    ///
    /// # Errors
    /// When it fails: with what it printed.
    pub async fn migrate(name: &str, env: &[(&str, &str)]) -> Result<(), Error> {
        Self::errand(name, "migrate", env).await.map(drop)
    }

    /// Runs a command of the service's that does one thing, to its end. What it prints.
    ///
    /// # Errors
    /// When it fails: with what it printed.
    pub async fn errand(name: &str, errand: &str, env: &[(&str, &str)]) -> Result<String, Error> {
        let mut command = Command::new(binary(name)?);
        clean(&mut command);
        command.arg(errand).envs(env.iter().copied());
        let what = format!("{name} {errand}");
        let output = tokio::process::Command::from(command).kill_on_drop(true).output();
        let output = output.await.map_err(Error::io(what.clone()))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let text = [output.stdout, output.stderr].concat();
        Err(Error::Failed { what, status: output.status, output: String::from_utf8_lossy(&text).into_owned() })
    }
}

/// The environment variable of a setting: `key("intake", "nats__url")` is `ALCOVE_INTAKE__NATS__URL`.
#[must_use]
pub fn key(service: &str, setting: &str) -> String {
    format!("ALCOVE_{service}__{setting}").replace('-', "_").to_uppercase()
}

/// A program of the workspace, from the folder that this test or program was built into.
///
/// # Errors
/// When it isn't built.
pub fn binary(name: &str) -> Result<PathBuf, Error> {
    let me = env::current_exe().map_err(Error::io("the path of this program"))?;
    let folder = me.ancestors().skip(1).find(|dir| !dir.ends_with("deps") && !dir.ends_with("examples"));
    let path = folder.unwrap_or(Path::new("/")).join(name);
    if path.exists() { Ok(path) } else { Err(Error::NoBinary { path }) }
}

/// Each listener's section in the configuration, and its name in the address file.
fn listeners(service: &str) -> &'static [(&'static str, &'static str)] {
    match service {
        "console" | "witness" => &[("http", "http"), ("health", "health")],
        "video-session" => {
            &[("grpc", "grpc"), ("health", "health"), ("http", "http"), ("media", "udp"), ("receipts", "receipts")]
        }
        _ => &[("grpc", "grpc"), ("health", "health")],
    }
}

/// Takes away settings that were meant for another stack.
fn clean(command: &mut Command) {
    for (key, _) in env::vars_os() {
        if key.to_string_lossy().starts_with("ALCOVE_") {
            command.env_remove(key);
        }
    }
}

/// What a service writes once it listens; nothing while it doesn't.
pub(crate) fn read_addresses(file: &Path) -> Option<BTreeMap<String, String>> {
    serde_json::from_slice(&fs::read(file).ok()?).ok()
}
