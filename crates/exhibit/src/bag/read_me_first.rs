//! The note inside the bag, for whoever opens the folder first: an investigator, a clerk, the defence.

use std::fmt::Write;

use crate::Manifest;

pub fn text(manifest: &Manifest) -> String {
    let Manifest { reference, force, incident, call, exhibit, .. } = manifest;
    let time = |at: chrono::DateTime<chrono::Utc>| at.format("%Y-%m-%d %H:%M:%S UTC").to_string();
    let parent = manifest.parent.as_ref().map_or_else(String::new, |parent| {
        format!("\x20 Adds to            exhibit {} (id {})\n", parent.reference, parent.exhibit)
    });
    let mut text = format!(
        "EXHIBIT {reference}\n\n\
         This folder is the MASTER of a recorded video call. Please work on a copy, and leave every file as it is: changing,\n\
         renaming, adding or removing any file here will show, and the exhibit will no longer verify.\n\n\
         What it is\n\
         \x20 Exhibit reference  {reference}\n\
         \x20 Force              {force}\n\
         \x20 Incident           {} number {}\n\
         \x20 Opened             {}\n\
         \x20 Call ended         {} ({})\n\
         \x20 Closed to changes  {}\n\
         \x20 Call id            {call}\n\
         \x20 Exhibit id         {exhibit}\n\
         {parent}\n\
         The recordings (folder `tracks`)\n",
        incident.date,
        incident.number,
        time(manifest.opened_at),
        time(manifest.ended_at),
        manifest.end_reason,
        time(manifest.fenced_at),
    );
    // Writing to a String can't fail.
    let mut line = |args: std::fmt::Arguments<'_>| {
        let _ = text.write_fmt(args);
    };
    for track in &manifest.tracks {
        let (from, to) = (time(track.segments.starts_at), time(track.segments.ends_at));
        line(format_args!("  {}  ({}, {} bytes, {from} to {to})\n", track.path, track.role, track.bytes));
    }
    if manifest.tracks.is_empty() {
        line(format_args!("  none: nothing was recorded\n"));
    }
    line(format_args!(
        "\nEach file is one participant, picture and sound, as their device sent it, unconverted. It plays in VLC, mpv, ffplay and\n\
         most other players. Times are the recording computer's.\n\nBeside the recordings (folder `items`)\n"
    ));
    for item in &manifest.items {
        line(format_args!(
            "  {}  ({}, {} bytes, made {})\n",
            item.path,
            item.kind.as_str(),
            item.bytes,
            time(item.made_at)
        ));
    }
    if manifest.items.is_empty() {
        line(format_args!("  nothing\n"));
    }
    line(format_args!("\nWhat is missing\n"));
    for missing in &manifest.missing {
        line(format_args!("  {}: segments {} to {}\n", missing.track, missing.first_seq, missing.last_seq));
    }
    let count = manifest.missing_segments();
    if count == 0 {
        line(format_args!("  nothing: every segment that the recorder declared is here\n"));
    } else {
        line(format_args!(
            "  {count} in all, about a second each: the recorder declared them, and they never arrived here\n"
        ));
    }
    line(format_args!(
        "\nHow to check it\n\
         \x20 `manifest.json` lists every recording and item with its checksum and time, the folder `segments` every second of each\n\
         \x20 recording. The folder `proof`, beside `bag`, has the digital signature, and `VERIFY.txt` with commands that need none of\n\
         \x20 our software.\n"
    ));
    text
}
