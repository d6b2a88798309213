//! Where the pinned Postgres and NATS are: `target/tools`, as `make tools` fetches them.

use std::{env, path::PathBuf};

use crate::Error;

/// The folder of the workspace, so that a test needs no particular working directory.
#[must_use]
pub fn workspace() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).map(PathBuf::from).unwrap_or(here)
}

/// A tool of `target/tools` (or of `$ALCOVE_TOOLS`), such as `nats-server`.
pub(crate) fn tool(name: &str) -> Result<PathBuf, Error> {
    let folder = env::var_os("ALCOVE_TOOLS").map_or_else(|| workspace().join("target/tools"), PathBuf::from);
    let path = folder.join(name);
    if path.exists() { Ok(path) } else { Err(Error::NoTool { path }) }
}
