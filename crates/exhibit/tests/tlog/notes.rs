//! Notes, keys and checkpoints: the examples of C2SP, there and back, and nothing else.

use exhibit::tlog::{
    Checkpoint, Error, empty_root,
    note::{KeyType, NOTE_AT_MOST, SIGNATURES_AT_MOST, Signature, SignedNote, SignerKey, VerifierKey},
};
use proptest::prelude::*;

use crate::tlog::leaf;

/// The example of `golang.org/x/mod/sumdb/note`, which C2SP's signed-note comes from.
const PETER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const PETERS_NOTE: &str = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n\
    — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

/// The example of c2sp.org/tlog-checkpoint and tlog-cosignature. Its keys are not published: it is for parsing.
const SOFA: &str = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\
    — example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n\
    — witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";

pub fn log() -> SignerKey {
    SignerKey::from_seed("log.example/alcove", &[1; 32]).unwrap()
}

pub fn witness() -> SignerKey {
    SignerKey::from_seed("witness.example/w1", &[2; 32]).unwrap()
}

pub fn checkpoint(size: u64) -> Checkpoint {
    let root = if size == 0 { empty_root() } else { leaf(size) };
    Checkpoint { origin: "log.example/alcove".to_owned(), size, root }
}

#[test]
fn a_note_of_the_go_implementation_verifies() {
    let (key, note): (VerifierKey, _) = (PETER.parse().unwrap(), SignedNote::parse(PETERS_NOTE).unwrap());
    assert_eq!((key.name(), key.kind(), key.to_string().as_str()), ("PeterNeumann", KeyType::Ed25519, PETER));
    assert_eq!(note.verify(&key), Ok(None));
    assert_eq!(note.to_text(), PETERS_NOTE);
    for at in 0..PETERS_NOTE.len() {
        let mut bytes = PETERS_NOTE.as_bytes().to_vec();
        bytes[at] ^= 1;
        assert!(SignedNote::parse(&bytes).and_then(|note| note.verify(&key)).is_err(), "byte {at}");
    }
}

#[test]
fn the_specifications_own_checkpoint_is_read() {
    let note = SignedNote::parse(SOFA).unwrap();
    assert_eq!(note.to_text(), SOFA);
    let checkpoint = Checkpoint::parse(note.text()).unwrap();
    assert_eq!((checkpoint.origin.as_str(), checkpoint.size), ("example.com/behind-the-sofa", 20_852_163));
    assert_eq!(checkpoint.to_text(), note.text());
    let [_, cosignature] = note.signatures() else { panic!() };
    assert_eq!(cosignature.cosigned_at(), Some(1_679_315_147));
}

#[test]
fn a_cosignature_binds_its_time_and_the_text() {
    let mut note = checkpoint(7).sign(&log()).unwrap();
    note.add(witness().cosign(note.text(), 1_700_000_000)).unwrap();
    let key = witness().cosignature_verifier();
    assert_eq!(note.verify(&key), Ok(Some(1_700_000_000)));
    assert_eq!(note.verify(&log().verifier()), Ok(None));
    // The same key as a log's is another key, with another id.
    assert_eq!(note.verify(&witness().verifier()), Err(Error::NotSigned("witness.example/w1".to_owned())));
    let moved = witness().cosign(checkpoint(8).to_text().as_str(), 1_700_000_000);
    note.add(moved).unwrap();
    assert_eq!(note.signatures().len(), 2, "one signature a key");
    assert_eq!(note.verify(&key), Err(Error::FalseSignature("witness.example/w1".to_owned())));
}

#[test]
fn one_false_signature_of_a_key_spoils_its_true_ones() {
    let note = checkpoint(7).sign(&log()).unwrap();
    let false_one = checkpoint(8).sign(&log()).unwrap().signatures()[0].clone();
    for text in
        [format!("{}{false_one}", note.to_text()), format!("{}\n{false_one}{}", note.text(), note.signatures()[0])]
    {
        let both = SignedNote::parse(text).unwrap();
        assert_eq!(both.verify(&log().verifier()), Err(Error::FalseSignature("log.example/alcove".to_owned())));
    }
}

#[test]
fn a_checkpoint_is_its_logs_alone() {
    let note = checkpoint(7).sign(&log()).unwrap();
    assert_eq!(Checkpoint::open(&note, &log().verifier()), Ok(checkpoint(7)));
    let thief = SignerKey::from_seed("log.example/alcove", &[3; 32]).unwrap();
    assert_eq!(
        Checkpoint::open(&note, &thief.verifier()),
        Err(Error::NotSigned("log.example/alcove".to_owned())),
        "a key of the same name has another id"
    );
    let other = Checkpoint { origin: "log.example/other".to_owned(), ..checkpoint(7) }.sign(&log()).unwrap();
    assert_eq!(Checkpoint::open(&other, &log().verifier()), Err(Error::OtherOrigin("log.example/other".to_owned())));
    assert!(Checkpoint { origin: "two\nlines".to_owned(), ..checkpoint(7) }.sign(&log()).is_err());
}

#[test]
fn checkpoints_have_one_spelling() {
    let good = checkpoint(7).to_text();
    assert_eq!(Checkpoint::parse(&good), Ok(checkpoint(7)));
    assert_eq!(Checkpoint::parse(checkpoint(0).to_text()), Ok(checkpoint(0)));
    let root = good.lines().nth(2).unwrap();
    let big = "9".repeat(30);
    for bad in [
        String::new(),
        good.trim_end().to_owned(),
        format!("{good}\n"),
        format!("{good}extension\n"),
        good.replace('\n', "\r\n"),
        format!("\n7\n{root}\n"),
        format!("{}\n7\n{root}\n", "o".repeat(256)),
        format!("o\n07\n{root}\n"),
        format!("o\n+7\n{root}\n"),
        format!("o\n-7\n{root}\n"),
        format!("o\n 7\n{root}\n"),
        format!("o\n{big}\n{root}\n"),
        format!("o\n18446744073709551616\n{root}\n"),
        format!("o\n7\n{}\n", root.trim_end_matches('=')),
        format!("o\n7\n{}\n", &root[4..]),
        format!("o\n7\n {root}\n"),
        format!("o\n0\n{root}\n"),
        // Stray bits after the last byte.
        "o\n7\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J=\n".to_owned(),
    ] {
        assert!(Checkpoint::parse(&bad).is_err(), "{bad:?}");
    }
}

#[test]
fn notes_have_one_spelling_and_a_bound() {
    let note = checkpoint(7).sign(&log()).unwrap();
    let (text, line) = (note.text(), note.signatures()[0].to_string());
    assert_eq!(Signature::parse(&line).unwrap().to_string(), line);
    for bad in [
        String::new(),
        text.to_owned(),
        format!("{text}\n"),
        format!("{text}{line}"),
        format!("{text}\n{}", line.trim_end()),
        format!("{text}\n{line}\n"),
        format!("{text}\n{}", line.replace("— ", "- ")),
        format!("{text}\n{}", line.replace("— ", "—  ")),
        format!("{text}\n{}", line.replace('\n', " \n")),
        format!("{text}\n{}", line.replace('\n', "\r\n")),
        format!("{text}\n{}", line.replace("log.", "lo+g.")),
        format!("{text}\n{}", line.replace("log.", "lo\u{a0}g.")),
        format!("{text}\n— log AAAA\n"),
        format!("{text}\n— log AAAAAA==\n"),
        format!("{}\u{7}\n{line}", text),
        format!("{text}\n{}", line.repeat(SIGNATURES_AT_MOST + 1)),
        format!("{}\n\n{line}", "x".repeat(NOTE_AT_MOST)),
    ] {
        assert!(SignedNote::parse(&bad).is_err(), "{:?}", &bad[..bad.len().min(300)]);
    }
    let [a, b, c] = ["\n", "a\n\nb\n", "\n\n\n"].map(|text| SignedNote::new(text, log().sign(text)).unwrap());
    for note in [a, b, c] {
        assert_eq!(SignedNote::parse(note.to_text()), Ok(note));
    }
    assert!(SignedNote::new("no end", log().sign("")).is_err());
    let mut full = note.clone();
    for n in 1..SIGNATURES_AT_MOST {
        full.add(SignerKey::from_seed(&format!("w{n}"), &[9; 32]).unwrap().cosign(text, 1)).unwrap();
    }
    assert!(full.add(witness().cosign(text, 1)).is_err());
    assert_eq!(SignedNote::parse(full.to_text()), Ok(full));
}

/// A public witness's key, as its operator publishes it: the id of type 4.
const REMORA: &str = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2";

#[test]
fn keys_have_one_spelling() {
    assert_eq!(REMORA.parse::<VerifierKey>().unwrap().kind(), KeyType::CosignatureV1);
    for key in [log().verifier(), witness().cosignature_verifier()] {
        assert_eq!(key.to_string().parse(), Ok(key.clone()));
        let text = key.to_string();
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            let changed = String::from_utf8(bytes).unwrap();
            assert!(changed.parse::<VerifierKey>().is_err(), "{changed}");
        }
        for bad in
            [text.to_uppercase(), format!("{text} "), format!("{text}\n"), text.replacen('+', "++", 1), String::new()]
        {
            assert!(bad.parse::<VerifierKey>().is_err(), "{bad}");
        }
    }
    for name in ["", "a b", "a+b", "a\u{2003}b", "a\nb", &"n".repeat(256)] {
        assert!(SignerKey::from_seed(name, &[1; 32]).is_err(), "{name:?}");
    }
    assert!(!format!("{:?}", log()).contains("1, 1"));
    let far = witness().cosign("x\n", u64::MAX);
    assert_eq!(far.cosigned_at(), Some(i64::MAX as u64));
    assert_eq!(
        SignedNote::new("x\n", far).unwrap().verify(&witness().cosignature_verifier()),
        Ok(Some(i64::MAX as u64))
    );
}

proptest! {
    #[test]
    fn whatever_is_read_is_what_would_be_written(text in "[ -~\n—]{0,200}", flip in any::<(prop::sample::Index, u8)>()) {
        let mut bytes = SOFA.as_bytes().to_vec();
        let at = flip.0.index(bytes.len());
        bytes[at] ^= flip.1;
        for candidate in [bytes, text.into_bytes()] {
            if let Ok(note) = SignedNote::parse(&candidate) {
                prop_assert_eq!(note.to_text().into_bytes(), candidate);
                if let Ok(checkpoint) = Checkpoint::parse(note.text()) {
                    prop_assert_eq!(checkpoint.to_text(), note.text());
                }
            }
        }
    }

    #[test]
    fn a_note_of_any_text_comes_back(text in "[^\\x00-\\x09\\x0b-\\x1f]{0,80}") {
        let text = format!("{text}\n");
        let note = SignedNote::new(&text, log().sign(&text)).unwrap();
        let back = SignedNote::parse(note.to_text()).unwrap();
        prop_assert_eq!(back.verify(&log().verifier()), Ok(None));
        prop_assert_eq!(back, note);
    }
}
