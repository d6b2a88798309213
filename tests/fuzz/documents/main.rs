//! What comes as documents and words: to a verifier, a witness, recovery after a crash, from control rooms, partners and peers.
//! `deploy/dev/fuzz` says which.
#![no_main]

#[allow(dead_code, reason = "recovery and what is needed to try it; the service uses the rest")]
mod journal;
#[allow(dead_code, reason = "only signatures want it")]
mod keys;
mod link;
mod mait;
mod manifest;
mod names;
mod note;
mod package;
mod receipt;
mod recovery;
mod seal;
mod tile;
mod timestamp;
mod traceparent;

use std::sync::LazyLock;

use fuzzing::Target;

/// Its seeds are made by `fuzz_seeds`.
fn begun() {}

const TARGETS: [Target; 12] = [
    Target { name: "journal", begin: recovery::begin, fuzz: recovery::fuzz },
    Target { name: "link", begin: link::begin, fuzz: link::fuzz },
    Target { name: "mait", begin: mait::begin, fuzz: mait::fuzz },
    Target { name: "manifest", begin: begun, fuzz: manifest::fuzz },
    Target { name: "names", begin: names::begin, fuzz: names::fuzz },
    Target { name: "note", begin: begun, fuzz: note::fuzz },
    Target { name: "package", begin: begun, fuzz: package::fuzz },
    Target { name: "receipt", begin: receipt::begin, fuzz: receipt::fuzz },
    Target { name: "seal", begin: begun, fuzz: seal::fuzz },
    Target { name: "tile", begin: begun, fuzz: tile::fuzz },
    Target { name: "timestamp", begin: begun, fuzz: timestamp::fuzz },
    Target { name: "traceparent", begin: traceparent::begin, fuzz: traceparent::fuzz },
];

static CHOSEN: LazyLock<&Target> = LazyLock::new(|| fuzzing::chosen(&TARGETS));

libfuzzer_sys::fuzz_target!(init: (CHOSEN.begin)(), |bytes: &[u8]| (CHOSEN.fuzz)(bytes));
