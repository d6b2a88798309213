//! Recordings that can be watched, and what is made of them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use api::evidence::v1::AppendSegmentsRequest;
use testkit::until;

use super::{Room, at, holding, items::reading};

/// Runs a tool in a folder, and has what it says.
pub fn tool(name: &str, folder: &Path, arguments: &str) -> String {
    let output = Command::new(name).args(arguments.split_whitespace()).current_dir(folder).output().unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name} {arguments}: {words}");
    assert!(!arguments.contains("-v error") || words.trim().is_empty(), "{name} {arguments}: {words}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A recording as video-session writes them: VP8 and Opus in a Matroska file of unknown length.
pub fn recording(folder: &Path, name: &str, picture: &str, pitch: u32, seconds: u32) -> Vec<u8> {
    let arguments = format!(
        "-v error -y -f lavfi -i {picture}:r=25:d={seconds} -f lavfi -i sine=f={pitch}:d={seconds} -c:v libvpx -b:v 400k \
         -deadline realtime -cpu-used 8 -g 25 -c:a libopus -b:a 32k -f matroska -live 1 {name}"
    );
    tool("ffmpeg", folder, &arguments);
    fs::read(folder.join(name)).unwrap()
}

/// Sends a recording that began so many milliseconds after the call, a second in each segment. Answers how many there were.
pub async fn send(room: &Room, call: &str, track: &str, recording: &[u8], began: i64, seconds: u32) -> u64 {
    let mut stream = room.append().await;
    let count = u64::from(seconds);
    for (seq, piece) in recording.chunks(recording.len().div_ceil(seconds as usize)).enumerate() {
        let from = at(0).seconds * 1_000 + began + seq as i64 * 1_000;
        let when = |millis: i64| prost_types::Timestamp {
            seconds: millis / 1_000,
            nanos: i32::try_from(millis % 1_000 * 1_000_000).unwrap(),
        };
        let (starts_at, ends_at) = (Some(when(from)), Some(when(from + 1_000)));
        let segment = holding(call, track, seq as u64, piece.to_vec());
        stream.send(AppendSegmentsRequest { starts_at, ends_at, ..segment }).await.unwrap();
    }
    count
}

/// A derived file, as a reader gets it.
pub async fn derived(room: &Room, exhibit: &str, name: &str) -> Vec<u8> {
    room.read(reading(exhibit, name, 0, 0)).await.unwrap()
}

/// Where an exhibit's derived files are.
pub fn derived_folder(room: &Room, exhibit: &str) -> PathBuf {
    room.data.path().join("derived").join(exhibit)
}

/// Waits until an exhibit's working copy is made.
pub async fn made(room: &Room, exhibit: &str) {
    let folder = derived_folder(room, exhibit);
    until("a working copy", async || folder.exists() && !folder.join("wanted").exists()).await;
}
