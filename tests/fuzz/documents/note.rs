//! Notes, checkpoints, proofs, entries and what a log asks of its witness have one spelling: what is accepted is written again byte for byte.

use exhibit::tlog::{AddCheckpoint, Checkpoint, Entry, Proof, note::SignedNote};

/// One input.
pub fn fuzz(bytes: &[u8]) {
    if let Ok(note) = SignedNote::parse(bytes) {
        assert_eq!(note.to_text().as_bytes(), bytes);
        let _ = Checkpoint::parse(note.text());
    }
    if let Ok(checkpoint) = Checkpoint::parse(bytes) {
        assert_eq!(checkpoint.to_text().as_bytes(), bytes);
    }
    if let Ok(proof) = Proof::parse(bytes) {
        assert_eq!(proof.to_text().as_bytes(), bytes);
    }
    if let Ok(entry) = Entry::parse(bytes) {
        assert_eq!(entry.to_bytes(), bytes);
    }
    if let Ok(asked) = AddCheckpoint::parse(bytes) {
        assert_eq!(asked.to_text().as_bytes(), bytes);
    }
}
