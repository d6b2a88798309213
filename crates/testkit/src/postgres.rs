//! A private Postgres for each test: started in about 0.1 s from a copied data folder, on a Unix socket.
//!
//! One server for the whole run would start faster still, but a test that stops its Postgres, or crashes it, must
//! not meet another test there.

mod installed;

use std::{
    fs::{self, File},
    os::unix::fs::chown,
    path::PathBuf,
    str::FromStr as _,
    time::Duration,
};

use rustix::process::{Signal, geteuid};
use sqlx::{
    AssertSqlSafe, Connection as _, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::{
    Error, Proxy,
    process::{Process, command},
    role::{ROLE, ready, seeing_all},
    scratch::{self, Scratch},
};
use installed::{binaries, nobody, template, user};

const PATIENCE: Duration = Duration::from_secs(30);

/// Whether a commit survives a crash of the machine. A crash of Postgres alone it always survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// `fsync=off`: what a test wants.
    Off,
    /// As in production.
    On,
}

/// A Postgres server of the test's own; ends when dropped.
#[derive(Debug)]
pub struct Postgres {
    // Before the folder: the server must be gone when that is removed.
    process: Option<Process>,
    scratch: Scratch,
    durability: Durability,
    binaries: PathBuf,
}

impl Postgres {
    /// Starts a server.
    ///
    /// # Errors
    /// When the tools are missing, or the server doesn't come up: with its log.
    pub async fn launch(durability: Durability) -> Result<Self, Error> {
        let binaries = binaries()?;
        let scratch = Scratch::new("pg-")?;
        // The template holds no log of a running server: a copy is as good as a new cluster.
        scratch::copy(&template(&binaries)?, &scratch.path().join("data"))?;
        if geteuid().is_root() {
            let (uid, gid) = nobody()?;
            chown(scratch.path(), Some(uid), Some(gid)).map_err(Error::io("giving the folder to nobody"))?;
        }
        let mut postgres = Self { process: None, scratch, durability, binaries };
        postgres.start().await?;
        Ok(postgres)
    }

    /// Starts it again after [`Postgres::stop`] or [`Postgres::crash`], with all that was committed.
    ///
    /// # Errors
    /// When it doesn't come up: with its log.
    pub async fn start(&mut self) -> Result<(), Error> {
        if self.process.is_some() {
            return Ok(());
        }
        let dir = self.scratch.path();
        let log = dir.join("log");
        let out = File::options().create(true).append(true).open(&log).map_err(Error::io("postgres's log"))?;
        let mut command = command(&self.binaries.join("bin/postgres"), user(), "INT");
        command.current_dir("/").arg("-D").arg(dir.join("data")).arg("-k").arg(dir).args(SETTINGS);
        if self.durability == Durability::Off {
            command.args(["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]);
        }
        command.env("LD_LIBRARY_PATH", self.binaries.join("lib"));
        command.stdout(out.try_clone().map_err(Error::io("postgres's log"))?).stderr(out);
        let process = Process::spawn(command, Signal::QUIT)?;
        let url = self.url_as("postgres", "postgres");
        process.ready(PATIENCE, &log, async || ready(&url).await.ok()).await?;
        self.process = Some(process);
        Ok(())
    }

    /// Takes Postgres away in an orderly manner: open connections are cut.
    ///
    /// # Errors
    /// When it doesn't end.
    pub async fn stop(&mut self) -> Result<(), Error> {
        self.end(Signal::INT).await
    }

    /// Takes Postgres away as a crash does, without a checkpoint.
    ///
    /// # Errors
    /// When it doesn't end.
    pub async fn crash(&mut self) -> Result<(), Error> {
        self.end(Signal::QUIT).await
    }

    async fn end(&mut self, signal: Signal) -> Result<(), Error> {
        if let Some(process) = self.process.take() {
            process.signal(signal)?;
            process.wait(PATIENCE).await?;
        }
        Ok(())
    }

    /// Stops it in its tracks (SIGSTOP), with every connection of it: they stay, and nothing comes.
    ///
    /// # Errors
    /// When the signal can't be sent.
    pub fn freeze(&self) -> Result<(), Error> {
        self.process.as_ref().map_or(Ok(()), |process| process.signal_family(Signal::STOP))
    }

    /// Lets it go on (SIGCONT).
    ///
    /// # Errors
    /// When the signal can't be sent.
    pub fn thaw(&self) -> Result<(), Error> {
        self.process.as_ref().map_or(Ok(()), |process| process.signal_family(Signal::CONT))
    }

    /// Keeps a copy of all that it holds now, in the place of an earlier one. It is away for a moment.
    ///
    /// # Errors
    /// When it doesn't stop or start, or the copy can't be made.
    pub async fn back_up(&mut self) -> Result<(), Error> {
        self.stop().await?;
        let (data, copy) = (self.scratch.path().join("data"), self.scratch.path().join("backup"));
        let _ = fs::remove_dir_all(&copy);
        scratch::copy(&data, &copy)?;
        self.start().await
    }

    /// Exchanges the copy with all that it holds, so done twice it has the newer data again. It is away for a moment.
    ///
    /// # Errors
    /// When there is no copy, or it doesn't stop or start.
    pub async fn put_back(&mut self) -> Result<(), Error> {
        self.stop().await?;
        let [data, copy, apart] = ["data", "backup", "apart"].map(|name| self.scratch.path().join(name));
        for (from, to) in [(&data, &apart), (&copy, &data), (&apart, &copy)] {
            fs::rename(from, to).map_err(Error::io("exchanging the data with the copy"))?;
        }
        self.start().await
    }

    /// Makes a database.
    ///
    /// # Errors
    /// When Postgres is away or the name is taken.
    pub async fn create_database(&self, name: &str) -> Result<(), Error> {
        let mut connection = PgConnection::connect(&self.url("postgres")).await?;
        let statement = AssertSqlSafe(format!("CREATE DATABASE \"{name}\""));
        sqlx::raw_sql(statement).execute(&mut connection).await?;
        Ok(connection.close().await?)
    }

    /// The URL of a database of this server, for a service: as a role that owns it and is otherwise nobody special, so
    /// that row-level security binds it as in production.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        self.url_as(ROLE, database)
    }

    /// The same for a test's own look, which sees the rows of every force.
    #[must_use]
    pub fn url_of_all(&self, database: &str) -> String {
        seeing_all(&self.url(database))
    }

    /// The same as the server's superuser, whom no policy binds: for tests of being refused.
    #[must_use]
    pub fn url_of_superuser(&self, database: &str) -> String {
        self.url_as("postgres", database)
    }

    fn url_as(&self, role: &str, database: &str) -> String {
        format!("postgres://{role}@localhost/{database}?host={}", self.scratch.path().display())
    }

    /// A network to it that can be cut: for [`Postgres::url_over`].
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn network(&self) -> Result<Proxy, Error> {
        Proxy::start(self.scratch.path().join(".s.PGSQL.5432").display().to_string()).await
    }

    /// The URL of a database of this server, over a network of its own.
    #[must_use]
    pub fn url_over(network: &Proxy, database: &str) -> String {
        format!("postgres://{ROLE}@{}/{database}", network.address())
    }
}

/// A database of the test's own, on a server of its own.
#[derive(Debug)]
pub struct TestDatabase {
    server: Postgres,
    pool: PgPool,
}

const TELL_INBOX: &str = "
    create function outbox.tell_inbox() returns trigger language plpgsql as
        $$ begin perform pg_notify('inbox', ''); return null; end $$;
    create trigger tell_inbox after insert on outbox.inbox execute function outbox.tell_inbox();";

impl TestDatabase {
    async fn launch(durability: Durability) -> Result<Self, Error> {
        let server = Postgres::launch(durability).await?;
        let options = PgConnectOptions::from_str(&server.url_of_all("postgres"))?;
        // A test that holds more connections than this at once, or waits longer, has a bug to show.
        let pool = PgPoolOptions::new().max_connections(40).acquire_timeout(Duration::from_secs(10));
        Ok(Self { pool: pool.connect_lazy_with(options), server })
    }

    /// For a service's `database.url`.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.url("postgres")
    }

    /// A network to it that can be cut, and its URL over that.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn network(&self) -> Result<(Proxy, String), Error> {
        let network = self.server.network().await?;
        let url = Postgres::url_over(&network, "postgres");
        Ok((network, url))
    }

    /// For a service that should refuse it: see [`Postgres::url_of_superuser`].
    #[must_use]
    pub fn url_of_superuser(&self) -> String {
        self.server.url_of_superuser("postgres")
    }

    /// A pool of connections to it that see the rows of every force; cheap to clone.
    #[must_use]
    pub fn pool(&self) -> PgPool {
        self.pool.clone()
    }

    /// Has every further inbox row told on the channel "inbox": an event that changes nothing tells nobody by itself, and a test is
    /// to wait for it without looking again and again.
    ///
    /// # Errors
    /// There is no inbox yet: the service's migrations have not run.
    pub async fn tell_inbox(&self) -> Result<(), Error> {
        sqlx::raw_sql(TELL_INBOX).execute(&self.pool).await?;
        Ok(())
    }

    /// Takes Postgres away; connections are cut, and new ones refused.
    ///
    /// # Errors
    /// When it doesn't end.
    pub async fn stop(&mut self) -> Result<(), Error> {
        self.server.stop().await
    }

    /// Takes Postgres away without a checkpoint, as a crash does.
    ///
    /// # Errors
    /// When it doesn't end.
    pub async fn crash(&mut self) -> Result<(), Error> {
        self.server.crash().await
    }

    /// Brings Postgres back with all that was committed.
    ///
    /// # Errors
    /// When it doesn't come up: with its log.
    pub async fn start(&mut self) -> Result<(), Error> {
        self.server.start().await
    }

    /// Keeps a copy of all that it holds now: see [`Postgres::back_up`].
    ///
    /// # Errors
    /// When it can't.
    pub async fn back_up(&mut self) -> Result<(), Error> {
        self.server.back_up().await
    }

    /// Puts the copy back, as a careless or dishonest administrator would: see [`Postgres::put_back`].
    ///
    /// # Errors
    /// When it can't.
    pub async fn put_back(&mut self) -> Result<(), Error> {
        self.server.put_back().await
    }
}

/// A fresh, empty database.
///
/// # Panics
/// When it can't be had: the test can't go on, and says why.
#[expect(clippy::panic, reason = "a test without its database has failed; the message says why")]
pub async fn database() -> TestDatabase {
    TestDatabase::launch(Durability::Off).await.unwrap_or_else(|e| panic!("no test database: {e}"))
}

/// A fresh, empty database whose commits are on the disk, for tests that crash things.
///
/// # Panics
/// When it can't be had: the test can't go on, and says why.
#[expect(clippy::panic, reason = "a test without its database has failed; the message says why")]
pub async fn database_durable() -> TestDatabase {
    TestDatabase::launch(Durability::On).await.unwrap_or_else(|e| panic!("no test database: {e}"))
}

/// Small and quick: a test's data fits in little, and its server lives for seconds.
// After a crash Postgres syncs all of its files one by one, which takes a small disk ten seconds: the whole file system at once it does in one.
const SETTINGS: [&str; 18] = [
    "-c",
    "recovery_init_sync_method=syncfs",
    "-c",
    "listen_addresses=",
    "-c",
    "shared_buffers=16MB",
    "-c",
    "max_connections=200",
    "-c",
    "io_method=sync",
    "-c",
    "max_wal_size=256MB",
    "-c",
    "jit=off",
    "-c",
    "timezone=UTC",
    "-c",
    "log_min_messages=warning",
];
