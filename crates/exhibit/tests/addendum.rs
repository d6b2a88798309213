//! Addenda: sealed exhibits that name the one they add to, and are judged beside it.

use crate::sample;
use std::fs;

use crate::sample::{Held, Sample, World, now};
use exhibit::{
    Digest, Manifest, Parent,
    package::{LOG_ENTRY, LOG_PROOF, SEAL},
    seal::{DevIdentity, Roots},
    tlog::{Proof, leaf_hash},
    verify::{Outcome, Report, Trust, verify, verify_addendum},
};
use tempfile::{TempDir, tempdir};

/// What an addendum to this exhibit would name.
fn parent_of(sample: &Sample) -> Parent {
    let logged = sample.world.as_ref().map(|_| {
        let proof = Proof::parse(sample.file(LOG_PROOF)).unwrap();
        (leaf_hash(&sample.file(LOG_ENTRY)), sample::ORIGIN.to_owned(), proof.index)
    });
    let (leaf, rest) = logged.map(|(leaf, origin, index)| (leaf, (origin, index))).unzip();
    let (origin, index) = rest.unzip();
    Parent {
        exhibit: sample.manifest.exhibit,
        reference: sample.manifest.reference.clone(),
        seal_sha256: Digest::of(&sample.file(SEAL)),
        log_entry_sha256: leaf,
        log_origin: origin,
        log_index: index,
    }
}

/// An addendum: a late second of one track, its number `first`; the parent was fenced at 3.
fn addendum(parent: Option<Parent>, first: u64, change: impl Fn(&mut Manifest)) -> Sample {
    let late = sample::media(5, 900);
    let (track, mut list) = sample::track("caller-1", "caller", &late, 900);
    let id = "0190a000-0000-7000-8000-0000000000aa".parse().unwrap();
    list[0].seq = first;
    let (mut manifest, lists) = sample::manifest(vec![(track, list)]);
    manifest.exhibit = id;
    manifest.reference = "ALC/7F3K9Q2M/1/A1".into();
    manifest.missing = Vec::new();
    manifest.parent = parent;
    change(&mut manifest);
    let (manifest, lists) = sample::rechained((manifest, lists));
    let media = vec![("caller-1".parse().unwrap(), late)];
    Sample::sealing(Held { manifest, lists, media, items: Vec::new() }, DevIdentity::make([42; 32], now()).unwrap())
}

fn beside(addendum: &Sample, parent: &Sample) -> (TempDir, Report) {
    let temp = tempdir().unwrap();
    let [a, p] = [temp.path().join("addendum"), temp.path().join("parent")];
    addendum.write_folder(&a);
    parent.write_folder(&p);
    let report = verify_addendum(&a, &p, &parent.trust()).unwrap();
    (temp, report)
}

#[test]
fn an_addendum_is_proved_beside_its_parent() {
    let parent = Sample::full(3_000);
    let mut addendum = addendum(Some(parent_of(&parent)), 3, |_| {});
    let world = World::new();
    let at = world.now();
    let identity = DevIdentity::make([42; 32], at).unwrap();
    addendum = Sample::sealing_at(addendum.held(), identity, at);
    let temp = tempdir().unwrap();
    addendum.write_folder(&temp.path().join("addendum"));
    parent.write_folder(&temp.path().join("parent"));
    let mut trust = parent.trust();
    trust.signers = Some(Roots::from_pem(&(parent.identity.roots_pem.clone() + &addendum.identity.roots_pem)).unwrap());
    let (timestamps, log) = (trust.timestamps.take(), trust.log.take());
    trust.witnesses.clear();
    let report = verify_addendum(&temp.path().join("addendum"), &temp.path().join("parent"), &trust).unwrap();
    assert_eq!((report.outcome(), &report.failures[..]), (Outcome::InPart, &[][..]), "{report}");
    let text = report.to_string();
    assert!(text.contains("adds to       ALC/7F3K9Q2M/1"), "{text}");
    assert!(
        text.contains("It adds to the exhibit that was given as its parent")
            && text.contains("THE EXHIBIT THAT IT ADDS TO")
    );
    assert!(!text.contains("(--parent)"), "{text}");
    // With the keys given, an addendum that has no proofs of its own fails, and so does the whole.
    (trust.timestamps, trust.log) = (timestamps, log);
    let report = verify_addendum(&temp.path().join("addendum"), &temp.path().join("parent"), &trust).unwrap();
    assert_eq!(report.outcome(), Outcome::Failed);
    assert_eq!(report.parent.unwrap().failures, []);
    // Alone, it says what is not proved.
    let alone = verify(&temp.path().join("addendum"), &Default::default()).unwrap();
    assert!(alone.to_string().contains("give its package too (--parent)"), "{alone}");
}

#[test]
fn an_addendum_to_something_else_is_refused() {
    let parent = Sample::new(3_000);
    let honest = parent_of(&parent);
    let (_temp, report) = beside(&addendum(Some(honest.clone()), 3, |_| {}), &parent);
    assert_eq!(report.outcome(), Outcome::InPart, "{report}");
    type Harm = (&'static str, u64, fn(&mut Manifest), &'static str);
    let harms: &[Harm] = &[
        ("no parent", 0, |m| m.parent = None, "names no exhibit"),
        ("another exhibit", 3, |m| m.parent.as_mut().unwrap().exhibit = m.call.uuid().into(), "another exhibit"),
        ("another seal", 3, |m| m.parent.as_mut().unwrap().seal_sha256 = Digest::of(b""), "another seal"),
        ("another call", 3, |m| m.call = m.exhibit.uuid().into(), "another call"),
        ("what the parent has", 2, |_| {}, "that its parent has too"),
        (
            "a place in a log",
            3,
            |m| {
                let parent = m.parent.as_mut().unwrap();
                parent.log_entry_sha256 = Some(Digest::of(b""));
                (parent.log_origin, parent.log_index) = (Some("x".into()), Some(1));
            },
            "no proof of that",
        ),
    ];
    for (what, first, harm, said) in harms {
        let (_temp, report) = beside(&addendum(Some(honest.clone()), *first, harm), &parent);
        assert_eq!(report.outcome(), Outcome::Failed, "{what}: {report}");
        assert!(report.to_string().contains(said), "{what}: {report}");
        assert!(report.proved.is_empty(), "{what}");
    }
}

#[test]
fn an_altered_parent_shows_in_its_own_report() {
    let parent = Sample::new(3_000);
    let addendum = addendum(Some(parent_of(&parent)), 3, |_| {});
    let temp = tempdir().unwrap();
    let [a, p] = [temp.path().join("addendum"), temp.path().join("parent")];
    addendum.write_folder(&a);
    parent.write_folder(&p);
    fs::write(p.join("bag/data/tracks/caller-1.mkv"), "x").unwrap();
    let report = verify_addendum(&a, &p, &parent.trust()).unwrap();
    assert_eq!((report.outcome(), &report.failures[..]), (Outcome::Failed, &[][..]));
    assert!(report.parent.unwrap().failures.iter().any(|f| f.file == "bag/data/tracks/caller-1.mkv"));
}

#[test]
fn a_parent_that_was_disposed_of_still_says_what_was_added_to() {
    let parent = Sample::disposed(3_000);
    let addendum = addendum(Some(parent_of(&parent)), 3, |_| {});
    let temp = tempdir().unwrap();
    let [a, p] = [temp.path().join("addendum"), temp.path().join("parent")];
    addendum.write_folder(&a);
    parent.write_folder(&p);
    let roots = Roots::from_pem(&(parent.identity.roots_pem.clone() + &addendum.identity.roots_pem)).unwrap();
    let report = verify_addendum(&a, &p, &Trust { signers: Some(roots), ..Trust::default() }).unwrap();
    assert_eq!((report.outcome(), &report.failures[..]), (Outcome::InPart, &[][..]), "{report}");
    assert!(report.to_string().contains("It adds to the exhibit that was given as its parent"), "{report}");
    assert!(report.disposal.is_none() && report.parent.unwrap().disposal.is_some());
}
