//! Those who vouch for a seal, in a room: the timestamp authority, the log and its witness. And what the attacks on them need.

use std::{path::Path, process::Command};

use api::evidence::v1::GetCheckpointRequest;
use exhibit::tlog::{
    Checkpoint, audit,
    note::{SignedNote, VerifierKey},
};
use tempfile::TempDir;
use testkit::{Service, tsa::Tsa, until};
use tonic::Code;

use super::{Room, fresh, opening, refused};

/// The log's witness, as a process with a folder of its own.
pub struct Witness {
    pub service: Service,
    pub folder: TempDir,
}

impl Witness {
    pub async fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        let (data, logs) = (at("seen"), at("logs.toml"));
        std::fs::create_dir(&data).unwrap();
        let env = [("ALCOVE_WITNESS__STORAGE__DATA_DIR", data.as_str()), ("ALCOVE_WITNESS__LOGS__FILE", logs.as_str())];
        let service = Service::start("witness", &env).await.unwrap();
        Self { service, folder }
    }

    pub fn key(&self) -> VerifierKey {
        std::fs::read_to_string(self.folder.path().join("seen/witness.vkey")).unwrap().trim().parse().unwrap()
    }

    /// From now on it witnesses this log.
    pub fn watch(&self, log: &VerifierKey) {
        let list = format!("[[logs]]\norigin = \"{}\"\nvkey = \"{log}\"\n", log.name());
        std::fs::write(self.folder.path().join("logs.toml"), list).unwrap();
    }
}

impl Room {
    /// With a timestamp authority.
    pub async fn stamped(settings: &[(&str, &str)]) -> Self {
        let tsa = Tsa::start().await.unwrap();
        let (url, roots) = (tsa.url(), tsa.authority().roots_file().display().to_string());
        let mut all = vec![
            ("ALCOVE_EVIDENCE_STORE__TIMESTAMPING__URL", url.as_str()),
            ("ALCOVE_EVIDENCE_STORE__TIMESTAMPING__ROOTS_FILE", roots.as_str()),
            ("ALCOVE_EVIDENCE_STORE__TIMESTAMPING__POLICY", testkit::tsa::POLICY),
        ];
        all.extend_from_slice(settings);
        Self { tsa: Some(tsa), ..Self::with(&all).await }
    }

    /// With a timestamp authority and a witness.
    pub async fn vouched(settings: &[(&str, &str)]) -> Self {
        let witness = Witness::start().await;
        let (url, key) = (witness.service.url("http"), witness.key().to_string());
        let mut all = vec![
            ("ALCOVE_EVIDENCE_STORE__WITNESS__URL", url.as_str()),
            ("ALCOVE_EVIDENCE_STORE__WITNESS__KEY", key.as_str()),
        ];
        all.extend_from_slice(settings);
        let room = Self { witness: None, ..Self::stamped(&all).await };
        witness.watch(&room.log_key());
        Self { witness: Some(witness), ..room }
    }

    pub fn witness(&mut self) -> &mut Witness {
        self.witness.as_mut().unwrap()
    }

    pub fn tsa(&self) -> &Tsa {
        self.tsa.as_ref().unwrap()
    }

    /// Nothing is served, it isn't ready, and its log says why.
    pub async fn refuses(&self, call: &str, holder: &str) {
        let behind = async || {
            let answer = self.exhibit(call).await;
            answer.err().and_then(|status| chassis::status::reason_of(&status)).as_deref() == Some("LOG_BEHIND")
        };
        until("the refusal", behind).await;
        refused(self.client.clone().open_exhibit(opening(&fresh())).await, Code::Unavailable, "LOG_BEHIND");
        refused(self.client.clone().get_checkpoint(GetCheckpointRequest {}).await, Code::Unavailable, "LOG_BEHIND");
        let health = reqwest::get(format!("{}/readyz", self.service.url("health"))).await.unwrap();
        assert_eq!(health.status(), 503);
        let log = std::fs::read_to_string(self.service.log_file()).unwrap();
        let alarm = log.lines().rfind(|line| line.contains("integrity alarm")).unwrap();
        assert!(alarm.contains("ERROR") && alarm.contains("LOG_BEHIND") && alarm.contains(holder), "{alarm}");
    }

    /// The key that the log's checkpoints are checked by.
    pub fn log_key(&self) -> VerifierKey {
        let vkey = std::fs::read_to_string(self.data.path().join("log/log.vkey")).unwrap();
        vkey.trim().parse().unwrap()
    }

    /// The checkpoint beside the tiles.
    pub fn checkpoint(&self) -> Checkpoint {
        let note = std::fs::read(self.data.path().join("log/checkpoint")).unwrap();
        Checkpoint::open(&SignedNote::parse(note).unwrap(), &self.log_key()).unwrap()
    }

    /// Has the tiles audited, by what knows nothing of this service.
    pub fn audit(&self) {
        let witnesses = self.witness.iter().map(Witness::key).collect();
        audited(&self.data.path().join("log"), self.log_key(), witnesses);
    }
}

/// Puts a copy of a folder in the place of another.
pub fn copy(from: &Path, to: &Path) {
    let _ = std::fs::remove_dir_all(to);
    assert!(Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap().success());
}

/// Nothing is wrong with the log in this folder.
#[track_caller]
pub fn audited(folder: &Path, log: VerifierKey, witnesses: Vec<VerifierKey>) {
    let report = audit::audit(folder, &audit::Known { log, witnesses, older: None }).unwrap();
    assert!(report.is_intact(), "{report}");
}
