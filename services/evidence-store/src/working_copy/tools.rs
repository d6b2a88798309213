//! ffmpeg and ffprobe as processes, in a folder of their own.

use std::{
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
    process::Stdio,
};

use rustix::process::{Pid, setpriority_process};
use serde::Deserialize;
use tokio::process::Command;

use super::{FILM, Plan, graph};

/// How far behind, as `nice` counts.
const NICE: i32 = 15;
/// Of what a tool said, so much is told: its last words, in bytes.
const LAST_WORDS: usize = 300;

/// The tools, and which version they are.
#[derive(Debug, Clone)]
pub struct Tools {
    pub(super) ffmpeg: PathBuf,
    ffprobe: PathBuf,
    /// What ffmpeg calls itself.
    pub version: String,
}

/// Why a tool did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// It can't be run.
    #[error("can't run {tool}")]
    Start {
        /// Which.
        tool: String,
        /// Why not.
        source: io::Error,
    },
    /// It ran and said no.
    #[error("{tool} failed: {words}")]
    Run {
        /// Which.
        tool: String,
        /// Its last words.
        words: String,
    },
    /// A file beside it.
    #[error("can't write {name}")]
    File {
        /// Which.
        name: String,
        /// Why not.
        source: io::Error,
    },
}

#[derive(Deserialize)]
struct Probed {
    #[serde(default)]
    streams: Vec<Stream>,
}

#[derive(Deserialize)]
struct Stream {
    codec_type: String,
}

impl Tools {
    /// Looks whether they are there.
    ///
    /// # Errors
    /// One can't be run.
    pub async fn find(ffmpeg: &Path, ffprobe: &Path) -> Result<Self, Failed> {
        let here = Path::new(".");
        run(ffprobe, here, ["-version"]).await?;
        let said = run(ffmpeg, here, ["-version"]).await?;
        let version = String::from_utf8_lossy(&said).lines().next().unwrap_or_default().to_owned();
        Ok(Self { ffmpeg: ffmpeg.to_owned(), ffprobe: ffprobe.to_owned(), version })
    }

    /// Whether a recording has (a picture, sound).
    ///
    /// # Errors
    /// It can't be read at all.
    pub async fn probe(&self, folder: &Path, file: &str) -> Result<(bool, bool), Failed> {
        let arguments = ["-v", "error", "-protocol_whitelist", "file", "-f", "matroska", "-of", "json"];
        let arguments = arguments.into_iter().chain(["-show_entries", "stream=codec_type", "-i", file]);
        let said = run(&self.ffprobe, folder, arguments).await?;
        let failed = |e: serde_json::Error| Failed::Run { tool: "ffprobe".to_owned(), words: e.to_string() };
        let probed: Probed = serde_json::from_slice(&said).map_err(failed)?;
        let has = |kind| probed.streams.iter().any(|stream| stream.codec_type == kind);
        Ok((has("video"), has("audio")))
    }

    /// Makes the film, [`FILM`] in that folder, out of `0.mkv`, `1.mkv`, ... there, in the order of the plan's clips.
    ///
    /// # Errors
    /// ffmpeg fails. Dropped before its end, it is killed.
    pub async fn film(
        &self,
        folder: &Path,
        plan: &Plan,
        reference: &str,
        seal: &str,
        bound: &str,
    ) -> Result<(), Failed> {
        for (name, text) in graph::texts(plan, reference, seal) {
            fs::write(folder.join(&name), text).map_err(|source| Failed::File { name, source })?;
        }
        let mut arguments = words("-hide_banner -nostdin -loglevel error -y");
        for (place, clip) in plan.clips.iter().enumerate() {
            let offset = graph::seconds(plan.offset(clip).num_milliseconds());
            // What a stranger sent is a recording and nothing else, and may name no other file. A picture that changes its
            // size goes on through the same graph.
            arguments.extend(words("-protocol_whitelist file -f matroska -reinit_filter 0 -itsoffset"));
            arguments.extend([offset, "-i".to_owned(), format!("{place}.mkv")]);
        }
        arguments.extend(["-filter_complex".to_owned(), graph::graph(plan)]);
        arguments.extend(words("-map [picture] -map [sound] -c:v libx264 -preset veryfast -crf 23 -pix_fmt yuv420p"));
        arguments.extend(words("-r 25 -c:a aac -b:a 96k -map_metadata -1 -movflags +faststart -threads 2 -t"));
        arguments.push(graph::seconds(plan.length.num_milliseconds()));
        arguments.extend(["-metadata".to_owned(), format!("title={} {reference}", super::NOTICE)]);
        arguments.extend(["-metadata".to_owned(), format!("comment={bound}"), FILM.to_owned()]);
        run(&self.ffmpeg, folder, arguments).await.map(drop)
    }
}

/// Arguments, as they are written on a command line.
pub(super) fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

/// Nothing of our surroundings goes to it: no settings, no secrets.
pub(super) async fn run(
    tool: &Path,
    folder: &Path,
    arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
) -> Result<Vec<u8>, Failed> {
    let name = tool.display().to_string();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut command = Command::new(tool);
    command.args(arguments).current_dir(folder).env_clear().env("PATH", path).env("HOME", "/nonexistent");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let failed = |source| Failed::Start { tool: name.clone(), source };
    let child = command.spawn().map_err(failed)?;
    // Behind everything else: a seal doesn't wait for a film. Refused, it only runs as the others do.
    if let Some(pid) = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw) {
        let _ = setpriority_process(Some(pid), NICE);
    }
    let output = child.wait_with_output().await.map_err(failed)?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let from = output.stderr.len().saturating_sub(LAST_WORDS);
    let words = String::from_utf8_lossy(&output.stderr[from..]).trim().replace('\n', " | ");
    Err(Failed::Run { tool: name, words })
}
