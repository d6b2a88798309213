//! Making working copies, one after another, behind everything else: what is wanted is a file in the exhibit's derived
//! folder, so that neither a crash nor a slow ffmpeg is in any seal's way.
//!
//! The plain media is in a private folder while ffmpeg reads it, and nowhere else; that folder is emptied at each start.

use std::{
    collections::HashSet,
    fs::{self, DirBuilder, File},
    io::{self, Read},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
    time::Duration,
};

use chassis::Shutdown;
use exhibit::{Digest, Hasher, Manifest, Track, time};
use ids::ExhibitId;
use serde_json::json;
use tokio::sync::Notify;

use super::{App, readback::TrackReader, stills::Still};
use crate::{
    config::Config,
    domain::State,
    error::Error,
    journal::committer::Closed,
    keys::DataKey,
    store::{self, Key, SegmentRow},
    working_copy::{Clip, FACTS, FILM, Failed, Kept, NOTICE, Plan, Tools, keep},
};
use outbox::Scope;

/// Says that an exhibit's working copy is still to be made.
const WANTED: &str = "wanted";
/// After a dependency was away.
const PAUSE: Duration = Duration::from_secs(10);

/// The derived files of all exhibits. Cheap to clone.
#[derive(Clone)]
pub struct Derived(Arc<Inner>);

struct Inner {
    folder: PathBuf,
    scratch: PathBuf,
    ffmpeg: PathBuf,
    ffprobe: PathBuf,
    more: Notify,
}

impl Derived {
    /// As configured.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let folder = config.journal.data_dir.join("derived");
        let scratch = config.working_copy.scratch_dir.clone();
        let scratch = scratch.unwrap_or_else(|| config.journal.data_dir.join("scratch")).join("working-copies");
        let (ffmpeg, ffprobe) = (config.working_copy.ffmpeg.clone(), config.working_copy.ffprobe.clone());
        Self(Arc::new(Inner { folder, scratch, ffmpeg, ffprobe, more: Notify::new() }))
    }

    /// One of an exhibit's derived files, [`FILM`], [`FACTS`] or a still; `None` if it isn't made (yet).
    ///
    /// # Errors
    /// It can't be read.
    pub fn open(&self, exhibit: ExhibitId, name: &str, key: Arc<DataKey>) -> Result<Option<Kept>, Error> {
        Kept::open(&self.of(exhibit), name, exhibit, key)
    }

    /// An exhibit is about to be sealed: its working copy will be made once it is. Not having one keeps no seal back.
    pub(super) fn want(&self, exhibit: ExhibitId) {
        let folder = self.of(exhibit);
        let mark = || fs::create_dir_all(&folder).and_then(|()| File::create(folder.join(WANTED)));
        if let Err(error) = mark() {
            tracing::warn!(%exhibit, %error, "there will be no working copy");
        }
    }

    /// What was wanted may be made now.
    pub(super) fn sealed(&self) {
        self.0.more.notify_one();
    }

    fn of(&self, exhibit: ExhibitId) -> PathBuf {
        self.0.folder.join(exhibit.to_string())
    }

    fn wanted(&self) -> Vec<ExhibitId> {
        let folders = fs::read_dir(&self.0.folder).into_iter().flatten().flatten();
        let wanted = folders.filter(|folder| folder.path().join(WANTED).exists());
        let mut ids: Vec<_> =
            wanted.filter_map(|f| ExhibitId::from_str(&f.file_name().to_string_lossy()).ok()).collect();
        ids.sort_unstable();
        ids
    }

    /// The exhibit is disposed of. What lies here can't be read without its key, but why keep it?
    pub(super) fn remove(&self, exhibit: ExhibitId) -> Result<(), Error> {
        match fs::remove_dir_all(self.of(exhibit)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::journal("remove derived files")(error)),
            _ => Ok(()),
        }
    }

    fn done(&self, exhibit: ExhibitId) -> io::Result<()> {
        fs::remove_file(self.of(exhibit).join(WANTED))
    }
}

/// A folder that only we can enter; gone when dropped.
struct Private(PathBuf);

impl Private {
    fn new(path: PathBuf) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What became of it.
enum Made {
    Film,
    /// There is nothing to see or to hear in it.
    Nothing,
    /// Not sealed yet, after all.
    TooEarly,
}

impl App {
    /// The derived files.
    #[must_use]
    pub fn derived(&self) -> &Derived {
        &self.derived
    }

    /// Makes working copies until the shutdown. Without ffmpeg it says so and makes none.
    pub async fn make_working_copies(self, shutdown: Shutdown) {
        let inner = &self.derived.0;
        // What a crash left behind is plain media.
        if let Err(error) = fs::remove_dir_all(&inner.scratch)
            && error.kind() != io::ErrorKind::NotFound
        {
            return tracing::error!(%error, "no working copies: what was left of the last ones can't be removed");
        }
        let tools = match Tools::find(&inner.ffmpeg, &inner.ffprobe).await {
            Ok(tools) => tools,
            Err(error) => {
                return tracing::warn!(error = chassis::chain(&error), "no working copies: there is no ffmpeg");
            }
        };
        tracing::info!(ffmpeg = tools.version, "working copies are made");
        tokio::select! {
            () = self.make_all(&tools) => {}
            () = shutdown.requested() => {}
        }
    }

    async fn make_all(&self, tools: &Tools) {
        // What can't be made is tried again by the next process only.
        let mut failed = HashSet::new();
        loop {
            let mut again = false;
            for id in self.derived.wanted() {
                if failed.contains(&id) {
                    continue;
                }
                match self.make(id, tools).await {
                    Ok(Made::TooEarly) => {}
                    Ok(made) => {
                        let film = matches!(made, Made::Film);
                        tracing::info!(exhibit = %id, film, "working copy done");
                        if let Err(error) = self.derived.done(id) {
                            tracing::warn!(exhibit = %id, %error, "a working copy will be made again");
                        }
                    }
                    Err(error) if error.is_away() => again = true,
                    Err(error) => {
                        tracing::error!(exhibit = %id, error = chassis::chain(&error), "no working copy");
                        failed.insert(id);
                    }
                }
            }
            if again {
                tokio::time::sleep(PAUSE).await;
            } else {
                self.derived.0.more.notified().await;
            }
        }
    }

    async fn make(&self, id: ExhibitId, tools: &Tools) -> Result<Made, Error> {
        let mut tx = self.store.begin("working_copy", Scope::All).await?;
        let located = store::exhibit(&mut tx, Key::Exhibit(id)).await?.ok_or(Error::UnknownExhibit)?;
        let exhibit = located.exhibit;
        let State::Sealed(sealed) = &exhibit.state else { return Ok(Made::TooEarly) };
        let seal = sealed.logged.timestamped.signed.seal;
        let manifest = Manifest::parse(&store::manifest(&mut tx, id).await?.unwrap_or_default())?;
        let mut rows = store::segments(&mut tx, id).await?;
        let asking = self.asking(&mut tx, &exhibit).await?;
        drop(tx);
        self.ask_parent(&exhibit, &asking).await?;
        let key = self.keys.load(id).await?;
        let scratch = &self.derived.0.scratch;
        let private = Private::new(scratch.join(id.to_string())).map_err(Error::journal("make a private folder"))?;

        let (mut clips, mut tracks) = (Vec::new(), Vec::new());
        for track in manifest.tracks {
            let (starts_at, ends_at) = (track.segments.starts_at, track.segments.ends_at);
            let file = track.name.to_string();
            let master = Master { id, key: key.clone(), rows: rows.remove(&track.name).unwrap_or_default() };
            let track = self.write_plain(master, track, private.0.join(&file)).await?;
            let (picture, sound) = match tools.probe(&private.0, &file).await {
                Ok(has) => has,
                // A recording that broke off in its first second has no picture yet; the master has it as it is.
                Err(error @ Failed::Run { .. }) => {
                    tracing::warn!(exhibit = %id, track = file, error = chassis::chain(&error), "left out");
                    (false, false)
                }
                Err(error) => return Err(error.into()),
            };
            let (name, role) = (track.name.clone(), track.role.clone());
            clips.push(Clip { track: name, role, starts_at, ends_at, picture, sound });
            tracks.push(track);
        }
        let Some(plan) = Plan::new(clips) else { return Ok(Made::Nothing) };
        let stills = self.take_stills(asking, tools, &private.0).await?;
        for (place, clip) in plan.clips.iter().enumerate() {
            let (from, to) = (private.0.join(clip.track.as_str()), private.0.join(format!("{place}.mkv")));
            fs::rename(from, to).map_err(Error::journal("name a private file"))?;
        }
        let bound = bound(&manifest.reference, seal, &tracks);
        tools.film(&private.0, &plan, &manifest.reference, &seal.to_string(), &bound).await?;

        let facts = json!({
            "format": "alcove-working-copy/1",
            "notice": NOTICE,
            "exhibit": id.to_string(),
            "reference": manifest.reference,
            "seal_sha256": seal.to_string(),
            "made_at": time::write(self.clock.now()),
            "made_by": tools.version,
            "starts_at": time::write(plan.starts_at),
            "length_ms": plan.length.num_milliseconds(),
            "tracks": plan.clips.iter().map(|clip| clip_facts(&plan, clip, &tracks)).collect::<Vec<_>>(),
            "stills": stills.iter().map(|still| still.facts(&tracks)).collect::<Vec<_>>(),
        });
        self.keep_all(id, key, private, stills, facts).await?;
        Ok(Made::Film)
    }

    /// Decrypts a track of the master into a file, and checks that it is the one in the manifest.
    async fn write_plain(&self, master: Master, track: Track, to: PathBuf) -> Result<Track, Error> {
        let reader = self.reader.clone();
        let write = move || {
            let Master { id, key, rows } = &master;
            let mut from = TrackReader::new(reader, key.clone(), *id, track.name.clone(), rows);
            let mut out = File::create(&to).map_err(Error::journal("write a private file"))?;
            let mut hasher = Hasher::new();
            while let Some(bytes) = from.next_segment()? {
                hasher.update(bytes);
                io::Write::write_all(&mut out, bytes).map_err(Error::journal("write a private file"))?;
            }
            if hasher.finish() != track.sha256 {
                return Err(Error::Damaged { track: track.name, seq: 0, what: "not what the manifest says" });
            }
            Ok(track)
        };
        tokio::task::spawn_blocking(write).await.map_err(|_| Closed)?
    }

    /// Encrypts the film, the stills and their facts. The facts come last: where they are, all is there.
    async fn keep_all(
        &self,
        id: ExhibitId,
        key: Arc<DataKey>,
        private: Private,
        stills: Vec<Still>,
        mut facts: serde_json::Value,
    ) -> Result<(), Error> {
        let (folder, entropy) = (self.derived.of(id), self.entropy.clone());
        let keep_them = move || {
            for (place, Still { name, .. }) in stills.iter().enumerate() {
                let (mut still, len, sha256) = hashed(&private.0.join(name)).map_err(Error::journal("read a still"))?;
                facts["stills"][place]["bytes"] = len.into();
                facts["stills"][place]["sha256"] = sha256.to_string().into();
                keep(&folder, name, id, &key, &entropy, (&mut still, len))?;
            }
            let (mut film, len, sha256) = hashed(&private.0.join(FILM)).map_err(Error::journal("read the film"))?;
            facts["film"] = json!({ "bytes": len, "sha256": sha256.to_string() });
            keep(&folder, FILM, id, &key, &entropy, (&mut film, len))?;
            let facts = format!("{facts:#}\n");
            keep(&folder, FACTS, id, &key, &entropy, (facts.as_bytes(), facts.len() as u64))
        };
        tokio::task::spawn_blocking(keep_them).await.map_err(|_| Closed)?
    }
}

/// One track of the master: where it lies, and what opens it.
struct Master {
    id: ExhibitId,
    key: Arc<DataKey>,
    rows: Vec<SegmentRow>,
}

/// A file, back at its beginning, with its length and digest.
fn hashed(path: &Path) -> io::Result<(File, u64, Digest)> {
    let (mut hasher, mut file, mut len) = (Hasher::new(), File::open(path)?, 0);
    let mut buffer = vec![0; 256 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok((File::open(path)?, len, hasher.finish())),
            n => {
                hasher.update(&buffer[..n]);
                len += n as u64;
            }
        }
    }
}

/// What binds the film to its master, for its metadata.
fn bound(reference: &str, seal: Digest, tracks: &[Track]) -> String {
    let tracks: String = tracks.iter().map(|track| format!("; {} sha256 {}", track.path, track.sha256)).collect();
    format!("{NOTICE}. Made after the seal from exhibit {reference}, seal sha256 {seal}{tracks}")
}

fn clip_facts(plan: &Plan, clip: &Clip, tracks: &[Track]) -> serde_json::Value {
    let track = tracks.iter().find(|track| track.name == clip.track);
    json!({
        "track": clip.track.as_str(),
        "path": track.map(|track| track.path.as_str()),
        "sha256": track.map(|track| track.sha256.to_string()),
        "starts_at": time::write(clip.starts_at),
        "offset_ms": plan.offset(clip).num_milliseconds(),
        "picture": clip.picture,
        "sound": clip.sound,
    })
}
