//! Closed journal files in object storage: told of when they are there, read from there when they are gone here, and with
//! the sender's copy enough to come back from a lost disk.

use std::{fs, path::PathBuf};

use crate::support::{retention::*, *};
use api::evidence::v1::{ExhibitArchived, ExhibitSealed, IntegrityAlarm};
use chassis::status::metadata_of;
use exhibit::verify::Outcome;
use tempfile::TempDir;
use testkit::{Proxy, S3, until};
use tonic::Code;

struct Stage {
    room: Room,
    others: Others,
    /// Where the objects lie as files.
    objects: PathBuf,
    s3: Option<(S3, Proxy)>,
    _dir: TempDir,
}

impl Stage {
    async fn folder(keep_local_hours: &str) -> Self {
        Self::with(&[("ALCOVE_EVIDENCE_STORE__ARCHIVE__KEEP_LOCAL_HOURS", keep_local_hours)]).await
    }

    async fn with(settings: &[(&str, &str)]) -> Self {
        let dir = TempDir::new().unwrap();
        let objects = dir.path().join("objects");
        let url = format!("file://{}", objects.display());
        Self::over(&url, settings, objects, None, dir).await
    }

    /// Behind a network that can be cut.
    async fn s3(keep_local_hours: &str) -> Self {
        let s3 = S3::start().await.unwrap();
        let proxy = Proxy::start(s3.address().to_string()).await.unwrap();
        let (url, env, objects) = (s3.url("store-1"), s3.env(proxy.address()), s3.objects("store-1"));
        fs::create_dir(&objects).unwrap();
        let mut settings = vec![("ALCOVE_EVIDENCE_STORE__ARCHIVE__KEEP_LOCAL_HOURS", keep_local_hours)];
        settings.extend(env.iter().map(|(key, value)| (*key, value.as_str())));
        Self::over(&url, &settings, objects, Some((s3, proxy)), TempDir::new().unwrap()).await
    }

    async fn over(
        url: &str,
        settings: &[(&str, &str)],
        objects: PathBuf,
        s3: Option<(S3, Proxy)>,
        dir: TempDir,
    ) -> Self {
        let archive =
            [("ALCOVE_EVIDENCE_STORE__ARCHIVE__URL", url), ("ALCOVE_EVIDENCE_STORE__ARCHIVE__ROLL_SECONDS", "0")];
        let room = Room::with(&[&archive[..], settings].concat()).await;
        let others = Others::at(&room.nats).await;
        Self { room, others, objects, s3, _dir: dir }
    }

    async fn both(keep_local_hours: &str) -> [Self; 2] {
        [Self::folder(keep_local_hours).await, Self::s3(keep_local_hours).await]
    }

    /// A call with so many segments, ended.
    async fn sealed(&self, segments: u64) -> (String, ExhibitSealed) {
        let call = self.room.call().await;
        self.send(&call, 0..segments).await;
        self.others.ended(&call, &[("caller-1", segments)]).await;
        let sealed = self.room.published(&call, "exhibit_sealed").await.pop().unwrap().decode();
        (call, sealed)
    }

    async fn send(&self, call: &str, seqs: std::ops::Range<u64>) {
        let mut stream = self.room.append().await;
        for seq in seqs {
            stream.send(segment(call, "caller-1", seq)).await.unwrap();
        }
    }

    fn local(&self) -> Vec<PathBuf> {
        self.room.journal()
    }

    async fn count(&self, table: &'static str) -> i64 {
        let sql = sqlx::AssertSqlSafe(format!("select count(*) from evidence.{table}"));
        sqlx::query_scalar(sql).fetch_one(&self.room.db.pool()).await.unwrap()
    }
}

#[tokio::test]
async fn what_is_archived_is_told_dropped_here_and_still_exported() {
    for mut stage in Stage::both("0").await {
        let (call, sealed) = stage.sealed(20).await;
        let archived: ExhibitArchived = stage.room.published(&call, "exhibit_archived").await.pop().unwrap().decode();
        assert_eq!(archived.exhibit_id, sealed.exhibit_id);
        assert_eq!(stage.count("exhibits where not archived").await, 0, "looked at for ever");
        until("the local files to go", async || stage.local().is_empty()).await;
        assert_eq!(journal_in(&stage.objects).len(), 1);
        assert_eq!(stage.room.verified(&sealed.exhibit_id).await.outcome(), Outcome::InPart);
        // The next process knows it for archived, not for lost, and goes on in a file of another number.
        stage.room.restart().await;
        assert_eq!(stage.room.verified(&sealed.exhibit_id).await.outcome(), Outcome::InPart);
        let (other, _) = stage.sealed(3).await;
        stage.room.published(&other, "exhibit_archived").await;
        assert_eq!(journal_in(&stage.objects).len(), 2);
        assert_eq!(stage.count("alarms").await, 0);
        // A copy that was altered since isn't believed.
        stage.room.restart().await;
        let object = &journal_in(&stage.objects)[0];
        let mut bytes = fs::read(object).unwrap();
        bytes[5_000] ^= 1;
        fs::write(object, bytes).unwrap();
        let mut chunks = stage.room.client.clone().export(exporting(&sealed.exhibit_id)).await.unwrap().into_inner();
        let status = loop {
            match chunks.message().await {
                Ok(chunk) => assert!(chunk.is_some(), "the export must fail"),
                Err(status) => break status,
            }
        };
        assert_eq!(status.code(), Code::DataLoss);
    }
}

/// A segment that comes when everything was archived and told goes into an addendum; the copy of it is called back only
/// when that is archived, too.
#[tokio::test]
async fn what_comes_late_is_called_back_late() {
    let stage = Stage::with(&[("ALCOVE_EVIDENCE_STORE__SEALING__GRACE_SECONDS", "0")]).await;
    let call = stage.room.call().await;
    stage.send(&call, 0..5).await;
    stage.others.ended(&call, &[("caller-1", 6)]).await;
    let marks = |event: &Published| -> Vec<(String, u64)> {
        let archived: ExhibitArchived = event.decode();
        archived.tracks.into_iter().map(|track| (track.track, track.segments)).collect()
    };
    let told = stage.room.published(&call, "exhibit_archived").await;
    assert_eq!(marks(told.last().unwrap()), [("caller-1".to_owned(), 5)]);
    stage.send(&call, 5..6).await;
    stage.room.published(&call, "addendum_sealed").await;
    let told = stage.room.published_times(&call, "exhibit_archived", 2).await;
    assert_eq!(marks(told.last().unwrap()), [("caller-1".to_owned(), 6)]);
}

/// Nobody may say that it is gone while the recorder still keeps it.
#[tokio::test]
async fn nothing_is_disposed_of_before_the_recorder_may_let_go() {
    let stage = Stage::with(&[DUE_AT_ONCE]).await;
    fs::remove_dir(&stage.objects).unwrap();
    fs::write(&stage.objects, "in the way").unwrap();
    let (call, sealed) = stage.sealed(2).await;
    stage.room.reviewed_twice(&sealed.exhibit_id).await;
    let mut client = stage.room.client.clone();
    refused(client.dispose(disposing(&sealed.exhibit_id)).await, Code::FailedPrecondition, "NOT_ARCHIVED");
    fs::remove_file(&stage.objects).unwrap();
    fs::create_dir(&stage.objects).unwrap();
    stage.sealed(1).await;
    stage.room.published(&call, "exhibit_archived").await;
    client.dispose(disposing(&sealed.exhibit_id)).await.unwrap();
    // The tombstone goes to the archive soon: a host that has nothing else must know.
    let newest = "select max(file) from evidence.exhibit_files where tombstone";
    let archived =
        "select count(*) from evidence.archived_files a join evidence.exhibit_files f using (file) where f.tombstone";
    until("the tombstone to be archived", async || stage.room.count(archived).await == 1).await;
    assert!(stage.room.count(newest).await > 1);
}

#[tokio::test]
async fn nothing_is_released_while_the_object_store_is_away() {
    let stage = Stage::folder("0").await;
    fs::remove_dir(&stage.objects).unwrap();
    fs::write(&stage.objects, "in the way").unwrap();
    let (first, sealed) = stage.sealed(5).await;
    until("the archiver to wait", async || stage.room.service.log().contains("archiving waits")).await;
    assert_eq!((stage.count("archived_files").await, stage.count("archived_exhibits").await), (0, 0));
    assert_eq!(stage.local().len(), 1);
    assert_eq!(stage.room.verified(&sealed.exhibit_id).await.outcome(), Outcome::InPart);
    // Calls go on, and with the next seal it is tried again.
    fs::remove_file(&stage.objects).unwrap();
    fs::create_dir(&stage.objects).unwrap();
    let (second, _) = stage.sealed(5).await;
    for call in [first, second] {
        stage.room.published(&call, "exhibit_archived").await;
    }
}

/// A file that can't be read, or an exhibit's row, is a person's matter; what the others hold is archived, and told of.
#[tokio::test]
async fn what_cannot_be_read_holds_up_no_other_s_archiving() {
    let stage = Stage::folder("1").await;
    fs::remove_dir(&stage.objects).unwrap();
    fs::write(&stage.objects, "in the way").unwrap();
    let (stuck, _) = stage.sealed(1).await;
    // No force has such a name.
    let unreadable = sqlx::query("update evidence.exhibits set force_id = '?' where call_id = $1::uuid").bind(stuck);
    unreadable.execute(&stage.room.db.pool()).await.unwrap();
    fs::create_dir(stage.room.data.path().join("journal-0000000000000000.alj")).unwrap();
    fs::remove_file(&stage.objects).unwrap();
    fs::create_dir(&stage.objects).unwrap();
    let (call, sealed) = stage.sealed(2).await;
    let archived: ExhibitArchived = stage.room.published(&call, "exhibit_archived").await.pop().unwrap().decode();
    assert_eq!(archived.exhibit_id, sealed.exhibit_id);
}

#[tokio::test]
async fn an_s3_that_cannot_be_reached_is_waited_for_and_its_secrets_are_not_told() {
    let stage = Stage::s3("0").await;
    let (s3, network) = stage.s3.as_ref().unwrap();
    network.cut();
    let (first, sealed) = stage.sealed(5).await;
    until("the archiver to wait", async || stage.room.service.log().contains("archiving waits")).await;
    assert_eq!((stage.count("archived_files").await, stage.count("archived_exhibits").await), (0, 0));
    assert_eq!((stage.local().len(), journal_in(&stage.objects).len()), (1, 0));
    assert_eq!(stage.room.verified(&sealed.exhibit_id).await.outcome(), Outcome::InPart);
    network.heal();
    let (second, _) = stage.sealed(5).await;
    for call in [first, second] {
        stage.room.published(&call, "exhibit_archived").await;
    }
    until("the local files to go", async || stage.local().is_empty()).await;
    assert_eq!(stage.room.verified(&sealed.exhibit_id).await.outcome(), Outcome::InPart);
    let log = fs::read_to_string(stage.room.service.log_file()).unwrap();
    assert!(s3.secrets().iter().all(|secret| !log.contains(secret)), "{log}");
}

#[tokio::test]
async fn other_bytes_in_the_archive_are_an_alarm_and_release_nothing() {
    for stage in Stage::both("0").await {
        let name = "journal-0000000000000001.alj";
        fs::write(stage.objects.join(name), "somebody else's").unwrap();
        let (call, _) = stage.sealed(5).await;
        let alarm: IntegrityAlarm = stage.room.published(&call, "integrity_alarm").await.pop().unwrap().decode();
        assert_eq!((alarm.kind.as_str(), alarm.track.as_str()), ("ARCHIVE_CONFLICT", "caller-1"));
        assert_eq!(fs::read(stage.objects.join(name)).unwrap(), b"somebody else's");
        // Others go their way; this one stays.
        let (other, _) = stage.sealed(5).await;
        stage.room.published(&other, "exhibit_archived").await;
        // Told first, dropped then.
        until("the local file to go", async || stage.local().len() == 1).await;
        assert_eq!(stage.count("archived_exhibits").await, 1);
    }
}

#[tokio::test]
async fn a_crash_between_the_upload_and_its_note_is_made_good() {
    for mut stage in Stage::both("24").await {
        let (call, _) = stage.sealed(5).await;
        stage.room.published(&call, "exhibit_archived").await;
        stage.room.service.kill().await.unwrap();
        // As if it had died with the upload done and nothing noted.
        let forget = "truncate evidence.archived_files, evidence.archived_exhibits; update evidence.exhibits set archived = false";
        sqlx::raw_sql(forget).execute(&stage.room.db.pool()).await.unwrap();
        let before = fs::read(&journal_in(&stage.objects)[0]).unwrap();
        stage.room.restart().await;
        let (next, _) = stage.sealed(5).await;
        stage.room.published(&next, "exhibit_archived").await;
        assert_eq!((stage.count("archived_exhibits").await, stage.count("alarms").await), (2, 0));
        assert_eq!(fs::read(&journal_in(&stage.objects)[0]).unwrap(), before, "what was uploaded is never written on");
    }
}

#[tokio::test]
async fn a_lost_disk_comes_back_from_the_archive_and_the_sender() {
    for mut stage in Stage::both("24").await {
        let (old, _) = stage.sealed(12).await;
        stage.room.published(&old, "exhibit_archived").await;
        let live = stage.room.call().await;
        stage.send(&live, 0..8).await;
        let before = stage.room.exhibit(&old).await.unwrap();
        stage.room.service.kill().await.unwrap();
        stage.local().iter().for_each(|file| fs::remove_file(file).unwrap());
        let lose =
            "truncate evidence.exhibits, evidence.tracks, evidence.segments, evidence.conflicts, evidence.alarms,
                             evidence.journal_files, evidence.archived_files cascade";
        sqlx::query(lose).execute(&stage.room.db.pool()).await.unwrap();
        stage.room.restart().await;

        let after = stage.room.exhibit(&old).await.unwrap();
        assert_eq!(
            (&after.exhibit_id, &after.reference, &after.tracks),
            (&before.exhibit_id, &before.reference, &before.tracks)
        );
        // The live one was acknowledged and not archived: its sender is told to begin again.
        refused(stage.room.append().await.send(segment(&live, "caller-1", 8)).await, Code::NotFound, "UNKNOWN_EXHIBIT");
        stage.room.client.clone().open_exhibit(opening(&live)).await.unwrap();
        let early = stage.room.append().await.send(segment(&live, "caller-1", 8)).await;
        let status = refused(early, Code::FailedPrecondition, "SEGMENT_OUT_OF_ORDER");
        assert_eq!(metadata_of(&status, "expected_seq").as_deref(), Some("0"));
        stage.send(&live, 0..9).await;
        // The index follows the journal.
        until("the index to follow the journal", async || {
            stage.room.exhibit(&live).await.unwrap().tracks.first().is_some_and(|track| track.segments == 9)
        })
        .await;
        // No number is used twice.
        assert!(stage.local().last() > stage.local().first());
        assert!(!stage.objects.join(stage.local().last().unwrap().file_name().unwrap()).exists());
    }
}
