//! Says where a service listens: to the log, and to a file for whoever started it on port 0 (tests, `make run`).

use std::{collections::BTreeMap, fs, io, net::SocketAddr, path::Path};

use crate::{Error, config::Base};

/// Logs `ready` with the addresses and, if the configuration wants it, writes them to the address file as one JSON
/// object: `{"grpc": "127.0.0.1:1234", "health": "…"}`. The file appears whole or not at all.
///
/// # Errors
/// When the address file can't be written.
pub fn announce(base: &Base, addresses: &[(&str, SocketAddr)]) -> Result<(), Error> {
    let addresses: BTreeMap<_, _> = addresses.iter().map(|(name, addr)| (*name, addr.to_string())).collect();
    if let Some(path) = &base.address_file {
        write_whole(path, &serde_json::json!(addresses).to_string())
            .map_err(|source| Error::Announce { path: path.clone(), source })?;
    }
    tracing::info!(?addresses, "ready");
    Ok(())
}

fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    let mut tmp = path.as_os_str().to_owned();
    tmp.push(".tmp");
    fs::write(&tmp, text)?;
    fs::rename(&tmp, path)
}
