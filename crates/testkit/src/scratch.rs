//! Folders for servers, browsers and services, and the cleaning up after tests that were killed.
//!
//! They are under `/tmp`, not `target/`: a checkout may be in a folder that only root can enter, and the path of a
//! Unix socket must be short. A folder's owner holds a lock in it while alive, so that whoever comes next can tell
//! a dead test's folder and remove it.

use std::{
    env,
    fs::{self, File, Permissions},
    io,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    process::Command,
};

use rustix::process::geteuid;
use tempfile::TempDir;

use crate::Error;

const OWNER: &str = "owner";

/// A folder of one test's; removed when dropped, as far as nobody writes to it still, and by whoever comes next.
#[derive(Debug)]
pub(crate) struct Scratch {
    dir: TempDir,
    _owner: File,
}

impl Scratch {
    /// A new empty folder that everybody can enter.
    pub(crate) fn new(prefix: &str) -> Result<Self, Error> {
        let runs = cache()?.join("run");
        fs::create_dir_all(&runs).map_err(Error::io(format!("making {}", runs.display())))?;
        let lock = lock()?;
        let dead = claim_the_dead(&runs);
        let dir = tempfile::Builder::new()
            .prefix(prefix)
            .permissions(Permissions::from_mode(0o755))
            .tempdir_in(&runs)
            .map_err(Error::io(format!("a folder in {}", runs.display())))?;
        let owner = File::create(dir.path().join(OWNER)).map_err(Error::io("the owner's lock"))?;
        owner.lock().map_err(Error::io("the owner's lock"))?;
        drop(lock);
        // However much they left, no other test waits until it is gone.
        for (folder, _claim) in &dead {
            let _ = fs::remove_dir_all(folder);
        }
        Ok(Self { dir, _owner: owner })
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }
}

/// What outlives a test: the Postgres template, and copies of tools that their user couldn't reach.
pub(crate) fn cache() -> Result<PathBuf, Error> {
    let me = geteuid().as_raw();
    let path = env::temp_dir().join(format!("alcove-testkit-{me}"));
    let what = || format!("making {}", path.display());
    fs::create_dir_all(&path).map_err(Error::io(what()))?;
    if fs::metadata(&path).map_err(Error::io(what()))?.uid() != me {
        return Err(Error::Io {
            what: format!("{} belongs to somebody else", path.display()),
            source: io::ErrorKind::PermissionDenied.into(),
        });
    }
    fs::set_permissions(&path, Permissions::from_mode(0o755)).map_err(Error::io(what()))?;
    Ok(path)
}

/// Held by one test process at a time.
pub(crate) fn lock() -> Result<File, Error> {
    let path = cache()?.join("lock");
    let file = File::create(&path).map_err(Error::io(format!("opening {}", path.display())))?;
    file.lock().map_err(Error::io(format!("locking {}", path.display())))?;
    Ok(file)
}

/// The folders of tests that died without a chance to remove them. Whoever holds their owner's lock may do it. One without an owner is
/// half removed: whoever makes one holds the lock that the caller does.
fn claim_the_dead(runs: &Path) -> Vec<(PathBuf, Option<File>)> {
    let runs = fs::read_dir(runs).into_iter().flatten().flatten().map(|run| run.path());
    let claimed = runs.filter_map(|run| match File::open(run.join(OWNER)) {
        Ok(owner) => owner.try_lock().is_ok().then_some((run, Some(owner))),
        Err(error) => (error.kind() == io::ErrorKind::NotFound).then_some((run, None)),
    });
    claimed.collect()
}

/// Whether any user can run what is at `path`: each folder on the way must let everybody through.
pub(crate) fn reachable_by_all(path: &Path) -> bool {
    path.ancestors()
        .filter(|part| !part.as_os_str().is_empty())
        .all(|part| fs::metadata(part).is_ok_and(|m| m.mode() & 0o001 != 0))
}

/// Copies a folder as it is: owners, modes and links.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    run(Command::new("cp").arg("-a").arg("--reflink=auto").arg(from).arg(to))
}

/// Runs a helper to its end.
pub(crate) fn run(command: &mut Command) -> Result<(), Error> {
    let what = format!("{command:?}");
    let output = command.output().map_err(Error::io(what.clone()))?;
    if output.status.success() {
        return Ok(());
    }
    let text = [output.stdout, output.stderr].concat();
    Err(Error::Failed { what, status: output.status, output: String::from_utf8_lossy(&text).into_owned() })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::until;

    #[tokio::test]
    async fn what_is_half_removed_goes_with_the_next() {
        let half = cache().unwrap().join("run").join(format!("half-{}", std::process::id()));
        fs::create_dir_all(half.join("profile")).unwrap();
        let next = Scratch::new("next-").unwrap();
        // Whoever comes at the same time may be at it, too.
        until("it to go", async || !half.exists()).await;
        assert!(next.path().exists());
    }
}
