//! A receipt that somebody shows: read in one spelling or not at all, and worth something only if the store has signed what it says.

use std::sync::LazyLock;

use chrono::DateTime;
use exhibit::{
    Digest,
    receipt::{Judgement, Leaf, PublicKey, Receipt, ReceiptKey, check},
};

/// The store's key.
static KEY: LazyLock<ReceiptKey> =
    LazyLock::new(|| ReceiptKey::from_pem(&ReceiptKey::pem_of_seed([7; 32])).expect("a key"));
static PUBLIC: LazyLock<PublicKey> = LazyLock::new(|| KEY.public());
/// All that it has ever signed.
static SIGNED: LazyLock<Vec<Receipt>> = LazyLock::new(|| {
    let leaf = |track: &str, seq: u64| Leaf {
        exhibit: uuid::Uuid::from_u128(1).into(),
        track: track.parse().expect("a track"),
        seq,
        sha256: Digest::of(b"segment"),
        chain: Digest::of(b"chain"),
    };
    let leaves =
        [leaf("caller-1", 0), leaf("caller-1", 1), leaf("officer-1", 0), leaf("items", 3), leaf("caller-2", 9)];
    let proofs = KEY.sign(DateTime::UNIX_EPOCH, &leaves).expect("few");
    leaves.into_iter().zip(proofs).map(|(leaf, proof)| Receipt { leaf, proof }).collect()
});

/// The seeds.
pub fn begin() {
    let lines: Vec<String> = SIGNED.iter().map(Receipt::to_text).collect();
    for (n, line) in lines.iter().enumerate() {
        fuzzing::write_seed("receipt", &n.to_string(), line.as_bytes());
    }
    fuzzing::write_seed("receipt", "file", lines.join("\n").as_bytes());
}

/// One input.
pub fn fuzz(bytes: &[u8]) {
    fuzzing::text(bytes, |text| {
        let checked = check(text, &PUBLIC, None).expect("there is no package that couldn't be read");
        for ((_, _, judged), line) in checked.receipts.iter().zip(text.lines().filter(|line| !line.is_empty())) {
            match (Receipt::parse(line), judged) {
                (Ok(receipt), Judgement::Acknowledged) => {
                    assert!(SIGNED.contains(&receipt), "what was never signed is believed");
                    assert_eq!(receipt.to_text(), line);
                }
                (Ok(receipt), _) => assert_eq!(receipt.to_text(), line),
                (Err(_), judged) => assert!(matches!(judged, Judgement::Worthless(_))),
            }
        }
    });
}
