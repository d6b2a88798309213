//! The verifier beside `sha256sum`, on the same files of a package as large as a long call's.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use chassis::{Clock, Entropy};
use chrono::{DateTime, TimeDelta, Utc};
use exhibit::{
    Digest, Manifest, Segment, Track,
    bag::Bag,
    chain,
    manifest::{Format, Lister},
    package::{Package, Proofs},
    seal::{DevIdentity, Roots, Signer},
    verify::{Outcome, Trust, verify},
};
use ids::{ExhibitId, IncidentRef};

use crate::{
    Failure,
    figures::{Figure, Figures, Target},
    samples::Samples,
};

const SEGMENT: usize = 128 << 10;

/// Times both, in turns, on files that are in the page cache.
pub async fn measure(figures: &Figures, folder: &Path, quick: bool) -> Result<(), Failure> {
    let (megabytes, times) = if quick { (32, 3) } else { (320, 7) };
    let root = folder.join("package");
    let figure = tokio::task::spawn_blocking(move || compared(&root, megabytes, times)).await??;
    figures.add(figure);
    Ok(())
}

fn compared(root: &Path, megabytes: usize, times: usize) -> Result<Figure, Failure> {
    let _ = fs::remove_dir_all(root);
    let made = Made::write(root, megabytes << 20)?;
    let (mut ours, mut theirs) = (Samples::default(), Samples::default());
    for _ in 0..times {
        let began = Instant::now();
        let status = Command::new("sha256sum").args(&made.files).stdout(Stdio::null()).status()?;
        theirs.add(began.elapsed().as_secs_f64());
        if !status.success() {
            return Err(format!("sha256sum: {status}").into());
        }
        let began = Instant::now();
        let report = verify(root, &made.trust)?;
        ours.add(began.elapsed().as_secs_f64());
        if report.outcome() == Outcome::Failed {
            return Err(format!("the package doesn't verify: {report}").into());
        }
    }
    fs::remove_dir_all(root)?;
    let rate = |samples: &Samples| made.bytes as f64 / 1e6 / samples.median();
    let note = format!(
        "verifier's rate over sha256sum's, medians of {times} each, in turns: {:.0} MB/s beside {:.0} MB/s on {} MB in 2 \
         tracks; the verifier hashes every byte twice (file and segment), on two threads; sha256sum (the peer, MB/s) once, on one",
        rate(&ours),
        rate(&theirs),
        made.bytes / 1_000_000,
    );
    let ratio = theirs.median() / ours.median();
    Ok(Figure::new("verify_vs_sha256", ratio, "ratio", Target::AtLeast(0.8), note).beside(rate(&theirs)))
}

/// A sealed package of noise.
struct Made {
    files: Vec<PathBuf>,
    bytes: u64,
    trust: Trust,
}

impl Made {
    fn write(root: &Path, bytes: usize) -> Result<Self, Failure> {
        let (now, entropy) = (Clock::system().now(), Entropy::os());
        let exhibit: ExhibitId = entropy.id(now);
        let mut media = Vec::new();
        for role in ["caller", "officer"] {
            let mut noise = vec![0; bytes / 2];
            entropy.fill(&mut noise);
            let (track, list) = track(exhibit, role, &noise, now)?;
            media.push((track, list, noise));
        }
        let manifest = Manifest {
            format: Format::V1,
            exhibit,
            reference: "ALC/00000000/1".into(),
            call: entropy.id(now),
            force: "wmp".parse()?,
            incident: IncidentRef::parse(&now.format("%Y-%m-%d").to_string(), "9999")?,
            opened_at: now,
            ended_at: now + TimeDelta::hours(2),
            fenced_at: now + TimeDelta::hours(2),
            end_reason: "OFFICER_ENDED".into(),
            tracks: media.iter().map(|(track, ..)| track.clone()).collect(),
            missing: Vec::new(),
            items: Vec::new(),
            encryption: None,
            parent: None,
            salt: entropy.bytes(),
            software: "bench".into(),
        };
        let identity = DevIdentity::make(entropy.bytes(), now)?;
        let bag = Bag::new(&manifest)?;
        let seal = Signer::from_pem(&identity.key_pem, &identity.certificate_pem)?
            .sign(bag.tagmanifest(), now + TimeDelta::hours(2))?;
        let package = Package::new(bag, &Proofs { seal: &seal, timestamp: None, log: None })?;

        let small = package.files.iter().map(|file| (file.path.as_str(), file.bytes.as_slice()));
        // As the package has them: the lists of segments, then the tracks.
        let large =
            media.iter().map(|(_, list, _)| list.as_slice()).chain(media.iter().map(|(.., noise)| noise.as_slice()));
        let large = package.stored.iter().map(|file| file.path.as_str()).zip(large);
        let mut made = Self {
            files: Vec::new(),
            bytes: 0,
            trust: Trust { signers: Some(Roots::from_pem(&identity.roots_pem)?), ..Trust::default() },
        };
        for (path, content) in small.chain(large) {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap_or(root))?;
            fs::write(&path, content)?;
            made.bytes += content.len() as u64;
            made.files.push(path);
        }
        Ok(made)
    }
}

/// A track of these bytes, and its list of segments.
fn track(exhibit: ExhibitId, role: &str, bytes: &[u8], now: DateTime<Utc>) -> Result<(Track, Vec<u8>), Failure> {
    let name = format!("{role}-1").parse()?;
    let mut head = chain::genesis(exhibit, &name);
    let (mut lister, mut list) = (Lister::default(), Vec::new());
    for (seq, piece) in (0_u32..).zip(bytes.chunks(SEGMENT)) {
        let starts_at = now + TimeDelta::seconds(seq.into());
        let sha256 = Digest::of(piece);
        let mut segment = Segment {
            seq: seq.into(),
            offset: u64::from(seq) * SEGMENT as u64,
            bytes: piece.len() as u64,
            sha256,
            stored_sha256: sha256,
            starts_at,
            ends_at: starts_at + TimeDelta::seconds(1),
            chain: head,
        };
        head = segment.link(exhibit, &name).after(head);
        segment.chain = head;
        lister.add(&segment)?;
        list.extend(segment.to_line()?);
    }
    let track = Track {
        path: Track::path_of(&name),
        role: role.to_owned(),
        bytes: bytes.len() as u64,
        sha256: Digest::of(bytes),
        segments: lister.segments(&name).ok_or("a track of nothing")?,
        name,
    };
    Ok((track, list))
}
