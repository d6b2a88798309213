//! What comes to a call: offers, checks, handshakes, packets; and the film that a crash leaves of it. `deploy/dev/fuzz` says which.
#![no_main]

mod condition;
mod datagrams;
mod film;
mod fragment;
mod frames;
mod handshake;
mod packets;
mod sdp;

use std::sync::LazyLock;

use fuzzing::Target;

const TARGETS: [Target; 9] = [
    Target { name: "condition", begin: condition::begin, fuzz: condition::fuzz },
    Target { name: "datagrams", begin: datagrams::begin, fuzz: datagrams::fuzz },
    Target { name: "film", begin: film::begin, fuzz: film::fuzz },
    Target { name: "fragment", begin: fragment::begin, fuzz: fragment::fuzz },
    Target { name: "frames", begin: frames::begin, fuzz: frames::fuzz },
    Target { name: "handshake", begin: handshake::begin, fuzz: handshake::fuzz },
    Target { name: "packets", begin: packets::begin, fuzz: packets::fuzz },
    Target { name: "sdp", begin: sdp::begin, fuzz: sdp::fuzz },
    // Whose check it is can be asked of any bytes.
    Target { name: "stun", begin: || {}, fuzz: media::stun },
];

static CHOSEN: LazyLock<&Target> = LazyLock::new(|| fuzzing::chosen(&TARGETS));

libfuzzer_sys::fuzz_target!(init: (CHOSEN.begin)(), |bytes: &[u8]| (CHOSEN.fuzz)(bytes));
