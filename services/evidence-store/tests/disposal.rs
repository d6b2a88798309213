//! What is gone is gone: from the service, from every backup of the database and the journal; and what it was stays provable.

use std::{fs, path::Path, process::Command};

use crate::support::{foreign::*, items::*, retention::*, *};
use api::evidence::v1::{ExhibitDisposed, ExhibitState, ItemKind};
use exhibit::{
    tlog::audit,
    tombstone::{LOG_ENTRY, LOG_PROOF, SIGNATURE, TIMESTAMP, TOMBSTONE},
    verify::Outcome,
};
use sqlx::Executor;
use testkit::{Service, until};
use tonic::Code;

const SAID: &[u8] = b"he said that he would find her";

impl Room {
    /// An exhibit with something in it that can be looked for.
    async fn telling(&self, others: &Others) -> (String, String) {
        let call = self.call().await;
        self.append().await.send(holding(&call, "caller-1", 0, SAID.repeat(300))).await.unwrap();
        add(&self.client, &header(&call, ItemKind::Statement, "statement", SAID), SAID).await.unwrap();
        others.ended(&call, &[("caller-1", 1)]).await;
        self.published(&call, "exhibit_sealed").await;
        let exhibit = self.exhibit(&call).await.unwrap().exhibit_id;
        self.reviewed_twice(&exhibit).await;
        (call, exhibit)
    }
}

/// Nothing of it can be read or taken away; that it was, is still told.
async fn gone(room: &Room, exhibit: &str) {
    for path in ["tracks/caller-1.mkv", "items/statement/statement/1.json", "manifest.json"] {
        refused(room.read(reading(exhibit, path, 0, 0)).await, Code::FailedPrecondition, "DISPOSED");
    }
}

/// Does any file below hold these bytes?
fn holds(folder: &Path, wanted: &[u8]) -> bool {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).any(|path| {
        if path.is_dir() {
            holds(&path, wanted)
        } else {
            fs::read(&path).unwrap().windows(wanted.len()).any(|w| w == wanted)
        }
    })
}

#[tokio::test]
async fn a_disposed_exhibit_leaves_its_tombstone_and_nothing_else() {
    let room = Room::with(&[DUE_AT_ONCE]).await;
    let others = Others::at(&room.nats).await;
    let (call, exhibit) = room.telling(&others).await;
    let before = room.export(&exhibit).await;
    let disposed = room.client.clone().dispose(disposing(&exhibit)).await.unwrap().into_inner();
    gone(&room, &exhibit).await;
    let archive = room.export(&exhibit).await;
    let tombstone = file_in(&archive, TOMBSTONE).unwrap();
    let text = String::from_utf8(tombstone.clone()).unwrap();
    for told in [exhibit.as_str(), "Insp 7", "Supt 9", "records 12", "reviewed by two", "alcove-tombstone/1"] {
        assert!(text.contains(told), "{told} is not in {text}");
    }
    let signature = file_in(&archive, SIGNATURE).unwrap();
    assert_eq!(exhibit::Digest::of(&signature).to_string(), disposed.tombstone_sha256);
    // Signed, as anybody can check with OpenSSL alone.
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in [("t.json", &tombstone), ("t.p7s", &signature)] {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    let verify = "openssl cms -verify -binary -inform DER -in t.p7s -content t.json -CAfile \"$ROOTS\" -purpose any -out /dev/null";
    let verified =
        Command::new("sh").args(["-c", verify]).current_dir(folder.path()).env("ROOTS", room.roots()).output().unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
    // The proofs of what was sealed stay, byte for byte, and no media.
    for path in ["proof/seal.p7s", "bag/tagmanifest-sha256.txt", "bag/data/manifest.json"] {
        assert_eq!(file_in(&archive, path), file_in(&before, path), "{path}");
    }
    assert!(!archive.windows(SAID.len()).any(|w| w == SAID));
    let accesses = room.accesses(&exhibit).await;
    assert_eq!(accesses.last().unwrap().what, "export of what is left");
    assert_eq!(room.exhibit(&call).await.unwrap().state(), ExhibitState::Disposed);
}

/// The commands of `VERIFY.txt`, pasted all at once in a folder that has the package, with every root and key beside it.
fn pasted(room: &Room, archive: &[u8]) -> String {
    let beside = tempfile::tempdir().unwrap();
    let root = beside.path().join("package");
    unpack(archive, &root);
    let (log, witness) = (format!("{}\n", room.log_key()), format!("{}\n", room.witness.as_ref().unwrap().key()));
    for (name, text) in [
        ("roots.pem", fs::read_to_string(room.roots()).unwrap().as_str()),
        ("tsa-roots.pem", room.tsa().roots_pem()),
        ("log.vkey", &log),
        ("witness.vkey", &witness),
    ] {
        fs::write(beside.path().join(name), text).unwrap();
    }
    let text = fs::read_to_string(root.join("proof/VERIFY.txt")).unwrap();
    let commands: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("    ")).collect();
    let mut bash = Command::new("bash");
    bash.env("TMPDIR", beside.path());
    let output = bash.args(["-euo", "pipefail", "-c", &commands.join("\n")]).current_dir(&root).output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{said}");
    said
}

/// Nothing of ours is asked but the package: not our verifier's word alone either.
#[tokio::test]
async fn what_is_left_proves_itself_to_whoever_has_the_roots_and_the_keys() {
    let room = Room::vouched(&[DUE_AT_ONCE]).await;
    let others = Others::at(&room.nats).await;
    let (_, exhibit) = room.telling(&others).await;
    let whole = room.verified(&exhibit).await;
    assert_eq!((whole.outcome(), &whole.disposal), (Outcome::Proved, &None), "{whole}");
    let before = fs::read(room.data.path().join("log/checkpoint")).unwrap();
    room.client.clone().dispose(disposing(&exhibit)).await.unwrap();

    let archive = room.export(&exhibit).await;
    let file = room.data.path().join("left.tar");
    fs::write(&file, &archive).unwrap();
    let report = room.verified_file(&file);
    assert_eq!((report.outcome(), &report.failures[..]), (Outcome::Proved, &[][..]), "{report}");
    let disposal = report.disposal.as_ref().unwrap();
    let reviewers: Vec<_> = disposal.reviews.iter().map(|review| review.who.as_str()).collect();
    assert_eq!((disposal.who.as_str(), &reviewers[..]), ("records 12", &["Insp 7", "Supt 9"][..]));
    assert!(disposal.log.as_ref().unwrap().index > report.log.as_ref().unwrap().index);
    assert_eq!(disposal.log.as_ref().unwrap().cosigned.len(), 1);
    // Two exports, two reviews, the disposal.
    for said in
        ["VERIFIED AS DISPOSED OF", "they were DESTROYED by that decision", "The access log's 5 lines are complete"]
    {
        assert!(report.to_string().contains(said), "{said} in {report}");
    }

    let said = pasted(&room, &archive);
    for (wanted, times) in [
        ("CAdES Verification successful", 2),
        ("Verification: OK", 2),
        ("entry OK", 2),
        ("inclusion OK", 2),
        ("tombstone OK", 1),
        ("Signature Verified Successfully", 4),
    ] {
        assert_eq!(said.matches(wanted).count(), times, "{wanted} in {said}");
    }

    // Any part of the tombstone altered, and it is no proof any more; the part is named.
    let files = files_in(&archive);
    for path in [TOMBSTONE, SIGNATURE, TIMESTAMP, LOG_ENTRY, LOG_PROOF] {
        let bytes = &files[path];
        let at = archive.windows(bytes.len()).position(|window| window == bytes).unwrap();
        let mut altered = archive.clone();
        altered[at + bytes.len() / 2] ^= 1;
        fs::write(&file, &altered).unwrap();
        let report = room.verified_file(&file);
        assert!(report.failures.iter().any(|failure| failure.file == path), "{path}: {report}");
    }

    // The log has lost nothing by it: every entry is there, the disposal among them, after what it had before.
    room.audit();
    let known = audit::Known {
        log: room.log_key(),
        witnesses: room.witness.iter().map(Witness::key).collect(),
        older: Some(("the checkpoint before the disposal".to_owned(), before)),
    };
    let audited = audit::audit(&room.data.path().join("log"), &known).unwrap();
    assert!(audited.is_intact() && audited.older.is_some(), "{audited}");
    assert_eq!((audited.count.seals, audited.count.tombstones), (1, 1), "{audited}");
}

/// The key store is the one thing that is not to be restored from a backup; everything else may.
#[tokio::test]
async fn no_backup_gives_it_back() {
    let archive = tempfile::tempdir().unwrap();
    let url_of = |objects: &Path| format!("file://{}", objects.display());
    let at = url_of(archive.path());
    let archived = [
        DUE_AT_ONCE,
        ("ALCOVE_EVIDENCE_STORE__ARCHIVE__URL", at.as_str()),
        ("ALCOVE_EVIDENCE_STORE__ARCHIVE__ROLL_SECONDS", "0"),
    ];
    let mut room = Room::with(&archived).await;
    let others = Others::at(&room.nats).await;
    let (call, exhibit) = room.telling(&others).await;
    room.published(&call, "exhibit_archived").await;
    room.service.terminate().await.unwrap();
    let backup = tempfile::tempdir().unwrap();
    let (data, objects) = (backup.path().join("data"), backup.path().join("objects"));
    copy(room.data.path(), &data);
    copy(archive.path(), &objects);
    assert!(holds(&objects, exhibit.parse::<uuid::Uuid>().unwrap().as_bytes()), "its objects are not in the backup");
    // A template may have no connection but ours: the service has ended, and this is to another database.
    let admin = sqlx::PgPool::connect(&other_database(&room.db.url(), "template1")).await.unwrap();
    admin.execute("create database backup template postgres").await.unwrap();
    admin.close().await;

    room.restart().await;
    room.client.clone().dispose(disposing(&exhibit)).await.unwrap();
    room.service.terminate().await.unwrap();

    // A new host: database, journal, log and objects as they were before the disposal, the key store as it is.
    copy(&room.data.path().join("keys"), &data.join("keys"));
    let nats = testkit::nats().await;
    let (url, kept) = (other_database(&room.db.url(), "backup"), url_of(&objects));
    let env = [
        ("ALCOVE_EVIDENCE_STORE__DATABASE__URL", url.as_str()),
        ("ALCOVE_EVIDENCE_STORE__NATS__URL", nats.url()),
        ("ALCOVE_EVIDENCE_STORE__JOURNAL__DATA_DIR", data.to_str().unwrap()),
        ("ALCOVE_EVIDENCE_STORE__ARCHIVE__URL", kept.as_str()),
    ];
    let service = Service::start("evidence-store", &env).await.unwrap();
    let restored = Room { client: connect(&service).await, service, ..room };
    refused(restored.client.clone().export(exporting(&exhibit)).await, Code::FailedPrecondition, "DISPOSED");
    gone(&restored, &exhibit).await;
    assert!(!holds(backup.path(), SAID), "plain text lies in the backup");
    let pool = sqlx::PgPool::connect(&testkit::seeing_all(&url)).await.unwrap();
    let tables = "select table_schema || '.' || table_name from information_schema.tables
                  where table_schema in ('evidence', 'outbox')";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&pool).await.unwrap();
    assert!(tables.len() > 10);
    let (clear, hex) = (String::from_utf8_lossy(SAID), hex::encode(SAID));
    for table in tables {
        let rows = format!("select t::text from {table} t");
        let rows: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(rows)).fetch_all(&pool).await.unwrap();
        assert!(!rows.iter().any(|row| row.contains(&*clear) || row.contains(&hex)), "plain text in {table}");
    }
}

/// The same server's database of another name.
fn other_database(url: &str, name: &str) -> String {
    url.replacen("localhost/postgres", &format!("localhost/{name}"), 1)
}

/// Killed at any moment of it, from before it was asked for to after it was answered: either it is all there, or it is gone
/// and is told to be.
#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_it_is_whole_or_gone() {
    let mut room = Room::with(&[DUE_AT_ONCE]).await;
    let others = Others::at(&room.nats).await;
    const LAST: u32 = 9;
    let mut finished = 0;
    for round in 0..=LAST {
        let (call, exhibit) = room.telling(&others).await;
        let request = disposing(&exhibit);
        let mut client = room.client.clone();
        let asked = request.clone();
        let asking = async move { client.dispose(asked).await.is_ok() };
        let answered = match round {
            0 => {
                room.service.kill().await.unwrap();
                asking.await
            }
            LAST => {
                let answered = asking.await;
                room.service.kill().await.unwrap();
                answered
            }
            _ => {
                let asking = tokio::spawn(asking);
                // Not a wait for anything: only to be killed at another moment each time.
                for _ in 0..round * 40 {
                    tokio::task::yield_now().await;
                }
                room.service.kill().await.unwrap();
                asking.await.unwrap()
            }
        };
        room.restart().await;
        let state = room.exhibit(&call).await.unwrap().state();
        if state == ExhibitState::Disposed {
            finished += 1;
            gone(&room, &exhibit).await;
            let event: ExhibitDisposed = room.published(&call, "exhibit_disposed").await.pop().unwrap().decode();
            let again = room.client.clone().dispose(request).await.unwrap().into_inner();
            assert_eq!(again.tombstone_sha256, event.tombstone_sha256);
        } else {
            assert!(!answered, "answered, and not done");
            assert_eq!(room.read(reading(&exhibit, "items/statement/statement/1.json", 0, 0)).await.unwrap(), SAID);
            room.client.clone().dispose(request).await.unwrap();
            gone(&room, &exhibit).await;
        }
    }
    assert!((1..=LAST).contains(&finished), "{finished} were gone, and not one was whole, or the other way round");
}

/// Keys can't be destroyed now: nobody reads the exhibits all the same, and each key goes as soon as it can, whatever keeps
/// another's.
#[tokio::test]
async fn a_key_store_that_is_away_only_delays_the_end() {
    let mut room = Room::with(&[DUE_AT_ONCE]).await;
    let others = Others::at(&room.nats).await;
    let (_, stuck) = room.telling(&others).await;
    let (call, exhibit) = room.telling(&others).await;
    let (keys, aside) = (room.data.path().join("keys"), room.data.path().join("keys-away"));
    fs::rename(&keys, &aside).unwrap();
    for disposed in [&stuck, &exhibit] {
        let answer = room.client.clone().dispose(disposing(disposed)).await;
        refused(answer, Code::Unavailable, "KEYS_UNAVAILABLE");
    }
    assert_eq!(room.exhibit(&call).await.unwrap().state(), ExhibitState::Disposed);
    gone(&room, &exhibit).await;
    // However often it is tried meanwhile, the journal tells of it once.
    until("the index to know of it", async || {
        room.count("select count(*) from evidence.exhibit_files where tombstone").await == 2
    })
    .await;
    refused(room.client.clone().dispose(disposing(&exhibit)).await, Code::Unavailable, "KEYS_UNAVAILABLE");
    let told = b"{\"begun_at\":";
    let journal: Vec<u8> = room.journal().iter().flat_map(|file| fs::read(file).unwrap()).collect();
    assert_eq!(journal.windows(told.len()).filter(|bytes| bytes == told).count(), 2);
    room.service.kill().await.unwrap();
    fs::rename(&aside, &keys).unwrap();
    // Where the first's is to be written over.
    fs::create_dir(keys.join(format!("{stuck}.new"))).unwrap();
    room.restart().await;
    room.published(&call, "exhibit_disposed").await;
    assert_eq!(room.count("select count(*) from evidence.disposals where destroyed_at is null").await, 1);
    for disposed in [&stuck, &exhibit] {
        gone(&room, disposed).await;
    }
}

/// A look and a disposal at once: who was let in before the end got the bytes and is in the log; who wasn't, got none.
#[tokio::test(flavor = "multi_thread")]
async fn a_look_and_a_disposal_at_once_are_one_after_the_other() {
    let room = Room::with(&[DUE_AT_ONCE]).await;
    let others = Others::at(&room.nats).await;
    for _ in 0..12 {
        let (_, exhibit) = room.telling(&others).await;
        let mut client = room.client.clone();
        let read = || room.read(reading(&exhibit, "items/statement/statement/1.json", 0, 0));
        let (first, disposed, second) = tokio::join!(read(), client.dispose(disposing(&exhibit)), read());
        disposed.unwrap();
        let let_in = [&first, &second].iter().filter(|look| look.is_ok()).count();
        for look in [first, second] {
            match look {
                Ok(bytes) => assert_eq!(bytes, SAID),
                Err(_) => drop(refused(look, Code::FailedPrecondition, "DISPOSED")),
            }
        }
        let said: Vec<_> = room.accesses(&exhibit).await.into_iter().map(|access| access.what).collect();
        let end = said.iter().position(|what| what == "dispose").unwrap();
        assert_eq!(said.iter().filter(|what| what.starts_with("read ")).count(), let_in);
        assert_eq!(end, said.len() - 1, "{said:?}");
    }
}
