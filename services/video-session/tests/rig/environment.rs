//! The environment of a test's service: its settings.

use std::path::Path;

use testkit::{TestDatabase, TestNats};

/// As a process is given them.
pub fn settings(
    database: &TestDatabase,
    nats: &TestNats,
    dir: &Path,
    more: &[(&str, String)],
) -> Vec<(String, String)> {
    let own = [
        ("database__url", database.url()),
        ("nats__url", nats.url().to_owned()),
        ("spool__dir", dir.join("spool").display().to_string()),
        ("spool__receipts_dir", dir.join("receipts").display().to_string()),
        ("evidence__url", "http://127.0.0.1:9".to_owned()),
    ];
    let more = more.iter().map(|(name, value)| (*name, value.clone()));
    own.into_iter().chain(more).map(|(name, value)| (testkit::key("video-session", name), value)).collect()
}

pub(super) fn config(
    database: &TestDatabase,
    nats: &TestNats,
    dir: &Path,
    more: &[(&str, String)],
) -> video_session::Config {
    let mut env = settings(database, nats, dir, more);
    for listener in ["grpc", "health", "http", "media", "receipts"] {
        let name = testkit::key("video-session", &format!("{listener}__listen"));
        env.insert(0, (name, "127.0.0.1:0".to_owned()));
    }
    env.push((testkit::key("video-session", "address_file"), dir.join("addresses.json").display().to_string()));
    chassis::config::load("video-session", video_session::config::DEFAULTS, env).unwrap()
}
