//! A small exhibit with two recordings, sealed by a development identity.
#![allow(clippy::unwrap_used, clippy::expect_used, dead_code)]

use std::{fs, path::Path};

use chrono::{DateTime, TimeDelta, Utc};
use exhibit::{
    Digest, Manifest, Missing, Segment, Track, chain,
    manifest::Format,
    package::Package,
    seal::{DevIdentity, Roots, Signer},
};
use ids::{ExhibitId, IncidentRef, TrackName};

pub struct Sample {
    pub manifest: Manifest,
    pub media: Vec<(TrackName, Vec<u8>)>,
    pub identity: DevIdentity,
    pub signer: Signer,
    pub package: Package,
}

pub fn now() -> DateTime<Utc> {
    "2026-11-24T18:39:00.123456Z".parse().unwrap()
}

pub fn exhibit() -> ExhibitId {
    "0190a000-0000-7000-8000-000000000001".parse().unwrap()
}

/// Bytes that no two places have alike.
pub fn media(seed: u8, len: usize) -> Vec<u8> {
    (0..len).map(|i| Digest::of(&[&[seed][..], &(i / 32).to_be_bytes()].concat()).as_bytes()[i % 32]).collect()
}

pub fn track(name: &str, role: &str, bytes: &[u8], segment_bytes: usize) -> Track {
    let name: TrackName = name.parse().unwrap();
    let mut head = chain::genesis(exhibit(), &name);
    let mut segments = Vec::new();
    for (i, piece) in bytes.chunks(segment_bytes).enumerate() {
        let starts_at = now() + TimeDelta::seconds(i as i64);
        let mut segment = Segment {
            seq: i as u64,
            offset: (i * segment_bytes) as u64,
            bytes: piece.len() as u64,
            sha256: Digest::of(piece),
            stored_sha256: Digest::of(piece),
            starts_at,
            ends_at: starts_at + TimeDelta::seconds(1),
            chain: head,
        };
        head = segment.link(exhibit(), &name).after(head);
        segment.chain = head;
        segments.push(segment);
    }
    Track {
        path: Track::path_of(&name),
        name,
        role: role.to_owned(),
        bytes: bytes.len() as u64,
        sha256: Digest::of(bytes),
        segments,
    }
}

pub fn manifest(tracks: Vec<Track>) -> Manifest {
    Manifest {
        format: Format::V1,
        exhibit: exhibit(),
        reference: "ALC/7F3K9Q2M/1".into(),
        call: "0190a000-0000-7000-8000-000000000002".parse().unwrap(),
        force: "wmp".parse().unwrap(),
        incident: IncidentRef::parse("2026-11-24", "1123/A").unwrap(),
        opened_at: now(),
        ended_at: now() + TimeDelta::minutes(10),
        fenced_at: now() + TimeDelta::minutes(11),
        end_reason: "OFFICER_ENDED".into(),
        missing: vec![Missing { track: "officer-1".parse().unwrap(), first_seq: 100, last_seq: 101 }],
        tracks,
        salt: [7; 32],
        software: "evidence-store 0.1.0".into(),
    }
}

impl Sample {
    /// Media of a few kilobytes, or more.
    pub fn new(media_bytes: usize) -> Self {
        let identity = DevIdentity::make([42; 32], now()).unwrap();
        Self::signed_by(identity, media_bytes)
    }

    pub fn signed_by(identity: DevIdentity, media_bytes: usize) -> Self {
        let (caller, officer) = (media(1, media_bytes), media(2, media_bytes));
        let tracks =
            vec![track("caller-1", "caller", &caller, 1000), track("officer-1", "officer", &officer, media_bytes / 2)];
        let media = vec![(tracks[0].name.clone(), caller), (tracks[1].name.clone(), officer)];
        Self::sealing(manifest(tracks), media, identity)
    }

    pub fn sealing(manifest: Manifest, media: Vec<(TrackName, Vec<u8>)>, identity: DevIdentity) -> Self {
        let signer = Signer::from_pem(&identity.key_pem, &identity.certificate_pem).unwrap();
        let bag = exhibit::bag::Bag::new(&manifest).unwrap();
        let seal = signer.sign(bag.tagmanifest(), now() + TimeDelta::minutes(12)).unwrap();
        let package = Package::new(bag, &seal).unwrap();
        Self { manifest, media, identity, signer, package }
    }

    pub fn roots(&self) -> Roots {
        Roots::from_pem(&self.identity.roots_pem).unwrap()
    }

    pub fn file(&self, path: &str) -> Vec<u8> {
        self.package.files.iter().find(|f| f.path == path).unwrap().bytes.clone()
    }

    /// Every file of the package.
    pub fn files(&self) -> Vec<(String, Vec<u8>)> {
        let small = self.package.files.iter().map(|f| (f.path.clone(), f.bytes.clone()));
        let tracks = self.package.tracks.iter().zip(&self.media).map(|(t, (_, bytes))| (t.path.clone(), bytes.clone()));
        small.chain(tracks).collect()
    }

    pub fn write_folder(&self, root: &Path) {
        for (path, bytes) in self.files() {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        fs::write(root.with_extension("roots.pem"), &self.identity.roots_pem).unwrap();
    }

    pub fn tar(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let open = |name: &TrackName| Ok(&self.media.iter().find(|(n, _)| n == name).unwrap().1[..]);
        self.package.write_tar(&mut out, open).unwrap();
        out
    }
}
