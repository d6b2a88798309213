//! Against a folder as object store: only what was never there is written, and what comes back is what went in.
#![allow(clippy::unwrap_used, clippy::expect_used)]
use std::io::Read;

use super::*;

struct Stage {
    dir: tempfile::TempDir,
    archive: Archive,
}

impl Stage {
    fn set() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let archive = Archive::open(&url(dir.path()), dir.path().join("cache")).unwrap();
        Self { dir, archive }
    }

    fn local(&self, number: u64, content: &[u8]) -> PathBuf {
        let path = self.dir.path().join(file_name(number));
        fs::write(&path, content).unwrap();
        path
    }

    fn object(&self, number: u64) -> PathBuf {
        self.dir.path().join("objects").join(file_name(number))
    }
}

fn url(dir: &Path) -> String {
    format!("file://{}", dir.join("objects").display())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_archived_can_be_opened_when_the_file_is_gone() {
    let stage = Stage::set();
    for number in 1..=MOST_CACHED as u64 + 3 {
        let path = stage.local(number, format!("file {number}").as_bytes());
        let archived = stage.archive.put(number, path.clone()).await.unwrap();
        assert_eq!(archived.sha256, Digest::of(format!("file {number}").as_bytes()));
        fs::remove_file(path).unwrap();
        let mut text = String::new();
        stage.archive.open_copy(number).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, format!("file {number}"));
    }
    assert_eq!(stage.archive.list().await.unwrap(), (1..=MOST_CACHED as u64 + 3).collect::<Vec<_>>());
    assert_eq!(fs::read_dir(stage.dir.path().join("cache")).unwrap().count(), MOST_CACHED);
    assert_eq!(stage.archive.open_copy(99).unwrap_err().kind(), io::ErrorKind::NotFound);
    // Another process: nothing is believed to be in the archive that nobody says is.
    let other = Archive::open(&url(stage.dir.path()), stage.dir.path().join("cache")).unwrap();
    assert!(other.open_copy(1).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_again_is_fine_and_other_bytes_are_an_alarm() {
    let stage = Stage::set();
    let path = stage.local(1, b"as it was");
    let first = stage.archive.put(1, path.clone()).await.unwrap();
    assert_eq!(stage.archive.put(1, path.clone()).await.unwrap(), first);
    fs::write(&path, b"as it never was").unwrap();
    assert!(matches!(stage.archive.put(1, path).await, Err(Error::OtherBytes { .. })));
    assert_eq!(fs::read(stage.object(1)).unwrap(), b"as it was", "never overwritten");
    // Altered in the archive: not believed.
    fs::write(stage.object(1), b"as it isn't").unwrap();
    assert!(stage.archive.open_copy(1).is_err());
    assert_eq!(fs::read_dir(stage.dir.path().join("cache")).unwrap().count(), 0);
}

#[tokio::test]
async fn an_address_is_one_of_two_kinds() {
    let dir = tempfile::tempdir().unwrap();
    for bad in ["", "/folder", "file://folder", "http://host/bucket"] {
        assert!(matches!(Archive::open(bad, dir.path().join("cache")), Err(Error::Url)), "{bad}");
    }
}
