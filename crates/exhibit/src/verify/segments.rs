//! The lists of segments, read before the recordings that they cut up.

use std::collections::BTreeMap;

use ids::TrackName;

use super::{
    LONGEST_SMALL_FILE,
    lists::Standing,
    report::{self, Report},
    source::{Source, Unreadable},
    track,
};
use crate::{Digest, Manifest, Segment, Track};

/// The lists that are as they were sealed.
pub type Lists = BTreeMap<TrackName, Vec<Segment>>;

/// Reads every list that is here, and says what is wrong with it.
pub fn read(
    source: &Source,
    manifest: &Manifest,
    standing: Standing,
    digests: &mut BTreeMap<String, Digest>,
    report: &mut Report,
) -> Result<Lists, Unreadable> {
    let mut lists = Lists::new();
    for track in &manifest.tracks {
        let path = format!("bag/data/{}", track.segments.path);
        let Some(len) = source.length(&path) else { continue };
        if len > LONGEST_SMALL_FILE {
            standing.complain(&path, "is far longer than it can be", report);
            let all = track::read(source.reader(&path)?, &[]).map_err(|e| Unreadable::io(&path, e))?;
            digests.insert(path, all.sha256);
            continue;
        }
        let bytes = source.read(&path)?;
        let sha256 = Digest::of(&bytes);
        match check(&bytes, sha256, track, manifest) {
            Ok(list) => drop(lists.insert(track.name.clone(), list)),
            Err(what) => standing.complain(&path, &what, report),
        }
        digests.insert(path, sha256);
    }
    Ok(lists)
}

fn check(bytes: &[u8], sha256: Digest, track: &Track, manifest: &Manifest) -> Result<Vec<Segment>, String> {
    let sealed = &track.segments;
    if bytes.len() as u64 != sealed.bytes {
        return Err(format!("is {} bytes long; {} bytes were sealed", bytes.len(), sealed.bytes));
    }
    if sha256 != sealed.sha256 {
        return Err("its bytes are not those that the exhibit's manifest states".to_owned());
    }
    let list = Segment::read_list(bytes).map_err(|why| report::with_sources(&why))?;
    manifest.check_list(track, &list).map_err(|why| report::with_sources(&why))?;
    Ok(list)
}
