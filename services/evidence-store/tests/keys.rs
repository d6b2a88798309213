//! Each exhibit under its own key: in a file's or a token's keeping, away, wrong, lost, changed, destroyed.

use std::{fs, path::Path, process::Command};

use crate::support::*;
use api::evidence::v1::ExhibitSealed;
use exhibit::verify::Outcome;
use tempfile::TempDir;
use tonic::Code;

const KEK: &str = "ALCOVE_EVIDENCE_STORE__KEYS__KEK_FILE";

fn file(dir: &Path, name: &str, fill: &str) -> String {
    let path = dir.join(name);
    fs::write(&path, fill.repeat(32)).unwrap();
    path.to_str().unwrap().to_owned()
}

/// A call of three segments, and its end: sealed, with what is exported proved.
async fn sealed(room: &Room, others: &Others) -> String {
    let call = room.call().await;
    let mut stream = room.append().await;
    for seq in 0..3 {
        stream.send(segment(&call, "caller-1", seq)).await.unwrap();
    }
    others.ended(&call, &[("caller-1", 3)]).await;
    let sealed: ExhibitSealed = room.published(&call, "exhibit_sealed").await.pop().unwrap().decode();
    let report = room.verified(&sealed.exhibit_id).await;
    assert_eq!(report.outcome(), Outcome::InPart, "{report:?}");
    sealed.exhibit_id
}

/// Everything below the data folder that isn't a key store, and how often these bytes are in it.
fn found(dir: &Path, wanted: &[u8]) -> usize {
    let mut found = 0;
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "alj") {
            found += fs::read(&path).unwrap().windows(wanted.len()).filter(|w| *w == wanted).count();
        }
    }
    found
}

#[tokio::test]
async fn nothing_of_what_was_said_lies_in_the_journal() {
    let room = Room::open().await;
    let others = Others::at(&room.nats).await;
    sealed(&room, &others).await;
    for seq in 0..3 {
        let sent = bytes("caller-1", seq, 10_000);
        assert_eq!(found(room.data.path(), &sent[..32]), 0);
    }
    // The wrapped key is in the key store and nowhere else.
    let key = fs::read_dir(room.data.path().join("keys")).unwrap().next().unwrap().unwrap().path();
    let key: serde_json::Value = serde_json::from_slice(&fs::read(key).unwrap()).unwrap();
    let wrapped = key["wrapped"].as_str().unwrap();
    assert_eq!(found(room.data.path(), wrapped.as_bytes()), 0);
    assert_eq!(found(room.data.path(), &hex::decode(wrapped).unwrap()), 0);
}

#[tokio::test]
async fn a_kek_that_is_away_stops_what_is_new_and_nothing_else() {
    let keys = TempDir::new().unwrap();
    let kek = file(keys.path(), "kek", "ab");
    let mut room = Room::with(&[(KEK, &kek)]).await;
    let others = Others::at(&room.nats).await;
    let open = room.call().await;
    let mut stream = room.append().await;
    stream.send(segment(&open, "caller-1", 0)).await.unwrap();
    fs::rename(&kek, keys.path().join("aside")).unwrap();
    // What is open goes on, and can be sealed.
    for seq in 1..3 {
        stream.send(segment(&open, "caller-1", seq)).await.unwrap();
    }
    let call = fresh();
    refused(room.client.clone().open_exhibit(opening(&call)).await, Code::Unavailable, "KEYS_UNAVAILABLE");
    refused(room.append().await.send(segment(&call, "caller-1", 0)).await, Code::Unavailable, "KEYS_UNAVAILABLE");
    others.ended(&open, &[("caller-1", 3)]).await;
    let done: ExhibitSealed = room.published(&open, "exhibit_sealed").await.pop().unwrap().decode();
    // Sealed, its key is no longer in memory.
    let export = room.client.clone().export(exporting(&done.exhibit_id)).await;
    refused(export, Code::Unavailable, "KEYS_UNAVAILABLE");

    // Started without it, the service says that it isn't ready, and comes round by itself.
    assert!(room.service.terminate().await.unwrap().success());
    room.restart().await;
    assert!(room.service.log().contains("the keys are away"), "{}", room.service.log());
    fs::rename(keys.path().join("aside"), &kek).unwrap();
    room.service.ready().await.unwrap();
    assert_eq!(room.verified(&done.exhibit_id).await.outcome(), Outcome::InPart);
    room.append().await.send(segment(&call, "caller-1", 0)).await.unwrap();
}

#[tokio::test]
async fn a_wrong_kek_is_named_and_nothing_is_pretended() {
    let keys = TempDir::new().unwrap();
    let (kek, other) = (file(keys.path(), "kek", "ab"), file(keys.path(), "other", "cd"));
    let mut room = Room::with(&[(KEK, &kek)]).await;
    let others = Others::at(&room.nats).await;
    let exhibit = sealed(&room, &others).await;
    // Changed under a running service.
    fs::copy(&other, &kek).unwrap();
    refused(room.client.clone().export(exporting(&exhibit)).await, Code::Unavailable, "KEYS_UNAVAILABLE");
    assert!(room.service.log().contains("wrong key-encryption key"), "{}", room.service.log());
    assert!(room.service.terminate().await.unwrap().success());
    let started = room.start_with(&[(KEK, &other)]).await.unwrap_err().to_string();
    assert!(started.contains("wrong key-encryption key"), "{started}");
    assert!(!started.contains("abab"), "{started}");
}

#[tokio::test]
async fn a_lost_key_store_folder_is_made_again_from_the_other() {
    let keys = TempDir::new().unwrap();
    let (a, b) = (keys.path().join("a"), keys.path().join("b"));
    let mut room = Room::open().await;
    let others = Others::at(&room.nats).await;
    let exhibit = sealed(&room, &others).await;
    // The development profile's one folder is moved, and a second one named.
    assert!(room.service.terminate().await.unwrap().success());
    fs::rename(room.data.path().join("keys"), &a).unwrap();
    let dirs = format!("{},{}", a.display(), b.display());
    room.start_with(&[("ALCOVE_EVIDENCE_STORE__KEYS__DIRS", &dirs)]).await.unwrap();
    let names = |dir: &Path| {
        let mut names: Vec<_> = fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names(&a), names(&b));
    fs::remove_dir_all(&a).unwrap();
    assert_eq!(room.verified(&exhibit).await.outcome(), Outcome::InPart);
    assert!(room.service.log().contains("a lost or altered key was repaired"), "{}", room.service.log());
    assert_eq!(names(&a), names(&b));
    // With both gone there is no way back, and it is said.
    fs::remove_dir_all(&a).unwrap();
    fs::remove_dir_all(&b).unwrap();
    fs::create_dir(&a).unwrap();
    fs::create_dir(&b).unwrap();
    refused(room.client.clone().export(exporting(&exhibit)).await, Code::DataLoss, "KEY_LOST");
}

#[tokio::test]
async fn the_kek_is_changed_and_the_evidence_is_not() {
    let keys = TempDir::new().unwrap();
    let (old, new) = (file(keys.path(), "old", "ab"), file(keys.path(), "new", "cd"));
    let mut room = Room::with(&[(KEK, &old)]).await;
    let others = Others::at(&room.nats).await;
    let exhibit = sealed(&room, &others).await;
    let open = room.call().await;
    room.append().await.send(segment(&open, "caller-1", 0)).await.unwrap();
    let changed = [
        (KEK, new.as_str()),
        ("ALCOVE_EVIDENCE_STORE__KEYS__PREVIOUS__PROVIDER", "file"),
        ("ALCOVE_EVIDENCE_STORE__KEYS__PREVIOUS__KEK_FILE", old.as_str()),
    ];
    let running = room.errand("rewrap", &changed).await.unwrap_err().to_string();
    assert!(running.contains("take the journal's folder"), "{running}");
    assert!(room.service.terminate().await.unwrap().success());
    let evidence = |room: &Room| room.journal().iter().map(|path| fs::read(path).unwrap()).collect::<Vec<_>>();
    let before = evidence(&room);
    assert!(room.errand("rewrap", &[(KEK, new.as_str())]).await.is_err(), "without the old one");
    room.errand("rewrap", &changed).await.unwrap();
    room.errand("rewrap", &changed).await.unwrap();
    assert!(evidence(&room) == before, "the journal was touched");

    let refused = room.start_with(&[(KEK, &old)]).await.unwrap_err().to_string();
    assert!(refused.contains("wrong key-encryption key"), "{refused}");
    room.start_with(&[(KEK, &new)]).await.unwrap();
    assert_eq!(room.verified(&exhibit).await.outcome(), Outcome::InPart);
    room.append().await.send(segment(&open, "caller-1", 1)).await.unwrap();
}

/// A SoftHSM2 token of its own, with an AES and an EC key. The service's environment, and the folder it lives in.
struct Hsm {
    dir: TempDir,
    env: Vec<(String, String)>,
}

const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";

impl Hsm {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let conf = dir.path().join("softhsm2.conf");
        fs::create_dir(dir.path().join("tokens")).unwrap();
        fs::write(&conf, format!("directories.tokendir = {}\n", dir.path().join("tokens").display())).unwrap();
        fs::write(dir.path().join("pin"), "1234\n").unwrap();
        let hsm = Self { env: vec![("SOFTHSM2_CONF".into(), conf.to_str().unwrap().into())], dir };
        hsm.util(&["--init-token", "--free", "--label", "alcove", "--so-pin", "5678", "--pin", "1234"]);
        hsm
    }

    fn util(&self, args: &[&str]) {
        let mut command = Command::new("softhsm2-util");
        let done = command.args(args).envs(self.env.iter().cloned()).output().expect("SoftHSM2 is installed");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    /// Imports an AES key by this label.
    fn aes(&self, label: &str, id: &str, fill: u8) {
        let path = self.dir.path().join("aes");
        fs::write(&path, [fill; 32]).unwrap();
        let path = path.to_str().unwrap();
        let key = ["--import", path, "--aes", "--token", "alcove", "--label", label, "--id", id, "--pin", "1234"];
        self.util(&key);
    }

    /// Imports a private key in PEM by this label.
    fn ec(&self, pem: &Path, label: &str) {
        let pem = pem.to_str().unwrap();
        self.util(&["--import", pem, "--token", "alcove", "--label", label, "--id", "e0", "--pin", "1234"]);
    }

    fn settings(&self, section: &str, key: &str) -> Vec<(String, String)> {
        let name = |setting: &str| format!("ALCOVE_EVIDENCE_STORE__{section}__{setting}").to_uppercase();
        let pin = self.dir.path().join("pin").to_str().unwrap().to_owned();
        vec![
            (name("provider"), "pkcs11".into()),
            (name("pkcs11__module"), MODULE.into()),
            (name("pkcs11__token"), "alcove".into()),
            (name("pkcs11__pin_file"), pin),
            (name("pkcs11__key"), key.into()),
        ]
    }
}

#[tokio::test]
async fn both_keys_on_a_token() {
    let hsm = Hsm::new();
    hsm.aes("kek-1", "a1", 7);
    hsm.aes("kek-2", "a2", 8);
    // A signing identity as development makes it, its key then kept on the token alone.
    let first = Room::open().await;
    let identity = first.data.path().join("signing");
    hsm.ec(&identity.join("dev-key.pem"), "signing");
    let cert = hsm.dir.path().join("cert.pem");
    fs::copy(identity.join("dev-cert.pem"), &cert).unwrap();
    let roots = fs::read(identity.join("roots.pem")).unwrap();
    drop(first);

    let mut env = hsm.env.clone();
    env.extend(hsm.settings("keys", "kek-1"));
    env.extend(hsm.settings("signing", "signing"));
    env.push(("ALCOVE_EVIDENCE_STORE__SIGNING__CERT_FILE".into(), cert.to_str().unwrap().into()));
    let settings: Vec<_> = env.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let mut room = Room::with(&settings).await;
    fs::create_dir_all(room.roots().parent().unwrap()).unwrap();
    fs::write(room.roots(), roots).unwrap();
    let others = Others::at(&room.nats).await;
    let exhibit = sealed(&room, &others).await;

    // Another key on the token from now on.
    assert!(room.service.terminate().await.unwrap().success());
    let mut changed = hsm.settings("keys", "kek-2");
    changed.extend(hsm.settings("keys__previous", "kek-1"));
    let changed: Vec<_> = changed.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    room.errand("rewrap", &changed).await.unwrap();
    let wrong = room.start_with(&[]).await.unwrap_err().to_string();
    assert!(wrong.contains("wrong key-encryption key"), "{wrong}");
    room.start_with(&changed).await.unwrap();
    assert_eq!(room.verified(&exhibit).await.outcome(), Outcome::InPart);
    sealed(&room, &others).await;

    // A certificate that isn't the key's, and a wrong PIN, which is tried once only.
    assert!(room.service.terminate().await.unwrap().success());
    let right = fs::read(&cert).unwrap();
    let second = Room::open().await;
    fs::copy(second.data.path().join("signing/dev-cert.pem"), &cert).unwrap();
    let other = room.start_with(&[]).await.unwrap_err().to_string();
    assert!(other.contains("doesn't belong to the certificate"), "{other}");
    fs::write(&cert, right).unwrap();
    fs::write(hsm.dir.path().join("pin"), "9999").unwrap();
    let pin = room.start_with(&[]).await.unwrap_err().to_string();
    assert!(pin.contains("the PIN was refused") && !pin.contains("9999"), "{pin}");
}

#[tokio::test]
async fn a_token_that_goes_away_stops_what_is_new_until_it_is_back() {
    let hsm = Hsm::new();
    hsm.aes("kek-1", "a1", 7);
    let settings = [hsm.env.clone(), hsm.settings("keys", "kek-1")].concat();
    let settings: Vec<_> = settings.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let room = Room::with(&settings).await;
    let others = Others::at(&room.nats).await;
    let open = room.call().await;
    let mut stream = room.append().await;
    stream.send(segment(&open, "caller-1", 0)).await.unwrap();
    let (tokens, aside) = (hsm.dir.path().join("tokens"), hsm.dir.path().join("aside"));
    fs::rename(&tokens, &aside).unwrap();
    // What is open goes on, and can be sealed.
    for seq in 1..3 {
        stream.send(segment(&open, "caller-1", seq)).await.unwrap();
    }
    let call = fresh();
    let opened = room.client.clone().open_exhibit(opening(&call)).await;
    refused(opened, Code::Unavailable, "KEYS_UNAVAILABLE");
    refused(room.append().await.send(segment(&call, "caller-1", 0)).await, Code::Unavailable, "KEYS_UNAVAILABLE");
    others.ended(&open, &[("caller-1", 3)]).await;
    let done: ExhibitSealed = room.published(&open, "exhibit_sealed").await.pop().unwrap().decode();
    let export = room.client.clone().export(exporting(&done.exhibit_id)).await;
    refused(export, Code::Unavailable, "KEYS_UNAVAILABLE");

    // Back again, it is used again, by the same process.
    fs::rename(&aside, &tokens).unwrap();
    assert_eq!(room.verified(&done.exhibit_id).await.outcome(), Outcome::InPart);
    room.client.clone().open_exhibit(opening(&call)).await.unwrap();
    room.append().await.send(segment(&call, "caller-1", 0)).await.unwrap();
}
