//! kill -9 of a process that archives: every journal file ends up in the object store once, as it was, every exhibit is
//! told of once, and nothing goes here before the database says that it is there.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::support::*;
use api::evidence::v1::ExhibitArchived;
use chassis::Entropy;
use exhibit::{Digest, verify::Outcome};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;
use testkit::{S3, until};

const KILLS: u32 = 20;
const LONGEST_LIFE: u32 = 150_000;

/// An archive that is hurried: files are ended with each seal, and go here as soon as they may.
const HURRIED: [(&str, &str); 3] = [
    ("ALCOVE_EVIDENCE_STORE__ARCHIVE__ROLL_SECONDS", "0"),
    ("ALCOVE_EVIDENCE_STORE__ARCHIVE__KEEP_LOCAL_HOURS", "0"),
    ("ALCOVE_EVIDENCE_STORE__JOURNAL__MAX_FILE_MB", "64"),
];

struct Stage {
    room: Room,
    others: Others,
    objects: PathBuf,
    calls: Vec<String>,
    /// Journal files as they were seen after a kill, less the zeros that were allocated: nobody writes on in them.
    seen: BTreeMap<String, Vec<u8>>,
}

impl Stage {
    async fn set(url: &str, env: &[(&str, String)], objects: PathBuf) -> Self {
        let mut settings = HURRIED.to_vec();
        settings.push(("ALCOVE_EVIDENCE_STORE__ARCHIVE__URL", url));
        settings.extend(env.iter().map(|(key, value)| (*key, value.as_str())));
        let room = Room::with(&settings).await;
        let others = Others::at(&room.nats).await;
        Self { room, others, objects, calls: vec![], seen: BTreeMap::new() }
    }

    async fn ended_call(&mut self, segments: u64) {
        let call = self.room.ended_call(&self.others, segments).await;
        self.calls.push(call);
    }

    /// What the database says is archived: name, and SHA-256.
    async fn noted(&self) -> BTreeMap<String, Digest> {
        let rows: Vec<(i64, Vec<u8>)> = sqlx::query_as("select file, sha256 from evidence.archived_files")
            .fetch_all(&self.room.db.pool())
            .await
            .unwrap();
        let named = |(file, sha256): (i64, Vec<u8>)| {
            (format!("journal-{file:016x}.alj"), Digest::from(<[u8; 32]>::try_from(sha256).unwrap()))
        };
        rows.into_iter().map(named).collect()
    }

    /// With the process dead: whatever is noted is in the object store, and whatever isn't is here.
    async fn look(&mut self) {
        for path in self.room.journal() {
            let read = || {
                let bytes = fs::read(&path).unwrap();
                bytes[..bytes.iter().rposition(|b| *b != 0).map_or(0, |last| last + 1)].to_vec()
            };
            self.seen.entry(name(&path)).or_insert_with(read);
        }
        let noted = self.noted().await;
        for (file, sha256) in &noted {
            assert_eq!(Digest::of(&fs::read(self.objects.join(file)).unwrap()), *sha256, "{file}");
        }
        let here: BTreeSet<String> = self.room.journal().iter().map(|path| name(path)).collect();
        for file in self.seen.keys() {
            assert!(noted.contains_key(file) || here.contains(file), "{file} was dropped before it was noted");
        }
    }

    /// With all told: each file once, as it was, each exhibit once, and all of it readable from there alone.
    async fn account(&mut self) {
        for call in &self.calls {
            self.room.published(call, "exhibit_archived").await;
        }
        until("the last local file to go", async || self.room.journal().is_empty()).await;
        self.look().await;
        let noted = self.noted().await;
        let objects = fs::read_dir(&self.objects).unwrap().map(|entry| name(&entry.unwrap().path()));
        // What a killed upload left lies beside them under another name.
        let objects: BTreeSet<String> = objects.filter(|name| name.ends_with(".alj")).collect();
        assert_eq!(objects, noted.keys().cloned().collect());
        for (file, seen) in &self.seen {
            let object = fs::read(self.objects.join(file)).unwrap();
            // A torn tail was cut before it was closed; nothing was added.
            let seen = seen.iter().copied().chain(std::iter::repeat(0)).take(object.len());
            assert!(seen.eq(object.iter().copied()), "{file} isn't what it was");
        }
        let mut told: BTreeMap<String, usize> = BTreeMap::new();
        for event in self.room.everything().await {
            assert_ne!(event.name, "integrity_alarm");
            if event.name == "exhibit_archived" {
                *told.entry(event.decode::<ExhibitArchived>().call_id).or_default() += 1;
            }
        }
        assert_eq!(told, self.calls.iter().map(|call| (call.clone(), 1)).collect());
        for call in &self.calls {
            let exhibit = self.room.exhibit(call).await.unwrap();
            assert_eq!(self.room.verified(&exhibit.exhibit_id).await.outcome(), Outcome::InPart);
        }
    }

    async fn killed_at_random(&mut self) {
        let entropy = Entropy::seeded(u64::from(KILLS));
        for _ in 0..KILLS {
            self.ended_call(60).await;
            // Between no time and that of the seal and the archiving of what came before.
            let life = u64::from(u32::from_be_bytes(entropy.bytes()) % LONGEST_LIFE);
            tokio::time::sleep(Duration::from_micros(life)).await;
            self.room.service.kill().await.unwrap();
            self.look().await;
            self.room.restart().await;
        }
        self.account().await;
        eprintln!("{KILLS} kills: {} files archived once each", self.noted().await.len());
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

#[tokio::test]
async fn at_any_moment_with_a_folder() {
    let dir = TempDir::new().unwrap();
    let objects = dir.path().join("objects");
    Stage::set(&format!("file://{}", objects.display()), &[], objects).await.killed_at_random().await;
}

#[tokio::test]
async fn at_any_moment_with_s3() {
    let s3 = S3::start().await.unwrap();
    fs::create_dir(s3.objects("store-1")).unwrap();
    let mut stage = Stage::set(&s3.url("store-1"), &s3.env(s3.address()), s3.objects("store-1")).await;
    stage.killed_at_random().await;
}

/// Between the put and its note, between the note and the telling, and before the file goes: a lock in the database
/// holds the process there until it is dead.
#[tokio::test]
async fn between_put_note_and_telling() {
    let s3 = S3::start().await.unwrap();
    fs::create_dir(s3.objects("store-1")).unwrap();
    let mut stage = Stage::set(&s3.url("store-1"), &s3.env(s3.address()), s3.objects("store-1")).await;
    let mut warden = PgConnection::connect(&stage.room.db.url()).await.unwrap();
    let mut run = async |sql: String| {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut warden).await.unwrap();
    };
    run("create function hold() returns trigger language plpgsql as $$
         begin perform pg_advisory_lock(4711); perform pg_advisory_unlock(4711); return new; end $$"
        .into())
    .await;
    for (table, noted) in [("archived_files", false), ("archived_exhibits", true)] {
        run(format!(
            "select pg_advisory_lock(4711);
             create trigger hold before insert on evidence.{table} for each row execute function hold()"
        ))
        .await;
        let files = stage.noted().await.len();
        stage.ended_call(5).await;
        until(table, async || {
            stage
                .room
                .count("select count(*) from pg_locks where locktype = 'advisory' and not granted and objid = 4711")
                .await
                > 0
        })
        .await;
        stage.room.service.kill().await.unwrap();
        let here = stage.room.journal();
        assert_eq!(here.len(), 1, "dropped too early");
        let object = fs::read(stage.objects.join(name(&here[0]))).unwrap();
        assert!(object == fs::read(&here[0]).unwrap());
        stage.look().await;
        run(format!("select pg_advisory_unlock(4711); drop trigger hold on evidence.{table}")).await;
        assert_eq!(stage.noted().await.len(), files + usize::from(noted));
        stage.room.restart().await;
        let call = stage.calls.last().unwrap().clone();
        stage.room.published(&call, "exhibit_archived").await;
        assert!(fs::read(stage.objects.join(name(&here[0]))).unwrap() == object, "written a second time");
        until("the file to go", async || stage.room.journal().is_empty()).await;
    }
    stage.account().await;
}
