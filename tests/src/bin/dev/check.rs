//! After the call: the exported package, looked at by `alcove-verify` and by a decoder that is not ours.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use alcove_tests::media_probe::Probe;

use crate::{Failure, story::Story};

/// Runs `alcove-verify` on the package with all roots and keys; anything but a clean verdict is a failure.
pub fn verify(package: &Path, trust: &[String], story: &Story) -> Result<(), Failure> {
    let verify = testkit::binary("alcove-verify")?;
    let output = Command::new(verify).arg(package).args(trust).output()?;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    if !output.status.success() {
        return Err(format!("alcove-verify refuses the package ({}):\n{said}", output.status).into());
    }
    story.tell("alcove-verify says:");
    story.add(said.trim_end());
    Ok(())
}

/// The recordings in the package, each decoded from beginning to end if ffmpeg is here.
pub fn recordings(package: &Path, story: &Story) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    walk(&package.join("bag/data"), &mut found)?;
    found.sort();
    if found.is_empty() {
        return Err("there is no recording in the package".into());
    }
    if Command::new("ffprobe").arg("-version").output().is_err() {
        story.tell("no ffprobe here: the recordings were not decoded");
        return Ok(found);
    }
    for file in &found {
        let probe = Probe::file(file)?;
        let (video, audio) = (probe.video_span, probe.audio_span);
        story.tell(format_args!(
            "{} decodes without an error: {} frames in {:.1} s, sound for {:.1} s",
            file.file_name().unwrap_or_default().to_string_lossy(),
            probe.video_frames,
            video.1 - video.0,
            audio.1 - audio.0,
        ));
    }
    Ok(found)
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            walk(&path, found)?;
        } else if path.extension().is_some_and(|kind| kind == "mkv" || kind == "webm") {
            found.push(path);
        }
    }
    Ok(())
}
