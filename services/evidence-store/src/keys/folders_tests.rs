//! Keys made once, kept everywhere, repaired, refused under a wrong KEK, and destroyed for good.
#![allow(clippy::unwrap_used, clippy::expect_used)]
use tempfile::TempDir;

use super::*;
use crate::keys::{FileKek, kek};

struct Room {
    _own: TempDir,
    dirs: Vec<PathBuf>,
    kek_file: PathBuf,
    entropy: Entropy,
}

impl Room {
    fn new() -> Self {
        let own = TempDir::new().unwrap();
        let dirs = vec![own.path().join("a"), own.path().join("b")];
        let kek_file = own.path().join("kek");
        let entropy = Entropy::seeded(1);
        kek::make_file(&kek_file, &entropy).unwrap();
        Self { _own: own, dirs, kek_file, entropy }
    }

    fn store(&self) -> KeyStore {
        KeyStore::new(self.dirs.clone())
    }

    fn kek(&self) -> Kek {
        Kek::File(FileKek::new(&self.kek_file))
    }
}

fn exhibit(n: u128) -> ExhibitId {
    uuid::Uuid::from_u128(n).into()
}

#[test]
fn a_key_is_made_once_and_lies_in_every_folder() {
    let room = Room::new();
    let (store, kek) = (room.store(), room.kek());
    assert!(matches!(store.load(exhibit(1), &kek), Err(Error::Lost)));
    let key = store.make(exhibit(1), &kek, &room.entropy).unwrap();
    assert_eq!(store.make(exhibit(1), &kek, &room.entropy).unwrap().id(), key.id());
    assert_ne!(store.make(exhibit(2), &kek, &room.entropy).unwrap().id(), key.id());
    let copies = room.dirs.iter().map(|dir| fs::read(path(dir, exhibit(1))).unwrap()).collect::<Vec<_>>();
    assert_eq!(copies[0], copies[1]);
    assert!(!copies[0].windows(32).any(|w| w == key.bytes()));
    assert_eq!(room.store().load(exhibit(1), &kek).unwrap().id(), key.id());
    // Another exhibit's key file in its place is no key.
    for dir in &room.dirs {
        fs::copy(path(dir, exhibit(2)), path(dir, exhibit(1))).unwrap();
    }
    assert!(matches!(store.load(exhibit(1), &kek), Err(Error::Altered(_))));
}

#[test]
fn a_lost_folder_or_file_is_repaired_from_the_other() {
    let room = Room::new();
    let (store, kek) = (room.store(), room.kek());
    let keys: Vec<_> = (0..3).map(|n| store.make(exhibit(n), &kek, &room.entropy).unwrap().id()).collect();
    fs::remove_dir_all(&room.dirs[0]).unwrap();
    assert_eq!(store.load(exhibit(0), &kek).unwrap().id(), keys[0]);
    room.store().check(&kek).unwrap();
    fs::remove_dir_all(&room.dirs[1]).unwrap();
    for (n, id) in keys.iter().enumerate() {
        assert_eq!(&store.load(exhibit(n as u128), &kek).unwrap().id(), id);
    }
    fs::write(path(&room.dirs[0], exhibit(1)), b"{}").unwrap();
    assert_eq!(store.load(exhibit(1), &kek).unwrap().id(), keys[1]);
    let copies = room.dirs.iter().map(|dir| fs::read(path(dir, exhibit(1))).unwrap()).collect::<Vec<_>>();
    assert_eq!(copies[0], copies[1]);
}

#[test]
fn a_key_that_can_not_be_kept_everywhere_is_not_given_out() {
    let room = Room::new();
    let (store, kek) = (room.store(), room.kek());
    fs::remove_dir_all(&room.dirs[1]).unwrap();
    fs::write(&room.dirs[1], b"not a folder").unwrap();
    assert!(matches!(store.make(exhibit(1), &kek, &room.entropy), Err(error) if error.is_away()));
    fs::remove_file(&room.dirs[1]).unwrap();
    fs::create_dir(&room.dirs[1]).unwrap();
    let key = store.make(exhibit(1), &kek, &room.entropy).unwrap();
    assert_eq!(store.load(exhibit(1), &kek).unwrap().id(), key.id());
}

#[test]
fn a_wrong_kek_is_named_and_an_absent_one_is_away() {
    let room = Room::new();
    let (store, kek) = (room.store(), room.kek());
    store.make(exhibit(1), &kek, &room.entropy).unwrap();
    let right = fs::read(&room.kek_file).unwrap();
    fs::remove_file(&room.kek_file).unwrap();
    assert!(store.load(exhibit(1), &kek).is_err_and(|error| error.is_away()));
    assert!(store.check(&kek).is_err_and(|error| error.is_away()));
    fs::write(&room.kek_file, "ab".repeat(32)).unwrap();
    for wrong in [store.load(exhibit(1), &kek).err().unwrap(), store.check(&kek).unwrap_err()] {
        let Error::WrongKek { wrapped, configured } = &wrong else { panic!("{wrong}") };
        assert!(wrapped != configured && wrapped.starts_with("file:"), "{wrong}");
        assert!(!wrong.is_away());
    }
    fs::write(&room.kek_file, "short").unwrap();
    assert!(matches!(store.load(exhibit(1), &kek), Err(Error::NotAKek(_))));
    fs::write(&room.kek_file, right).unwrap();
    assert!(store.load(exhibit(1), &kek).is_ok());
}

#[test]
fn every_bit_of_a_wrapped_key_counts() {
    let room = Room::new();
    let (store, kek) = (room.store(), room.kek());
    store.make(exhibit(1), &kek, &room.entropy).unwrap();
    let text = fs::read(path(&room.dirs[0], exhibit(1))).unwrap();
    let wrapped = read(exhibit(1), &text).unwrap();
    let bytes = hex::decode(&wrapped.wrapped).unwrap();
    for bit in 0..bytes.len() * 8 {
        let mut bytes = bytes.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(matches!(kek.unwrap(exhibit(1), &wrapped.kek, &bytes), Err(Error::Altered(_))), "bit {bit}");
    }
    assert!(matches!(kek.unwrap(exhibit(2), &wrapped.kek, &bytes), Err(Error::Altered(_))));
}

#[test]
fn what_is_destroyed_does_not_come_back() {
    let room = Room::new();
    let (store, kek) = (room.store(), room.kek());
    store.make(exhibit(1), &kek, &room.entropy).unwrap();
    let backup = fs::read(path(&room.dirs[0], exhibit(1))).unwrap();
    store.destroy(exhibit(1)).unwrap();
    store.destroy(exhibit(1)).unwrap();
    assert!(room.dirs.iter().all(|dir| !path(dir, exhibit(1)).exists()));
    assert!(matches!(store.load(exhibit(1), &kek), Err(Error::Destroyed)));
    assert!(matches!(store.make(exhibit(1), &kek, &room.entropy), Err(Error::Destroyed)));
    // A folder that was away at the time.
    fs::write(path(&room.dirs[0], exhibit(1)), &backup).unwrap();
    fs::remove_file(destroyed(&room.dirs[0], exhibit(1))).unwrap();
    assert!(matches!(store.load(exhibit(1), &kek), Err(Error::Destroyed)));
    assert!(room.dirs.iter().all(|dir| !path(dir, exhibit(1)).exists() && destroyed(dir, exhibit(1)).exists()));
}
