//! A small exhibit with two recordings and three items, sealed by a development identity.

mod burial;
mod world;

use std::{collections::BTreeMap, fs, path::Path};

#[allow(unused_imports)]
pub use burial::Grave;
use chrono::{DateTime, TimeDelta, Utc};
use exhibit::{
    Digest, Item, ItemFacts, ItemKind, Manifest, MediaType, Missing, Segment, SmallFile, Track, chain,
    manifest::{Format, ITEMS, Lister, Segments},
    package::{self, Content, LogProof, Package, Proofs},
    seal::{CheckedSeal, DevIdentity, Roots, Signer},
    tlog::Entry,
    verify::Trust,
};
#[allow(unused_imports)]
pub use world::{ORIGIN, World};

use ids::{ExhibitId, IncidentRef, TrackName};

/// Every track's segments.
pub type Lists = BTreeMap<TrackName, Vec<Segment>>;

/// What is sealed.
#[derive(Clone)]
pub struct Held {
    pub manifest: Manifest,
    pub lists: Lists,
    pub media: Vec<(TrackName, Vec<u8>)>,
    pub items: Vec<Vec<u8>>,
}

pub struct Sample {
    pub manifest: Manifest,
    pub lists: Lists,
    /// The same as they lie in the package.
    pub list_files: BTreeMap<TrackName, Vec<u8>>,
    pub media: Vec<(TrackName, Vec<u8>)>,
    pub items: Vec<Vec<u8>>,
    pub identity: DevIdentity,
    pub signer: Signer,
    pub package: Package,
    /// Who made the later proofs, if there are any.
    pub world: Option<World>,
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

pub fn track(name: &str, role: &str, bytes: &[u8], segment_bytes: usize) -> (Track, Vec<Segment>) {
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
    let track = Track {
        path: Track::path_of(&name),
        role: role.to_owned(),
        bytes: bytes.len() as u64,
        sha256: Digest::of(bytes),
        segments: listed(&name, &segments),
        name,
    };
    (track, segments)
}

/// What a manifest says of these segments.
pub fn listed(name: &TrackName, segments: &[Segment]) -> Segments {
    let mut lister = Lister::default();
    segments.iter().for_each(|segment| lister.add(segment).unwrap());
    lister.segments(name).unwrap()
}

pub fn list_file(segments: &[Segment]) -> Vec<u8> {
    segments.iter().flat_map(|segment| segment.to_line().unwrap()).collect()
}

/// A seal with nothing over it.
pub fn proofs(seal: &[u8]) -> Proofs<'_> {
    Proofs { seal, timestamp: None, log: None }
}

/// What lies beside the recordings: a transcript in two versions, and a still with a long name.
pub fn items() -> Vec<(ItemFacts, Vec<u8>)> {
    let long = "a-still-whose-name-is-as-long-as-a-name-may-be-0123456789-012345";
    let of = |i: u8, kind, name: &str, version, media_type, data: &[u8]| {
        let facts = ItemFacts {
            added_at: now() + TimeDelta::minutes(i.into()),
            bytes: data.len() as u64,
            id: uuid::Uuid::from_u128(u128::from(i)),
            kind,
            made_at: now() + TimeDelta::seconds(i.into()),
            media_type,
            name: name.to_owned(),
            sha256: Digest::of(data),
            version,
        };
        (facts, data.to_owned())
    };
    vec![
        of(1, ItemKind::ChatTranscript, "chat", 1, MediaType::Json, br#"{"lines":[]}"#),
        of(2, ItemKind::Still, long, 1, MediaType::Jpeg, &media(9, 700)),
        of(3, ItemKind::ChatTranscript, "chat", 2, MediaType::Json, br#"{"lines":["Bonjour"]}"#),
    ]
}

/// Chains them.
pub fn chained(facts: &[(ItemFacts, Vec<u8>)]) -> Vec<Item> {
    let track: TrackName = ITEMS.parse().unwrap();
    let mut head = chain::genesis(exhibit(), &track);
    let chain = |(seq, (facts, data)): (usize, &(ItemFacts, Vec<u8>))| {
        let facts = facts.clone();
        let payload = [facts.prefix().unwrap(), data.clone()].concat();
        let mut item = Item {
            path: facts.path(),
            id: facts.id,
            kind: facts.kind,
            name: facts.name,
            version: facts.version,
            media_type: facts.media_type,
            bytes: facts.bytes,
            sha256: facts.sha256,
            made_at: facts.made_at,
            added_at: facts.added_at,
            seq: seq as u64,
            payload_bytes: payload.len() as u64,
            payload_sha256: Digest::of(&payload),
            stored_sha256: Digest::of(&payload),
            chain: head,
        };
        head = item.link(exhibit(), &track).after(head);
        item.chain = head;
        item
    };
    facts.iter().enumerate().map(chain).collect()
}

/// A manifest of these tracks, and their lists.
pub fn manifest(tracks: Vec<(Track, Vec<Segment>)>) -> (Manifest, Lists) {
    let lists = tracks.iter().map(|(track, list)| (track.name.clone(), list.clone())).collect();
    let manifest = Manifest {
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
        tracks: tracks.into_iter().map(|(track, _)| track).collect(),
        items: Vec::new(),
        encryption: None,
        parent: None,
        salt: [7; 32],
        software: "evidence-store 0.1.0".into(),
    };
    (manifest, lists)
}

/// The same, with the chains of the exhibit that it now names, and with what its lists now are.
pub fn rechained((mut manifest, mut lists): (Manifest, Lists)) -> (Manifest, Lists) {
    let exhibit = manifest.exhibit;
    for track in &mut manifest.tracks {
        let mut head = chain::genesis(exhibit, &track.name);
        let list = lists.get_mut(&track.name).unwrap();
        for segment in &mut *list {
            head = segment.link(exhibit, &track.name).after(head);
            segment.chain = head;
        }
        track.segments = listed(&track.name, list);
    }
    let items: TrackName = ITEMS.parse().unwrap();
    let mut head = chain::genesis(exhibit, &items);
    for item in &mut manifest.items {
        head = item.link(exhibit, &items).after(head);
        item.chain = head;
    }
    (manifest, lists)
}

impl Sample {
    /// Media of a few kilobytes, or more.
    pub fn new(media_bytes: usize) -> Self {
        let identity = DevIdentity::make([42; 32], now()).unwrap();
        Self::signed_by(identity, media_bytes)
    }

    pub fn signed_by(identity: DevIdentity, media_bytes: usize) -> Self {
        Self::signed_by_at(identity, media_bytes, now() + TimeDelta::minutes(12))
    }

    fn signed_by_at(identity: DevIdentity, media_bytes: usize, at: DateTime<Utc>) -> Self {
        let (caller, officer) = (media(1, media_bytes), media(2, media_bytes));
        let tracks =
            vec![track("caller-1", "caller", &caller, 1000), track("officer-1", "officer", &officer, media_bytes / 2)];
        let media = vec![("caller-1".parse().unwrap(), caller), ("officer-1".parse().unwrap(), officer)];
        let items = items();
        let (manifest, lists) = manifest(tracks);
        let manifest = Manifest { items: chained(&items), ..manifest };
        let items = items.into_iter().map(|(_, data)| data).collect();
        Self::sealing_at(Held { manifest, lists, media, items }, identity, at)
    }

    pub fn sealing(held: Held, identity: DevIdentity) -> Self {
        Self::sealing_at(held, identity, now() + TimeDelta::minutes(12))
    }

    pub fn sealing_at(held: Held, identity: DevIdentity, at: DateTime<Utc>) -> Self {
        let Held { manifest, lists, media, items } = held;
        let list_files = lists.iter().map(|(track, list)| (track.clone(), list_file(list))).collect();
        let signer = Signer::from_pem(&identity.key_pem, &identity.certificate_pem).unwrap();
        let bag = exhibit::bag::Bag::new(&manifest).unwrap();
        let seal = signer.sign(bag.tagmanifest(), at).unwrap();
        let package = Package::new(bag, &proofs(&seal)).unwrap();
        Self { manifest, lists, list_files, media, items, identity, signer, package, world: None }
    }

    /// To be sealed again, perhaps altered.
    pub fn held(&self) -> Held {
        let (manifest, lists) = (self.manifest.clone(), self.lists.clone());
        Held { manifest, lists, media: self.media.clone(), items: self.items.clone() }
    }

    /// With every proof, and an access log.
    pub fn full(media_bytes: usize) -> Self {
        let world = World::new();
        let identity = DevIdentity::make([42; 32], world.now()).unwrap();
        let mut sample = Self::signed_by_at(identity, media_bytes, world.now());
        sample.prove(world);
        sample
    }

    /// Another session's exhibit by the same signer, authority and log: other id, other media.
    pub fn other(&self) -> Self {
        let (caller, officer) = (media(11, 2_000), media(12, 2_000));
        let tracks = vec![track("caller-1", "caller", &caller, 1000), track("officer-1", "officer", &officer, 1000)];
        let (manifest, lists) = manifest(tracks);
        let mut manifest = Manifest { items: chained(&items()), ..manifest };
        manifest.exhibit = "0190a000-0000-7000-8000-0000000000bb".parse().unwrap();
        let media = vec![("caller-1".parse().unwrap(), caller), ("officer-1".parse().unwrap(), officer)];
        let at = CheckedSeal::open(&self.file(package::SEAL)).unwrap().signing_time();
        let identity = DevIdentity {
            roots_pem: self.identity.roots_pem.clone(),
            certificate_pem: self.identity.certificate_pem.clone(),
            key_pem: self.identity.key_pem.clone(),
        };
        let (manifest, lists) = rechained((manifest, lists));
        let mut other = Self::sealing_at(Held { manifest, lists, media, items: self.items.clone() }, identity, at);
        other.prove_by(self.world.as_ref().unwrap());
        other
    }

    /// Adds timestamp, log proof and access log to what is only signed.
    pub fn prove(&mut self, world: World) {
        self.prove_by(&world);
        self.world = Some(world);
    }

    fn prove_by(&mut self, world: &World) {
        let seal = self.file(package::SEAL);
        let timestamp = world.stamp(&seal);
        let (exhibit, stamped) = (self.manifest.exhibit, Some(Digest::of(&timestamp)));
        let entry = Entry::Seal { exhibit, seal: Digest::of(&seal), timestamp: stamped }.to_bytes();
        let proof = world.prove(&entry, 5, 7);
        let bag = exhibit::bag::Bag::new(&self.manifest).unwrap();
        let log = Some(LogProof { entry: &entry, proof: &proof });
        self.package = Package::new(bag, &Proofs { seal: &seal, timestamp: Some(&timestamp), log }).unwrap();
        let access = world.access(3).map(|(path, bytes)| SmallFile { path: path.to_owned(), bytes });
        self.package.files.extend(access);
    }

    pub fn roots(&self) -> Roots {
        Roots::from_pem(&self.identity.roots_pem).unwrap()
    }

    /// Whoever made it, and nobody else, is trusted.
    pub fn trust(&self) -> Trust {
        let signers = Trust { signers: Some(self.roots()), ..Trust::default() };
        self.world.as_ref().map_or(signers.clone(), |world| world.trust(signers))
    }

    pub fn file(&self, path: &str) -> Vec<u8> {
        self.package.files.iter().find(|f| f.path == path).unwrap().bytes.clone()
    }

    /// Every file of the package.
    pub fn files(&self) -> Vec<(String, Vec<u8>)> {
        let small = self.package.files.iter().map(|f| (f.path.clone(), f.bytes.clone()));
        let stored = self.package.stored.iter().map(|f| (f.path.clone(), self.content(&f.content).to_owned()));
        small.chain(stored).collect()
    }

    /// What is streamed.
    pub fn content(&self, content: &Content) -> &[u8] {
        match content {
            Content::Segments(name) => &self.list_files[name],
            Content::Track(name) => &self.media.iter().find(|(n, _)| n == name).unwrap().1,
            Content::Item(seq) => &self.items[*seq as usize],
        }
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
        self.package.write_tar(&mut out, |file| Ok(self.content(&file.content))).unwrap();
        out
    }
}
