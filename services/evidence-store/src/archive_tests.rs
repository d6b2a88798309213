//! Against a folder and against S3 as object store: only what was never there is written, and what comes back is what
//! went in.
#![allow(clippy::unwrap_used, clippy::expect_used)]
use std::io::Read;

use testkit::{Proxy, S3};

use super::*;

const PREFIX: &str = "store-1";

struct Stage {
    dir: tempfile::TempDir,
    archive: Archive,
    /// Where the objects lie as files.
    objects: PathBuf,
    s3: Option<S3>,
}

impl Stage {
    fn folder() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let objects = dir.path().join("objects");
        let archive = Archive::open(&format!("file://{}", objects.display()), dir.path().join("cache")).unwrap();
        Self { dir, archive, objects, s3: None }
    }

    async fn s3() -> Self {
        let (dir, s3) = (tempfile::tempdir().unwrap(), S3::start().await.unwrap());
        let archive = Archive::open_by(client(&s3), &s3.url(PREFIX), dir.path().join("cache")).unwrap();
        Self { dir, archive, objects: s3.objects(PREFIX), s3: Some(s3) }
    }

    async fn both() -> [Self; 2] {
        [Self::folder(), Self::s3().await]
    }

    /// Another process: nothing is known, nothing cached.
    fn again(&self) -> Archive {
        let cache = self.dir.path().join("cache");
        match &self.s3 {
            Some(s3) => Archive::open_by(client(s3), &s3.url(PREFIX), cache).unwrap(),
            None => Archive::open(&format!("file://{}", self.objects.display()), cache).unwrap(),
        }
    }

    fn local(&self, number: u64, content: &[u8]) -> PathBuf {
        let path = self.dir.path().join(file_name(number));
        fs::write(&path, content).unwrap();
        path
    }

    fn object(&self, number: u64) -> PathBuf {
        self.objects.join(file_name(number))
    }

    fn cached(&self) -> usize {
        fs::read_dir(self.dir.path().join("cache")).unwrap().count()
    }
}

fn by(settings: impl IntoIterator<Item = (&'static str, String)>) -> AmazonS3Builder {
    settings.into_iter().fold(AmazonS3Builder::new(), |s3, (key, value)| {
        s3.with_config(key.to_ascii_lowercase().parse().unwrap(), value)
    })
}

fn client(s3: &S3) -> AmazonS3Builder {
    by(s3.env(s3.address()))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_archived_can_be_opened_when_the_file_is_gone() {
    for stage in Stage::both().await {
        for number in 1..=MOST_CACHED as u64 + 3 {
            let path = stage.local(number, format!("file {number}").as_bytes());
            let archived = stage.archive.put(number, path.clone()).await.unwrap();
            assert_eq!(archived.sha256, Digest::of(format!("file {number}").as_bytes()));
            fs::remove_file(path).unwrap();
            let mut text = String::new();
            stage.archive.open_copy(number).unwrap().read_to_string(&mut text).unwrap();
            assert_eq!(text, format!("file {number}"));
        }
        fs::write(stage.objects.join("not-a-journal-file"), "").unwrap();
        assert_eq!(stage.archive.list().await.unwrap(), (1..=MOST_CACHED as u64 + 3).collect::<Vec<_>>());
        assert_eq!(stage.cached(), MOST_CACHED);
        assert_eq!(stage.archive.open_copy(99).unwrap_err().kind(), io::ErrorKind::NotFound);
        // Another process: nothing is believed to be in the archive that nobody says is.
        assert!(stage.again().open_copy(1).is_err());
    }
}

/// The cache is smaller than what they read between them: nobody is disturbed by what another brings or drops.
#[tokio::test(flavor = "multi_thread")]
async fn many_read_at_once() {
    let files = 3 * MOST_CACHED as u64;
    for stage in Stage::both().await {
        for number in 1..=files {
            let path = stage.local(number, &number.to_be_bytes());
            stage.archive.put(number, path).await.unwrap();
        }
        let read = |reader: u64| {
            let archive = stage.archive.clone();
            tokio::task::spawn_blocking(move || {
                for number in (1..=files).map(|n| 1 + (n * 7 + reader * 5) % files) {
                    let mut bytes = [0; 8];
                    archive.open_copy(number).unwrap().read_exact(&mut bytes).unwrap();
                    assert_eq!(bytes, number.to_be_bytes());
                }
            })
        };
        futures::future::try_join_all((0..8).map(read)).await.unwrap();
        assert!(stage.cached() <= MOST_CACHED);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_again_is_fine_and_other_bytes_are_an_alarm() {
    for stage in Stage::both().await {
        let path = stage.local(1, b"as it was");
        let first = stage.archive.put(1, path.clone()).await.unwrap();
        assert_eq!(stage.archive.put(1, path.clone()).await.unwrap(), first);
        assert_eq!(stage.again().put(1, path.clone()).await.unwrap(), first);
        fs::write(&path, b"as it never was").unwrap();
        assert!(matches!(stage.archive.put(1, path).await, Err(Error::OtherBytes { .. })));
        assert_eq!(fs::read(stage.object(1)).unwrap(), b"as it was", "never overwritten");
        // Altered in the archive: not believed.
        fs::write(stage.object(1), b"as it isn't").unwrap();
        assert!(stage.archive.open_copy(1).is_err());
        assert_eq!(stage.cached(), 0);
    }
}

/// Larger than what a client would cut into parts, which are put together whatever was there before.
#[tokio::test(flavor = "multi_thread")]
async fn a_large_file_goes_up_in_one_create_only_put() {
    let content: Vec<u8> = (0..24 * 1024 * 1024_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for stage in Stage::both().await {
        let path = stage.local(1, &content);
        let archived = stage.archive.put(1, path.clone()).await.unwrap();
        assert_eq!(archived, Archived { sha256: Digest::of(&content), bytes: content.len() as u64 });
        fs::write(&path, &content[1..]).unwrap();
        // An object store may hang up as soon as it knows that the object is there, in the middle of our bytes.
        let refused = stage.archive.put(1, path.clone()).await.unwrap_err();
        assert!(matches!(refused, Error::OtherBytes { .. }), "{refused:?}");
        fs::remove_file(&path).unwrap();
        stage.archive.fetch(1, &path).await.unwrap();
        assert!(fs::read(&path).unwrap() == content);
    }
}

#[tokio::test]
async fn two_instances_in_one_bucket_do_not_see_each_other() {
    let stage = Stage::s3().await;
    let s3 = stage.s3.as_ref().unwrap();
    let other = Archive::open_by(client(s3), &s3.url("store-2"), stage.dir.path().join("other")).unwrap();
    stage.archive.put(1, stage.local(1, b"ours")).await.unwrap();
    assert!(other.list().await.unwrap().is_empty());
    other.put(1, stage.local(1, b"theirs")).await.unwrap();
    assert_eq!(fs::read(stage.object(1)).unwrap(), b"ours");
}

#[tokio::test]
async fn an_object_store_that_is_away_or_refuses_is_no_conflict_and_its_secrets_stay_ours() {
    let stage = Stage::s3().await;
    let s3 = stage.s3.as_ref().unwrap();
    let proxy = Proxy::start(s3.address().to_string()).await.unwrap();
    let archive = Archive::open_by(by(s3.env(proxy.address())), &s3.url(PREFIX), stage.dir.path().join("cache"));
    let (archive, path) = (archive.unwrap(), stage.local(1, b"as it was"));
    proxy.cut();
    let away = archive.put(1, path.clone()).await.unwrap_err();
    assert!(matches!(away, Error::Away(_)) && archive.list().await.is_err());
    proxy.heal();
    archive.put(1, path.clone()).await.unwrap();

    let wrong = by(s3.env(s3.address())).with_secret_access_key("another-secret");
    let wrong = Archive::open_by(wrong, &s3.url(PREFIX), stage.dir.path().join("cache")).unwrap();
    let refused = wrong.put(1, path).await.unwrap_err();
    assert!(matches!(refused, Error::Away(_)), "{refused:?}");
    let [_, secret] = s3.secrets();
    for said in [format!("{archive:?} {wrong:?} {away:?} {refused:?}"), chassis::chain(&away), chassis::chain(&refused)]
    {
        assert!(!said.contains(secret) && !said.contains("another-secret"), "{said}");
    }
}

#[tokio::test]
async fn an_address_is_one_of_two_kinds() {
    let dir = tempfile::tempdir().unwrap();
    for bad in ["", "/folder", "file://folder", "http://host/bucket"] {
        assert!(matches!(Archive::open(bad, dir.path().join("cache")), Err(Error::Url)), "{bad}");
    }
}
