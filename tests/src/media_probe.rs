//! What `ffprobe` and `ffmpeg`, which share no code with ours, say of a recording.

use std::{path::Path, process::Command};

use serde_json::Value;

/// Why a recording could not be examined, or what was wrong with it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ProbeError(String);

/// So many sounds, half a second of them, are never squeezed. Fewer may be: whom a sender's reports move by half a second or more, as
/// GStreamer's do who was held up at first, is set right at once.
const MOST_SQUEEZED: usize = 25;

/// One recording, decoded from beginning to end.
#[derive(Debug)]
pub struct Probe {
    /// Frames of video that decoded.
    pub video_frames: u64,
    /// First and last time stamp of the video, seconds.
    pub video_span: (f64, f64),
    /// First and last time stamp of the audio, seconds.
    pub audio_span: (f64, f64),
    /// Sounds that come before the one before them is over: both times, seconds.
    pub squeezed: Vec<(f64, f64)>,
}

impl Probe {
    /// Decodes all of a file; any complaint of the decoder is an error, and so is half a second of sound that is squeezed.
    ///
    /// # Errors
    /// When ffmpeg isn't there, when it complains, when a stream is missing, or when sound is squeezed.
    pub fn file(path: &Path) -> Result<Self, ProbeError> {
        let decode = ["-v", "error", "-xerror", "-i"];
        // The recording's own times: rounded to a guessed frame rate, or sound from samples to milliseconds, two may fall on one, which is
        // no fault of it.
        let keep_times = ["-fps_mode", "passthrough", "-enc_time_base:v", "-1", "-enc_time_base:a", "1:48000"];
        let decoded = run(Command::new("ffmpeg").args(decode).arg(path).args(keep_times).args(["-f", "null", "-"]))?;
        if !decoded.is_empty() {
            return Err(ProbeError(format!("{} does not decode cleanly: {decoded}", path.display())));
        }
        let video = shown(path, "v:0", "frame=pts_time", "frames", |frame| seconds(frame, "pts_time"))?;
        // What the decoder makes of the sound is no matter here.
        let packet = |packet: &Value| Some((seconds(packet, "pts_time")?, seconds(packet, "duration_time")?));
        let sounds = shown(path, "a:0", "packet=pts_time,duration_time", "packets", packet)?;
        let squeezed = squeezed(&sounds);
        if squeezed.len() >= MOST_SQUEEZED {
            return Err(ProbeError(format!("sounds of {} come too soon: {squeezed:?}", path.display())));
        }
        let audio: Vec<f64> = sounds.into_iter().map(|(at, _)| at).collect();
        let span = |times: &[f64], kind: &str| match (times.first(), times.last()) {
            (Some(first), Some(last)) => Ok((*first, *last)),
            _ => Err(ProbeError(format!("{} has no {kind}", path.display()))),
        };
        Ok(Self {
            video_frames: video.len() as u64,
            video_span: span(&video, "video")?,
            audio_span: span(&audio, "audio")?,
            squeezed,
        })
    }
}

/// What ffprobe shows of a stream's frames or packets, each read by `of`.
fn shown<T>(
    path: &Path,
    stream: &str,
    entries: &str,
    name: &str,
    of: impl Fn(&Value) -> Option<T>,
) -> Result<Vec<T>, ProbeError> {
    let show = ["-v", "error", "-select_streams", stream, "-show_entries", entries, "-of", "json"];
    let text = run(Command::new("ffprobe").args(show).arg(path))?;
    let shown: Value = serde_json::from_str(&text).map_err(|error| ProbeError(error.to_string()))?;
    Ok(shown[name].as_array().into_iter().flatten().filter_map(of).collect())
}

fn seconds(shown: &Value, field: &str) -> Option<f64> {
    shown[field].as_str()?.parse().ok()
}

/// Sounds, of which each has a time and a length, that begin before the one before them is over: both times.
///
/// A recording's times are whole milliseconds, cut off, so two may be one nearer each other than they were; and a stream whose anchor moves is
/// led there by a tenth of the time that passes (`video-session`'s `timeline`), so 20 ms of sound may have 18. What is nearer was squeezed, and
/// players drop it. Not so the second: GStreamer takes its encoder's look-ahead off the first, which then is shorter than it says.
fn squeezed(sounds: &[(f64, f64)]) -> Vec<(f64, f64)> {
    const CUT_OFF: f64 = 0.0015;
    let too_soon = |two: &&[(f64, f64)]| two[1].0 - two[0].0 < 0.9 * two[0].1 - CUT_OFF;
    sounds.windows(2).skip(1).filter(too_soon).map(|two| (two[0].0, two[1].0)).collect()
}

/// Every frame of a stream (`v:0`, `a:0`) of a file as it is encoded, by the SHA-256 of its bytes in hex, with its time in seconds; none if
/// there is no such stream.
///
/// # Errors
/// When ffprobe isn't there, or complains.
pub fn frames(path: &Path, stream: &str) -> Result<Vec<(f64, String)>, ProbeError> {
    let show = ["-v", "error", "-select_streams", stream, "-show_data_hash", "SHA256", "-show_entries"];
    let text = run(Command::new("ffprobe").args(show).args(["packet=pts_time,data_hash", "-of", "csv=p=0"]).arg(path))?;
    let frames = text.lines().filter_map(|line| {
        let (at, hash) = line.split_once(',')?;
        Some((at.parse().ok()?, hash.trim_end_matches(',').trim_start_matches("SHA256:").to_owned()))
    });
    Ok(frames.collect())
}

/// When the picture turned from dark to bright, in seconds of the recording.
///
/// # Errors
/// When ffprobe isn't there, or complains.
pub fn flashes(path: &Path) -> Result<Vec<f64>, ProbeError> {
    let graph = format!("movie={},signalstats", path.display());
    let show = ["-v", "error", "-f", "lavfi", "-show_entries", "frame=pts_time:frame_tags=lavfi.signalstats.YAVG"];
    let text = run(Command::new("ffprobe").args(show).args(["-of", "csv=p=0", &graph]))?;
    let frames = text.lines().filter_map(|line| {
        let (at, brightness) = line.split_once(',')?;
        Some((at.parse::<f64>().ok()?, brightness.trim_end_matches(',').parse::<f64>().ok()? > 128.0))
    });
    Ok(onsets(frames))
}

/// When silence turned into sound, in seconds of the recording.
///
/// # Errors
/// When ffmpeg isn't there, or complains.
pub fn beeps(path: &Path) -> Result<Vec<f64>, ProbeError> {
    const RATE: usize = 8000;
    const WINDOW: usize = RATE / 200;
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-copyts", "-i"]).arg(path);
    // Sample 0 is time 0: gaps in the time stamps are filled with silence.
    command.args(["-vn", "-af", "aresample=8000:async=1000:first_pts=0", "-ac", "1", "-f", "s16le", "-"]);
    let output = command.output().map_err(|error| ProbeError(format!("ffmpeg: {error} (`make system`)")))?;
    if !output.status.success() {
        return Err(ProbeError(format!("ffmpeg: {}", String::from_utf8_lossy(&output.stderr))));
    }
    let samples: Vec<_> = output.stdout.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect();
    let windows = samples.chunks(WINDOW).enumerate().map(|(n, window)| {
        let loud = window.iter().any(|sample| sample.unsigned_abs() > 2000);
        ((n * WINDOW) as f64 / RATE as f64, loud)
    });
    Ok(onsets(windows))
}

/// The times at which a condition becomes true after having been false for 200 ms.
fn onsets(series: impl Iterator<Item = (f64, bool)>) -> Vec<f64> {
    let mut found = Vec::new();
    let mut last_true = f64::NEG_INFINITY;
    for (at, is_true) in series {
        if is_true {
            if at - last_true > 0.2 && at > 0.2 {
                found.push(at);
            }
            last_true = at;
        }
    }
    found
}

fn run(command: &mut Command) -> Result<String, ProbeError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| ProbeError(format!("{program}: {error} (`make system`)")))?;
    if !output.status.success() {
        return Err(ProbeError(format!("{program}: {}", String::from_utf8_lossy(&output.stderr))));
    }
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    if program == "ffmpeg" {
        text.push_str(&String::from_utf8_lossy(&output.stderr));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sound_that_was_squeezed_is_found_and_sound_that_was_led_is_not() {
        let each = |apart: f64| (0..50).map(|n| (f64::from(n) * apart, 0.02)).collect::<Vec<_>>();
        for (apart, found) in [(0.02, 0), (0.018, 0), (0.017, 0), (0.015, 48), (0.001, 48), (0.4, 0)] {
            assert_eq!(squeezed(&each(apart)).len(), found, "{apart}");
        }
        assert_eq!(squeezed(&[(0.99, 0.02), (1.0, 0.06), (1.054, 0.02), (1.06, 0.02)]), [(1.054, 1.06)]);
    }
}
