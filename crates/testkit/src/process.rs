//! Child processes that never outlive the test.
//!
//! The kernel ends a child when the *thread* that started it ends (`PR_SET_PDEATHSIG`), and tests' threads come and
//! go; so one thread, which lives as long as the test process, starts them all.

use std::{
    ffi::OsStr,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Mutex, MutexGuard, OnceLock, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::signal::unix::{SignalKind, signal};

use crate::Error;

const POLL: Duration = Duration::from_millis(5);

/// As whom a program runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum User {
    /// As the test itself.
    Same,
    /// As `nobody`: Postgres refuses to run as root.
    Nobody,
}

/// A command that dies by `on_death` (a name for setpriv, such as `KILL`) when the test does.
pub(crate) fn command(program: &Path, user: User, on_death: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.arg(format!("--pdeathsig={on_death}"));
    if user == User::Nobody {
        command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"]);
    }
    // A group of its own: Ctrl-C goes to whoever started it, who then ends everything in order.
    command.arg("--").arg(program).stdin(Stdio::null()).process_group(0);
    command
}

/// A running child.
#[derive(Debug)]
pub(crate) struct Process {
    what: String,
    pid: Pid,
    child: Mutex<Child>,
    goodbye: Signal,
}

impl Process {
    /// Starts the command on the thread that outlives every test. Dropped, it is sent `goodbye`, and soon `KILL`.
    pub(crate) fn spawn(command: Command, goodbye: Signal) -> Result<Self, Error> {
        type Job = (Command, mpsc::Sender<std::io::Result<Child>>);
        static STARTER: OnceLock<mpsc::Sender<Job>> = OnceLock::new();
        let starter = STARTER.get_or_init(|| {
            let (jobs, inbox) = mpsc::channel::<Job>();
            thread::spawn(move || {
                for (mut command, reply) in inbox {
                    // The asker may have gone: then nobody is left to have the child.
                    if let Err(mpsc::SendError(Ok(mut orphan))) = reply.send(command.spawn()) {
                        let _ = orphan.kill();
                    }
                }
            });
            jobs
        });
        let what = command.get_args().skip_while(|arg| *arg != "--").nth(1).unwrap_or(command.get_program());
        let what = Path::new(what).file_name().unwrap_or(OsStr::new("?")).to_string_lossy().into_owned();
        let gone = || Error::Io { what: format!("starting {what}"), source: std::io::ErrorKind::BrokenPipe.into() };
        let (reply, child) = mpsc::channel();
        starter.send((command, reply)).map_err(|_| gone())?;
        let child = child.recv().map_err(|_| gone())?.map_err(Error::io(format!("starting {what}")))?;
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or_else(gone)?;
        Ok(Self { what, pid, child: Mutex::new(child), goodbye })
    }

    fn child(&self) -> MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child().id()
    }

    /// Sends a signal, unless the child is gone: its id may be another's by then.
    pub(crate) fn signal(&self, signal: Signal) -> Result<(), Error> {
        let mut child = self.child();
        if matches!(child.try_wait(), Ok(None)) {
            kill_process(self.pid, signal)
                .map_err(|e| e.into())
                .map_err(Error::io(format!("signal to {}", self.what)))?;
        }
        Ok(())
    }

    /// Sends a signal to it and then to its children, who are no group of their own: Postgres has one for each connection.
    pub(crate) fn signal_family(&self, signal: Signal) -> Result<(), Error> {
        self.signal(signal)?;
        let list = format!("/proc/{pid}/task/{pid}/children", pid = self.pid());
        let children = std::fs::read_to_string(&list).map_err(Error::io(list))?;
        for child in children.split_whitespace().filter_map(|id| Pid::from_raw(id.parse().ok()?)) {
            // One that has ended since needs no signal.
            let _ = kill_process(child, signal);
        }
        Ok(())
    }

    /// How it ended, if it did.
    pub(crate) fn ended(&self) -> Result<Option<ExitStatus>, Error> {
        self.child().try_wait().map_err(Error::io(format!("waiting for {}", self.what)))
    }

    /// Waits for the end.
    pub(crate) async fn wait(&self, patience: Duration) -> Result<ExitStatus, Error> {
        // Heard from before the first look: an end in between is not missed.
        let mut children =
            signal(SignalKind::child()).map_err(Error::io(format!("hearing of the end of {}", self.what)))?;
        let end = async {
            loop {
                if let Some(status) = self.ended()? {
                    return Ok(status);
                }
                // Of whichever child. The stream ends with the process.
                let _ = children.recv().await;
            }
        };
        tokio::time::timeout(patience, end).await.unwrap_or_else(|_| {
            let what = format!("the end of {}", self.what);
            Err(Error::Late { what, seconds: patience.as_secs(), log: self.threads() })
        })
    }

    /// What each of its threads is at: its name, its state (R runs, S sleeps, D waits for a disk) and what it waits for in the kernel.
    fn threads(&self) -> String {
        let read = |file: PathBuf| std::fs::read_to_string(file).unwrap_or_default().trim().to_owned();
        let told = |task: PathBuf| {
            let state = read(task.join("stat")).rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
            format!("{}: {} in {}", read(task.join("comm")), state.unwrap_or('?'), read(task.join("wchan")))
        };
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.pid())).into_iter().flatten().flatten();
        tasks.map(|task| told(task.path())).collect::<Vec<_>>().join("\n")
    }

    /// Waits until `ready` answers something; an end of the process before that is an error that shows its log.
    pub(crate) async fn ready<T>(
        &self,
        patience: Duration,
        log: &Path,
        mut ready: impl AsyncFnMut() -> Option<T>,
    ) -> Result<T, Error> {
        let start = Instant::now();
        loop {
            if let Some(value) = ready().await {
                return Ok(value);
            }
            if let Some(status) = self.ended()? {
                return Err(Error::Died { what: self.what.clone(), status, log: tail(log) });
            }
            if start.elapsed() > patience {
                return Err(Error::Late { what: self.what.clone(), seconds: patience.as_secs(), log: tail(log) });
            }
            tokio::time::sleep(POLL).await;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.signal(self.goodbye);
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(5) && matches!(self.ended(), Ok(None)) {
            thread::sleep(Duration::from_millis(1));
        }
        let mut child = self.child();
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// The last 4 KiB of a log.
pub(crate) fn tail(log: &Path) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let start = text.len().saturating_sub(4096);
    String::from_utf8_lossy(text.get(start..).unwrap_or_default()).into_owned()
}
