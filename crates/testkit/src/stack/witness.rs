//! The log's witness, and how it comes to know the log.

use std::{fs, path::Path};

use super::refs;
use crate::{Error, Service, service::key};

/// Under the data folder: the logs that the witness knows.
const LOGS: &str = "witness-logs.toml";

pub(super) async fn start(data: &Path, logs: &Path) -> Result<Service, Error> {
    let (seen, list) = (data.join("witness"), data.join(LOGS));
    fs::create_dir_all(&seen).map_err(Error::io("the witness's folder"))?;
    let env = [
        (key("witness", "storage__data_dir"), seen.display().to_string()),
        (key("witness", "logs__file"), list.display().to_string()),
    ];
    Service::start_in("witness", &refs(&env), logs).await
}

/// The log's key is made when evidence-store first starts: from then on the witness may know it.
pub(super) fn introduce(data: &Path, vkey: &str) -> Result<(), Error> {
    let origin = vkey.split('+').next().unwrap_or_default();
    let list = format!("[[logs]]\norigin = \"{origin}\"\nvkey = \"{vkey}\"\n");
    fs::write(data.join(LOGS), list).map_err(Error::io("introducing the log to its witness"))
}
