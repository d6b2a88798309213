//! A working copy of a real exhibit: it plays, says what it is, and is nowhere to be read without the exhibit's key.

use std::{fs, path::Path, process::Command};

use crate::support::{films::*, items::reading, retention::*, *};
use evidence_store::working_copy::{FACTS, FILM};
use exhibit::Digest;
use serde_json::Value;
use tempfile::tempdir;
use tonic::Code;

/// A strip of a film's frame, in shades of gray.
fn strip(folder: &Path, seconds: &str, (width, height, x, y): (u32, u32, u32, u32)) -> Vec<u8> {
    let arguments = format!(
        "-v error -y -ss {seconds} -i film.mp4 -frames:v 1 -vf crop={width}:{height}:{x}:{y} -f rawvideo -pix_fmt gray strip"
    );
    tool("ffmpeg", folder, &arguments);
    fs::read(folder.join("strip")).unwrap()
}

/// Such a strip as it has to look: this text, in this style, on this ground.
fn drawn(folder: &Path, text: &str, style: &str, ground: &str, (width, height, ..): (u32, u32, u32, u32)) -> Vec<u8> {
    fs::write(folder.join("drawn.txt"), text).unwrap();
    let arguments = format!(
        "-v error -y -f lavfi -i color=c={ground}:s={width}x{height},format=yuv420p,drawtext=textfile=drawn.txt:expansion=none:{style} \
         -frames:v 1 -f rawvideo -pix_fmt gray strip"
    );
    tool("ffmpeg", folder, &arguments);
    fs::read(folder.join("strip")).unwrap()
}

/// How many pixels are so different that no compression made them so.
fn apart(one: &[u8], other: &[u8]) -> usize {
    assert_eq!(one.len(), other.len());
    one.iter().zip(other).filter(|(one, other)| one.abs_diff(**other) > 80).count()
}

/// What the picture itself says: that it is a copy, of which master, and what time it was.
fn says_what_it_is(folder: &Path, seal: &str) {
    const BANNER: (u32, u32, u32, u32) = (480, 44, 0, 0);
    const CLOCK: (u32, u32, u32, u32) = (480, 36, 0, 530);
    const SEAL: (u32, u32, u32, u32) = (900, 26, 0, 566);
    let same = |one: &[u8], other: &[u8]| apart(one, other) < 10;
    let [banner, clock, digest] = [BANNER, CLOCK, SEAL].map(|place| strip(folder, "1.5", place));
    let [banner_later, clock_later, digest_later] = [BANNER, CLOCK, SEAL].map(|place| strip(folder, "3.5", place));

    let banner_of =
        |text| drawn(folder, text, "font=sans:fontcolor=white:fontsize=24:x=16:y=(44-th)/2", "0xa4141f", BANNER);
    assert!(same(&banner, &banner_of("WORKING COPY - NOT THE MASTER")) && same(&banner, &banner_later));
    assert!(apart(&banner, &banner_of(" ")) > 500);

    let clock_at = |time| drawn(folder, time, "font=monospace:fontcolor=white:fontsize=28:x=16:y=2", "black", CLOCK);
    let [then, later] = ["2027-01-15 08:00:01.5 UTC", "2027-01-15 08:00:03.5 UTC"].map(clock_at);
    assert!(same(&clock, &then) && same(&clock_later, &later));
    assert!(apart(&clock, &clock_later) > 50);

    let seal_of = |seal: &str| {
        let text = format!("Seal of the master: SHA-256 {seal}");
        drawn(folder, &text, "font=monospace:fontcolor=0xc8c8c8:fontsize=15:x=16:y=2", "black", SEAL)
    };
    assert!(same(&digest, &seal_of(seal)) && same(&digest, &digest_later));
    assert!(apart(&digest, &seal_of(&Digest::of(b"another").to_string())) > 500);
}

#[tokio::test]
async fn a_film_of_both_sides_is_made_after_the_seal() {
    let room = Room::with(&[DUE_AT_ONCE]).await;
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

    says_what_it_is(folder.path(), &seal);

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
    // Named in the access log alone.
    for (path, bytes) in files_in(&archive) {
        let named = path.contains("working-copy") || bytes.windows(12).any(|window| window == b"working-copy");
        assert_eq!(named, path == exhibit::access::ACCESS_LOG, "{path}");
    }
    assert!(!archive.windows(4).any(|window| window == b"ftyp"));

    // It is read as everything else is: by range, on record, and no longer once its exhibit is gone.
    let part = room.read(reading(&sealed.exhibit_id, FILM, 1_000, 300_000)).await.unwrap();
    assert!(part == film[1_000..film.len().min(301_000)]);
    let seen: Vec<_> = room.accesses(&sealed.exhibit_id).await.into_iter().map(|access| access.what).collect();
    assert_eq!(seen[0], format!("read {FILM} 0-{}", film.len()));
    assert!(seen[1].starts_with(&format!("read {FACTS} 0-")), "{seen:?}");
    room.reviewed_twice(&sealed.exhibit_id).await;
    room.client.clone().dispose(disposing(&sealed.exhibit_id)).await.unwrap();
    for name in [FILM, FACTS] {
        refused(room.read(reading(&sealed.exhibit_id, name, 0, 0)).await, Code::FailedPrecondition, "DISPOSED");
    }
    assert!(!derived_folder(&room, &sealed.exhibit_id).exists());
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
    room.start_with(&[("ALCOVE_EVIDENCE_STORE__WORKING_COPY__FFMPEG", "ffmpeg")]).await.unwrap();
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
