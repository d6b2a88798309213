//! What is left of each call: its exhibit and its addenda, exported as for a court and verified with `alcove-verify`, the receipts that
//! video-session was given for every segment, and the recordings beside the clip that was played.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use api::evidence::v1::{
    ExhibitState, ExhibitSummary, ListExhibitsRequest, evidence_service_client::EvidenceServiceClient,
};
use exhibit::{
    Digest, Manifest,
    receipt::{Judgement, Leaf, PublicKey, Receipt, check},
    verify,
};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::{
    Outcome,
    again::again,
    film::{self, Clip, Compared},
    place::Place,
};
use crate::{desk::FORCE, package};

/// For an addendum to be sealed: what it waits for comes within seconds of the last fault.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(300);

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Of each call: its exhibits, the first one first.
    pub(super) exhibits: BTreeMap<String, Vec<ExhibitSummary>>,
    /// The seal's SHA-256 of each exhibit, as its package has it.
    pub(super) seals: BTreeMap<String, String>,
    /// Of each call: in which roles somebody was recorded.
    pub(super) recorded: BTreeMap<String, BTreeSet<String>>,
    /// Exhibits that were exported and verified.
    pub(super) verified: usize,
    /// What was wrong with one, in the verifier's words.
    pub(super) unverified: Vec<String>,
    /// Segments and items that were acknowledged by a signed receipt, and are held.
    pub(super) held: usize,
    /// Receipts whose subject isn't held, or that prove nothing.
    pub(super) lost: Vec<String>,
    /// Segments that a manifest says are missing.
    pub(super) missing: Vec<String>,
    /// The recordings beside the clip.
    pub(super) compared: Compared,
    /// Where recording and ledger don't agree.
    pub(super) disagree: Vec<String>,
}

impl Found {
    /// Looks at all there is.
    pub(super) async fn look(place: &Place) -> Outcome<Self> {
        let mut found = Self::default();
        for one in sealed(place).await? {
            found.exhibits.entry(one.call_id.clone()).or_default().push(one);
        }
        let clip = Clip::read()?;
        let mut packages = BTreeMap::new();
        for (call, exhibits) in &mut found.exhibits {
            // The one that is nobody's addendum has no parent.
            exhibits.sort_by_key(|one| (!one.parent_exhibit_id.is_empty(), one.reference.clone()));
            let mut folders: Vec<PathBuf> = Vec::new();
            for one in exhibits.iter().filter(|one| one.state() == ExhibitState::Sealed) {
                let folder = place.folder.join("packages").join(&one.exhibit_id);
                let export = async || package::export(place.evidence.clone(), FORCE, &one.exhibit_id, &folder).await;
                export().await.map_err(|why| format!("exporting {} of call {call}: {why}", one.reference))?;
                match verified(place, &folder, folders.first().map(PathBuf::as_path)).await? {
                    None => found.verified += 1,
                    Some(said) => found.unverified.push(format!("{} of call {call}: {said}", one.reference)),
                }
                let seal = fs::read(folder.join(exhibit::package::SEAL))?;
                found.seals.insert(one.exhibit_id.clone(), Digest::of(&seal).to_string());
                packages.insert(one.exhibit_id.clone(), folder.clone());
                folders.push(folder);
            }
            let ledgers = ledgers(&folders)?;
            let said = film::said(&ledgers);
            let mut films: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
            for folder in &folders {
                let manifest = Manifest::parse(&fs::read(folder.join("bag/data/manifest.json"))?)?;
                if manifest.missing_segments() > 0 {
                    found.missing.push(format!("{} of call {call}: {:?}", manifest.reference, manifest.missing));
                }
                for track in manifest.tracks {
                    let role = track.name.as_str().split('-').next().unwrap_or_default().to_owned();
                    found.recorded.entry(call.clone()).or_default().insert(role);
                    films.entry(track.name.to_string()).or_default().push(folder.join("bag/data").join(&track.path));
                }
            }
            for (track, parts) in films {
                // Of a track that goes on in an addendum, the parts end to end are one file.
                let whole = place.folder.join("film.mkv");
                fs::write(&whole, parts.iter().map(fs::read).collect::<Result<Vec<_>, _>>()?.concat())?;
                let none = film::Said::default();
                let wrong = clip.compare(&whole, said.get(&track).unwrap_or(&none), &mut found.compared)?;
                found.disagree.extend(wrong.into_iter().map(|wrong| format!("call {call}, {track}: {wrong}")));
            }
        }
        found.receipts(place, &packages)?;
        Ok(found)
    }

    /// Every receipt of every session beside the package that must hold what it is about.
    fn receipts(&mut self, place: &Place, packages: &BTreeMap<String, PathBuf>) -> Outcome<()> {
        let key: PublicKey =
            fs::read_to_string(place.desk.stack.evidence_dir().join("receipts/receipt-key.hex"))?.trim().parse()?;
        let mut by_exhibit: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut acknowledged = BTreeSet::new();
        for file in fs::read_dir(place.receipts())? {
            let text = fs::read(file?.path())?;
            // A line that a crash has torn is none: what it was about is sent again.
            for line in String::from_utf8_lossy(&text).lines() {
                if let Ok(receipt) = Receipt::parse(line) {
                    let Leaf { exhibit, track, seq, .. } = &receipt.leaf;
                    acknowledged.insert((exhibit.to_string(), track.clone(), *seq));
                    by_exhibit.entry(receipt.leaf.exhibit.to_string()).or_default().insert(line.to_owned());
                }
            }
        }
        // The other way round: what the store has it has acknowledged, and no receipt of that is lost before the spool lets go of it.
        for (exhibit, folder) in packages {
            for (track, segments) in verify::holdings(folder)?.1 {
                let is_unknown = |seq: &u64| !acknowledged.contains(&(exhibit.clone(), track.clone(), *seq));
                let unknown = segments.iter().map(|segment| segment.seq).filter(is_unknown).count();
                if unknown > 0 {
                    self.lost
                        .push(format!("of {unknown} segments of {track} of exhibit {exhibit} there is no receipt"));
                }
            }
        }
        for (exhibit, lines) in by_exhibit {
            let Some(package) = packages.get(&exhibit) else {
                self.lost.push(format!("{} receipts of exhibit {exhibit}, of which there is no package", lines.len()));
                continue;
            };
            let text = lines.into_iter().collect::<Vec<_>>().join("\n");
            for (_, about, judged) in check(&text, &key, Some(package))?.receipts {
                match judged {
                    Judgement::Held | Judgement::HeldAnew => self.held += 1,
                    other => self.lost.push(format!("{about}: {other:?}")),
                }
            }
        }
        Ok(())
    }
}

/// All exhibits, once every one of them is sealed; or as they are when that takes too long.
async fn sealed(place: &Place) -> Outcome<Vec<ExhibitSummary>> {
    let began = Instant::now();
    loop {
        let all = list(place).await?;
        if all.iter().all(|one| one.state() == ExhibitState::Sealed) || began.elapsed() > PATIENCE {
            return Ok(all);
        }
        sleep(PAUSE).await;
    }
}

async fn list(place: &Place) -> Outcome<Vec<ExhibitSummary>> {
    let client = EvidenceServiceClient::new(place.evidence.clone());
    let (mut all, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListExhibitsRequest { force_id: FORCE.to_owned(), page_size: 500, page_token };
        let page = again(PATIENCE, || {
            let (mut client, request) = (client.clone(), request.clone());
            async move { client.list_exhibits(request).await }
        });
        let page = page.await?.into_inner();
        all.extend(page.exhibits);
        if page.next_page_token.is_empty() {
            return Ok(all);
        }
        page_token = page.next_page_token;
    }
}

/// `None`: nothing is wrong with it.
async fn verified(place: &Place, package: &Path, parent: Option<&Path>) -> Outcome<Option<String>> {
    let mut command = tokio::process::Command::new(testkit::binary("alcove-verify")?);
    command.arg(package).args(package::trust(&place.desk.stack)?);
    if let Some(parent) = parent {
        command.arg("--parent").arg(parent);
    }
    let output = command.output().await?;
    let said = || String::from_utf8_lossy(&[output.stdout.clone(), output.stderr.clone()].concat()).into_owned();
    Ok((!output.status.success()).then(said))
}

/// The gap ledgers of a call, of all its parts.
fn ledgers(packages: &[PathBuf]) -> Outcome<Vec<Value>> {
    let mut ledgers = Vec::new();
    for package in packages {
        let folder = package.join("bag/data/items/gap-ledger");
        let Ok(names) = fs::read_dir(&folder) else { continue };
        for name in names {
            for version in fs::read_dir(name?.path())? {
                ledgers.push(serde_json::from_slice(&fs::read(version?.path())?)?);
            }
        }
    }
    Ok(ledgers)
}
