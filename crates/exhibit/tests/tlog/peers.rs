//! The same tree, paths, tiles and notes by other people's code: the crates `tlog_tiles` and `signed_note` (which lag behind C2SP:
//! what they have in common with it is compared), and OpenSSL, which must be there. The shell's proof is `tests/foreign.rs`'s.

use std::{cell::RefCell, fs, process::Command};

use exhibit::{
    Digest,
    tlog::{
        Error, consistency_path, inclusion_path,
        note::{SignedNote, SignerKey},
        tile::{self, Holds},
    },
};
use signed_note::Signer as _;
use tempfile::tempdir;
use tlog_tiles::{Hash, HashReader};

use crate::tlog::{
    Tree,
    notes::{checkpoint, log},
};

/// Their storage: hashes in the order in which they are completed.
#[derive(Default)]
struct Theirs(RefCell<Vec<Hash>>);

impl HashReader for Theirs {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog_tiles::Error> {
        Ok(indexes.iter().map(|index| self.0.borrow()[*index as usize]).collect())
    }
}

fn ours(hash: Hash) -> Digest {
    Digest::from(hash.0)
}

#[test]
fn tlog_tiles_makes_the_same_tree_paths_and_tiles() {
    const SIZE: u64 = 700;
    let tree = Tree::numbered(SIZE);
    let theirs = Theirs::default();
    for n in 0..SIZE {
        let new = tlog_tiles::stored_hashes(n, n.to_string().as_bytes(), &theirs).unwrap();
        theirs.0.borrow_mut().extend(new);
    }
    let read = |level, index| tree.read(level, index);
    for size in [1, 2, 3, 7, 8, 255, 256, 257, 512, 513, 699, 700] {
        let root = tlog_tiles::tree_hash(size, &theirs).unwrap();
        assert_eq!(ours(root), tree.root(size));
        for index in (0..size).step_by(13).chain([size - 1]) {
            let path: Vec<_> = inclusion_path::<Error>(index, size, read).unwrap();
            let proof = tlog_tiles::prove_record(size, index, &theirs).unwrap();
            assert_eq!(proof.iter().copied().map(ours).collect::<Vec<_>>(), path, "{index}/{size}");
            let proof: Vec<_> = path.iter().map(|hash| Hash(*hash.as_bytes())).collect();
            tlog_tiles::check_record(&proof, size, root, index, Hash(*crate::tlog::leaf(index).as_bytes())).unwrap();
        }
        for old in (1..=size).step_by(11).chain([size]) {
            let path: Vec<_> = consistency_path::<Error>(old, size, read).unwrap();
            let proof = tlog_tiles::prove_tree(size, old, &theirs).unwrap();
            assert_eq!(proof.iter().copied().map(ours).collect::<Vec<_>>(), path, "{old}/{size}");
        }
    }
    for (from, to) in [(0, 1), (0, 700), (1, 700), (255, 256), (256, 257), (511, 700), (600, 600), (69_000, 70_000)] {
        let theirs: Vec<_> = tlog_tiles::Tile::new_tiles(8, from, to).iter().map(tlog_tiles::Tile::path).collect();
        let hashes = tile::changed(from, to).filter(|tile| tile.holds != Holds::Entries);
        // Theirs have the tile's height in the path, as the Go checksum database does and C2SP doesn't.
        assert_eq!(hashes.map(|tile| tile.path().replacen("tile/", "tile/8/", 1)).collect::<Vec<_>>(), theirs);
    }
    for tile in tlog_tiles::Tile::new_tiles(8, 0, SIZE) {
        let width = u64::from(tile.width());
        let start = tile.level_index() * 256;
        let hashes: Vec<_> = (start..start + width).map(|n| tree.read(tile.level() * 8, n).unwrap()).collect();
        assert_eq!(tile.read_data(&theirs).unwrap(), tile::encode_hashes(&hashes));
    }
    let theirs =
        tlog_tiles::Checkpoint::new("log.example/alcove", 7, Hash(*crate::tlog::leaf(7).as_bytes()), "").unwrap();
    assert_eq!(theirs.to_bytes(), checkpoint(7).to_text().into_bytes());
}

#[test]
fn signed_note_reads_our_notes_and_we_read_its() {
    let note = checkpoint(7).sign(&log()).unwrap();
    let theirs = signed_note::Note::from_bytes(note.to_text().as_bytes()).unwrap();
    assert_eq!((theirs.text(), theirs.to_bytes()), (note.text().as_bytes(), note.to_text().into_bytes()));
    let verifier = signed_note::StandardVerifier::new(&log().verifier().to_string()).unwrap();
    let known = signed_note::VerifierList::new(vec![Box::new(verifier)]);
    assert_eq!(theirs.verify(&known).unwrap().0.len(), 1);

    // Their signer's key: "PRIVATE+KEY+" name, id, type byte and seed.
    let id = hex::encode(log().verifier().id());
    let blob = exhibit_base64(&[&[1][..], &[1; 32]].concat());
    let signer = signed_note::StandardSigner::new(&format!("PRIVATE+KEY+log.example/alcove+{id}+{blob}")).unwrap();
    let mut theirs = signed_note::Note::new(checkpoint(7).to_text().as_bytes(), &[]).unwrap();
    assert_eq!(signer.key_id().to_be_bytes(), log().verifier().id());
    theirs.add_sigs(&[&signer]).unwrap();
    assert_eq!(SignedNote::parse(theirs.to_bytes()), Ok(note), "Ed25519 is deterministic");
}

fn exhibit_base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[test]
fn a_key_file_is_hex_or_what_openssl_writes() {
    let folder = tempdir().unwrap();
    let openssl = |arguments: &[&str]| {
        let output = Command::new("openssl").args(arguments).current_dir(folder.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    openssl(&["genpkey", "-algorithm", "ed25519", "-out", "key.pem"]);
    let der = openssl(&["pkey", "-in", "key.pem", "-pubout", "-outform", "DER"]);
    let pem = fs::read_to_string(folder.path().join("key.pem")).unwrap();
    let key = SignerKey::from_text("log.example/alcove", &pem).unwrap();
    assert_eq!(&key.verifier().public()[..], &der[der.len() - 32..]);
    let hex = format!("{}\n", hex::encode([1; 32]));
    assert_eq!(SignerKey::from_text("log.example/alcove", &hex).unwrap().verifier(), log().verifier());
    for bad in ["", &hex[1..], &pem.replace("PRIVATE", "PUBLIC"), &pem.replace("MC4C", "MC4D")] {
        let error = SignerKey::from_text("log.example/alcove", bad).unwrap_err().to_string();
        assert!(!error.contains("0101"), "{error}");
    }
}
