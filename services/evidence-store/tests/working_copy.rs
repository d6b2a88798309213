//! A working copy of a real exhibit: it plays, says what it is, and is nowhere to be read without the exhibit's key.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use api::evidence::v1::AppendSegmentsRequest;
use chassis::{Ambient, config::load};
use evidence_store::{
    Config,
    app::Derived,
    config::DEFAULTS,
    working_copy::{FACTS, FILM},
};
use exhibit::Digest;
use ids::ExhibitId;
use serde_json::Value;
use support::*;
use tempfile::tempdir;
use testkit::until;

fn tool(name: &str, folder: &Path, arguments: &str) -> String {
    let output = Command::new(name).args(arguments.split_whitespace()).current_dir(folder).output().unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name} {arguments}: {words}");
    assert!(!arguments.contains("-v error") || words.trim().is_empty(), "{name} {arguments}: {words}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A recording as video-session writes them: VP8 and Opus in a Matroska file of unknown length.
fn recording(folder: &Path, name: &str, picture: &str, pitch: u32, seconds: u32) -> Vec<u8> {
    let arguments = format!(
        "-v error -y -f lavfi -i {picture}:r=25:d={seconds} -f lavfi -i sine=f={pitch}:d={seconds} -c:v libvpx -b:v 400k \
         -deadline realtime -cpu-used 8 -g 25 -c:a libopus -b:a 32k -f matroska -live 1 {name}"
    );
    tool("ffmpeg", folder, &arguments);
    fs::read(folder.join(name)).unwrap()
}

/// Sends a recording that began so many milliseconds after the call, a second in each segment. Answers how many there were.
async fn send(room: &Room, call: &str, track: &str, recording: &[u8], began: i64, seconds: u32) -> u64 {
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

/// What the exhibit's own key gives back of a derived file.
async fn derived(room: &Room, exhibit: &str, name: &str) -> Vec<u8> {
    let data = room.data.path().to_str().unwrap().to_owned();
    let env = [("ALCOVE_EVIDENCE_STORE__JOURNAL__DATA_DIR".to_owned(), data)];
    let config: Config = load("evidence-store", DEFAULTS, env).unwrap();
    let id: ExhibitId = exhibit.parse().unwrap();
    let key = evidence_store::app::keys(&config, &Ambient::real()).unwrap().load(id).await.unwrap();
    let kept = Derived::new(&config).open(id, name, key).unwrap().unwrap();
    kept.range(0, None).map(Result::unwrap).collect::<Vec<_>>().concat()
}

fn derived_folder(room: &Room, exhibit: &str) -> PathBuf {
    room.data.path().join("derived").join(exhibit)
}

async fn made(room: &Room, exhibit: &str) {
    let folder = derived_folder(room, exhibit);
    until("a working copy", async || folder.exists() && !folder.join("wanted").exists()).await;
}

#[tokio::test]
async fn a_film_of_both_sides_is_made_after_the_seal() {
    let room = Room::open().await;
    let others = Others::at(&room.nats).await;
    let folder = tempdir().unwrap();
    let call = room.call().await;
    let caller = recording(folder.path(), "caller.mkv", "testsrc=s=360x640", 440, 4);
    let officer = recording(folder.path(), "officer.mkv", "smptebars=s=640x360", 880, 3);
    let tracks = [
        ("caller-1", send(&room, &call, "caller-1", &caller, 250, 4).await),
        ("officer-1", send(&room, &call, "officer-1", &officer, 1_750, 3).await),
    ];
    others.ended(&call, &tracks).await;
    let sealed = room.sealed(&call).await;
    made(&room, &sealed.exhibit_id).await;

    let film = derived(&room, &sealed.exhibit_id, FILM).await;
    let facts: Value = serde_json::from_slice(&derived(&room, &sealed.exhibit_id, FACTS).await).unwrap();
    fs::write(folder.path().join("film.mp4"), &film).unwrap();
    let probe = "-v error -of json -show_streams -show_format film.mp4";
    let probed: Value = serde_json::from_str(&tool("ffprobe", folder.path(), probe)).unwrap();
    let streams = probed["streams"].as_array().unwrap();
    let kinds: Vec<_> = streams.iter().map(|s| (&s["codec_type"], &s["codec_name"])).collect();
    assert_eq!(kinds, [(&"video".into(), &"h264".into()), (&"audio".into(), &"aac".into())]);
    // From the whole second before the caller's first frame to the last of both: 4.75 s, within two frames.
    for length in [&probed["format"]["duration"], &streams[0]["duration"], &streams[1]["duration"]] {
        let length: f64 = length.as_str().unwrap().parse().unwrap();
        assert!((length - 4.75).abs() <= 0.08, "{length}");
    }
    tool("ffmpeg", folder.path(), "-v error -i film.mp4 -f null -");

    // It is bound to its master by name.
    let seal = sealed.seal_sha256.clone();
    let comment = probed["format"]["tags"]["comment"].as_str().unwrap();
    assert!(comment.contains("NOT THE MASTER") && comment.contains(&seal), "{comment}");
    for recording in [&caller, &officer] {
        assert!(comment.contains(&Digest::of(recording).to_string()), "{comment}");
    }
    assert_eq!(facts["seal_sha256"], seal.as_str());
    assert_eq!(facts["film"]["sha256"], Digest::of(&film).to_string());
    let told = |place: usize, name: &str| facts["tracks"][place][name].clone();
    assert_eq!((told(0, "track"), told(0, "offset_ms")), ("caller-1".into(), 250.into()));
    assert_eq!((told(1, "track"), told(1, "offset_ms")), ("officer-1".into(), 1_750.into()));
    assert_eq!(told(1, "sha256"), Digest::of(&officer).to_string());
    assert_eq!(facts["starts_at"], "2027-01-15T08:00:00.000000Z");
    assert!(facts["made_by"].as_str().unwrap().starts_with("ffmpeg version"));

    // The picture is where the time line says: the officer's pane is dark before they came, and bright after.
    let brightness = |seconds: &str, pane: &str| {
        let arguments = format!(
            "-v error -y -ss {seconds} -i film.mp4 -frames:v 1 -vf {pane},scale=1:1 -f rawvideo -pix_fmt gray dot"
        );
        tool("ffmpeg", folder.path(), &arguments);
        fs::read(folder.path().join("dot")).unwrap()[0]
    };
    let (left, right) = ("crop=160:160:240:200", "crop=160:160:880:200");
    assert!(brightness("0.08", left) < 50 && brightness("0.5", left) > 60);
    assert!(brightness("1.6", right) < 50 && brightness("1.9", right) > 60);
    // And so is the sound: the caller's tone alone, then both.
    let loudness = |from: &str, pitch: u32| {
        let arguments = format!(
            "-nostats -hide_banner -ss {from} -t 0.2 -i film.mp4 -vn -af bandpass=f={pitch}:width_type=h:w=40,volumedetect -f null -"
        );
        let output =
            Command::new("ffmpeg").args(arguments.split_whitespace()).current_dir(folder.path()).output().unwrap();
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        let mean = words.split("mean_volume: ").nth(1).unwrap().split(' ').next().unwrap();
        mean.parse::<f64>().unwrap()
    };
    assert!(loudness("1.2", 440) > loudness("1.2", 880) + 15.0);
    assert!(loudness("2.5", 880) > loudness("1.2", 880) + 15.0);

    // Nothing of it lies about in plain, and nothing of it is in the package.
    assert!(!room.data.path().join("scratch/working-copies").join(&sealed.exhibit_id).exists());
    for entry in fs::read_dir(derived_folder(&room, &sealed.exhibit_id)).unwrap() {
        let stored = fs::read(entry.unwrap().path()).unwrap();
        assert!(!stored.windows(4).any(|window| window == b"ftyp" || window == b"moov"));
    }
    let archive = room.export(&sealed.exhibit_id).await;
    assert!(!archive.windows(12).any(|window| window == b"working-copy"));
    if let Some(keep) = std::env::var_os("ALCOVE_KEEP_FILM") {
        fs::write(keep, film).unwrap();
    }
}

#[tokio::test]
async fn what_a_crash_left_is_cleared_away_and_made_up_for() {
    let mut room = Room::with(&[("ALCOVE_EVIDENCE_STORE__WORKING_COPY__FFMPEG", "/nonexistent/ffmpeg")]).await;
    let others = Others::at(&room.nats).await;
    let folder = tempdir().unwrap();
    let call = room.call().await;
    let caller = recording(folder.path(), "caller.mkv", "testsrc=s=320x240", 440, 2);
    let segments = send(&room, &call, "caller-1", &caller, 0, 2).await;
    others.ended(&call, &[("caller-1", segments)]).await;
    // Without ffmpeg everything is sealed all the same, and the log says what is missing.
    let sealed = room.sealed(&call).await;
    assert!(derived_folder(&room, &sealed.exhibit_id).join("wanted").exists());
    assert!(room.service.log().contains("no working copies"), "{}", room.service.log());

    let left = room.data.path().join("scratch/working-copies/0190a000-0000-7000-8000-000000000001");
    fs::create_dir_all(&left).unwrap();
    fs::write(left.join("0.mkv"), &caller).unwrap();
    room.service.kill().await.unwrap();
    let (url, bus, dir) = (room.db.url(), room.nats.url().to_owned(), room.data.path().to_str().unwrap().to_owned());
    let env = [
        ("ALCOVE_EVIDENCE_STORE__DATABASE__URL", url.as_str()),
        ("ALCOVE_EVIDENCE_STORE__NATS__URL", bus.as_str()),
        ("ALCOVE_EVIDENCE_STORE__JOURNAL__DATA_DIR", dir.as_str()),
    ];
    room.service = testkit::Service::start("evidence-store", &env).await.unwrap();
    made(&room, &sealed.exhibit_id).await;
    assert!(!left.exists());
    let film = derived(&room, &sealed.exhibit_id, FILM).await;
    fs::write(folder.path().join("film.mp4"), film).unwrap();
    tool("ffmpeg", folder.path(), "-v error -i film.mp4 -f null -");
}

#[tokio::test]
async fn an_exhibit_without_a_picture_or_a_sound_has_no_film_and_is_sealed() {
    let room = Room::open().await;
    let others = Others::at(&room.nats).await;
    let call = room.ended_call(&others, 3).await;
    let sealed = room.sealed(&call).await;
    made(&room, &sealed.exhibit_id).await;
    assert!(!derived_folder(&room, &sealed.exhibit_id).join(FILM).exists());
}
