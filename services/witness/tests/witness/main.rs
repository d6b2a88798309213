//! The real process against logs that are honest, forked, rolled back, garbled, too many at once, and through kill -9.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod attacks;
mod crash;
mod log;
mod protocol;

use std::{fs, path::Path};

use exhibit::tlog::note::{Signature, SignedNote, VerifierKey};
use log::Log;
use reqwest::{Response, StatusCode};
use tempfile::TempDir;
use testkit::Service;

/// A witness of one log, as a process.
struct Witness {
    service: Service,
    dir: TempDir,
    client: reqwest::Client,
}

impl Witness {
    async fn of(log: &Log) -> Self {
        let dir = TempDir::new().unwrap();
        list(dir.path(), &[log]);
        let service = Service::start_in("witness", &settings(dir.path()), dir.path()).await.unwrap();
        Self { service, dir, client: reqwest::Client::new() }
    }

    fn vkey(&self) -> VerifierKey {
        fs::read_to_string(self.dir.path().join("data/witness.vkey")).unwrap().trim_end().parse().unwrap()
    }

    fn post<B: Into<reqwest::Body>>(&self, body: B) -> impl Future<Output = reqwest::Result<Response>> + use<B> {
        self.client.post(format!("{}/add-checkpoint", self.service.url("http"))).body(body).send()
    }

    /// The status, and the whole answer.
    async fn add(&self, body: impl Into<reqwest::Body>) -> (StatusCode, String) {
        let answer = self.post(body).await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    }

    /// Adds what must be cosigned, and checks the cosignature. Gives its time.
    async fn cosigned(&self, body: String) -> u64 {
        let (status, line) = self.add(body.clone()).await;
        assert_eq!(status, StatusCode::OK, "{line}");
        self.check(&body, &line)
    }

    fn check(&self, body: &str, line: &str) -> u64 {
        let mut note = SignedNote::parse(body.split_once("\n\n").unwrap().1).unwrap();
        note.add(Signature::parse(line).unwrap()).unwrap();
        note.verify(&self.vkey()).unwrap().unwrap()
    }

    async fn seen(&self, origin: &str) -> Option<SignedNote> {
        let url = format!("{}/seen", self.service.url("http"));
        let answer = self.client.get(url).query(&[("origin", origin)]).send().await.unwrap();
        match answer.status() {
            StatusCode::OK => {
                let note = SignedNote::parse(answer.text().await.unwrap()).unwrap();
                note.verify(&self.vkey()).unwrap();
                Some(note)
            }
            StatusCode::NOT_FOUND => None,
            other => panic!("{other}"),
        }
    }
}

fn settings(dir: &Path) -> [(&'static str, &'static str); 2] {
    // Leaked: a few bytes of a test.
    let path = |name: &str| -> &'static str { dir.join(name).display().to_string().leak() };
    [("ALCOVE_WITNESS__STORAGE__DATA_DIR", path("data")), ("ALCOVE_WITNESS__LOGS__FILE", path("logs.toml"))]
}

/// The file of logs.
fn list(dir: &Path, logs: &[&Log]) {
    let tables = logs.iter().map(|log| format!("[[logs]]\norigin = \"{}\"\nvkey = \"{}\"\n", log.origin(), log.vkey()));
    fs::write(dir.join("logs.toml"), tables.collect::<String>()).unwrap();
}
