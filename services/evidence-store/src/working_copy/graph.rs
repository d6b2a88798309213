//! The film in ffmpeg's words: its filter graph, and the texts that it burns in. Texts are files, so that nothing in them has
//! to be escaped; file names are relative, so that nothing in a path does.

use super::{NOTICE, Plan, plan::RATE};

/// The width of the film. Sizes are in pixels.
const WIDTH: usize = 1280;
const BANNER: usize = 44;
const FOOTER: usize = 68;

const GROUND: &str = "0x16191d";
const RED: &str = "0xa4141f";

/// The texts, as (file name, content).
pub(super) fn texts(plan: &Plan, reference: &str, seal: &str) -> Vec<(String, String)> {
    // A thousandth is added, for sums of frame times that come out just below a tenth.
    let clock = format!(
        "%{{pts:gmtime:{epoch}.001:%Y-%m-%d %H\\:%M\\:%S}}.%{{eif:floor(mod(t+0.001,1)*10):d}} UTC",
        epoch = plan.starts_at.timestamp()
    );
    let mut texts = vec![
        ("banner.txt".to_owned(), NOTICE.to_owned()),
        ("reference.txt".to_owned(), reference.to_owned()),
        ("clock.txt".to_owned(), clock),
        ("seal.txt".to_owned(), format!("Seal of the master: SHA-256 {seal}")),
        ("none.txt".to_owned(), "no picture".to_owned()),
    ];
    let label = |(place, clip): (usize, &super::Clip)| {
        let only = if clip.picture { "" } else { ", sound only" };
        (format!("label-{place}.txt"), format!("{}{only}", clip.track))
    };
    texts.extend(plan.clips.iter().enumerate().map(label));
    texts
}

/// The filter graph, whose ends are `[picture]` and `[sound]`.
pub(super) fn graph(plan: &Plan) -> String {
    let (columns, width, height) = if plan.pane_count() < 2 { (1, WIDTH, 720) } else { (2, WIDTH / 2, 480) };
    let rows = plan.pane_count().div_ceil(columns);
    let (whole, length) = (BANNER + rows * height + FOOTER, seconds(plan.length.num_milliseconds()));
    let corner = |pane: usize| (pane % columns * width, BANNER + pane / columns * height);

    let mut parts = vec![format!("color=c={GROUND}:s={WIDTH}x{whole}:r={RATE}:d={length},format=yuv420p[ground]")];
    let mut nothing = Vec::new();
    for pane in 0..plan.pane_count() {
        let (x, y) = corner(pane);
        let at = format!("x={x}+({width}-tw)/2:y={y}+({height}-th)/2");
        nothing.push(format!("{}:fontcolor=gray:fontsize=22:{at}", text("none.txt", "sans")));
    }
    parts.push(format!("[ground]{}[under-0]", nothing.join(",")));

    let mut layer = 0;
    for (place, _) in plan.clips.iter().enumerate().filter(|(_, clip)| clip.picture) {
        let (x, y) = corner(plan.panes[place]);
        // A phone turns, a network narrows: each frame is fitted into the pane by itself.
        parts.push(format!(
            "[{place}:v:0]scale={width}:{height}:force_original_aspect_ratio=decrease,\
             pad={width}:{height}:(ow-iw)/2:(oh-ih)/2:{GROUND}:eval=frame,setsar=1,fps={RATE},format=yuv420p[picture-{place}]"
        ));
        parts.push(format!("[under-{layer}][picture-{place}]overlay={x}:{y}:eof_action=pass[under-{}]", layer + 1));
        layer += 1;
    }

    let mut over = Vec::new();
    for (place, clip) in plan.clips.iter().enumerate() {
        let (x, y) = corner(plan.panes[place]);
        let [from, to] = [clip.starts_at, clip.ends_at].map(|at| seconds((at - plan.starts_at).num_milliseconds()));
        let label = text(&format!("label-{place}.txt"), "sans");
        over.push(format!(
            "{label}:fontcolor=white:fontsize=18:box=1:boxcolor=black@0.55:boxborderw=6:x={x}+14:y={y}+14:\
             enable=between(t\\,{from}\\,{to})"
        ));
    }
    for pane in 0..plan.pane_count() {
        let (x, y) = corner(pane);
        let mark = text("banner.txt", "sans");
        over.push(format!(
            "{mark}:fontcolor=white@0.6:fontsize=20:borderw=1:bordercolor=black@0.6:x={x}+({width}-tw)/2:y={}-th",
            y + height - 14
        ));
    }
    let foot = whole - FOOTER;
    if columns == 2 {
        over.push(format!("drawbox=x={}:y={BANNER}:w=2:h={}:color=0x3c434b:t=fill", width - 1, rows * height));
    }
    over.extend([
        format!("drawbox=x=0:y=0:w=iw:h={BANNER}:color={RED}:t=fill"),
        format!("{}:fontcolor=white:fontsize=24:x=16:y=({BANNER}-th)/2", text("banner.txt", "sans")),
        format!("{}:fontcolor=white:fontsize=22:x=w-tw-16:y=({BANNER}-th)/2", text("reference.txt", "sans")),
        format!("drawbox=x=0:y={foot}:w=iw:h={FOOTER}:color=black:t=fill"),
        format!("{}:fontcolor=white:fontsize=28:x=16:y={}", clock_text(), foot + 8),
        format!("{}:fontcolor=0xc8c8c8:fontsize=15:x=16:y={}", text("seal.txt", "monospace"), foot + 44),
    ]);
    parts.push(format!("[under-{layer}]{}[picture]", over.join(",")));
    parts.extend(sound(plan, &length));
    parts.join(";")
}

/// All sound together; silence where there is none, also before a track begins.
fn sound(plan: &Plan, length: &str) -> Vec<String> {
    let heard: Vec<_> = plan.clips.iter().enumerate().filter(|(_, clip)| clip.sound).map(|(place, _)| place).collect();
    let mut parts: Vec<_> = heard
        .iter()
        .map(|place| {
            format!("[{place}:a:0]aresample=48000:async=1:first_pts=0,aformat=channel_layouts=stereo[sound-{place}]")
        })
        .collect();
    let all: String = heard.iter().map(|place| format!("[sound-{place}]")).collect();
    parts.push(match heard.len() {
        0 => format!("anullsrc=r=48000:cl=stereo:d={length}[sound]"),
        1 => format!("{all}apad=whole_dur={length}[sound]"),
        n => {
            format!("{all}amix=inputs={n}:duration=longest:normalize=0,alimiter=level=0,apad=whole_dur={length}[sound]")
        }
    });
    parts
}

/// A text that is burnt in as it stands.
fn text(file: &str, font: &str) -> String {
    format!("drawtext=font={font}:textfile={file}:expansion=none")
}

/// The one text that changes from frame to frame.
fn clock_text() -> &'static str {
    "drawtext=font=monospace:textfile=clock.txt"
}

pub(super) fn seconds(millis: i64) -> String {
    format!("{}.{:03}", millis.div_euclid(1_000), millis.rem_euclid(1_000))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::collections::BTreeSet;

    use chrono::{DateTime, TimeDelta, Utc};

    use super::{super::Clip, *};

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap() + TimeDelta::seconds(seconds)
    }

    fn clip(track: &str) -> Clip {
        Clip {
            track: track.parse().unwrap(),
            role: track.split('-').next().unwrap().to_owned(),
            starts_at: at(0),
            ends_at: at(5),
            picture: true,
            sound: true,
        }
    }

    /// As many as may be in a call: each has a pane of their own, within the picture and under no other.
    #[test]
    fn six_people_have_six_panes() {
        let tracks = ["caller-1", "interpreter-1", "interpreter-2", "officer-1", "supporter-1", "supporter-2"];
        for count in 1..=tracks.len() {
            let graph = graph(&Plan::new(tracks[..count].iter().map(|track| clip(track)).collect()).unwrap());
            let height: usize =
                graph.split(&format!("s={WIDTH}x")).nth(1).unwrap().split(':').next().unwrap().parse().unwrap();
            assert_eq!(height % 2, 0, "what the encoder takes");
            let size = graph.split("scale=").nth(1).unwrap().split(":force").next().unwrap();
            let (wide, high) = size.split_once(':').unwrap();
            let (wide, high): (usize, usize) = (wide.parse().unwrap(), high.parse().unwrap());
            let corners: BTreeSet<(usize, usize)> = graph
                .split("overlay=")
                .skip(1)
                .map(|place| {
                    let mut numbers = place.split(':').map(|number| number.parse().unwrap());
                    (numbers.next().unwrap(), numbers.next().unwrap())
                })
                .collect();
            assert_eq!(corners.len(), count);
            for (x, y) in corners {
                assert!(x % wide == 0 && x + wide <= WIDTH, "{x} of {count}");
                assert!((y - BANNER).is_multiple_of(high) && y + high <= height - FOOTER, "{y} of {count}");
            }
            assert_eq!(graph.matches("amix").count(), usize::from(count > 1));
        }
    }

    /// A text file that no filter burns in, or a filter without its file, and the film doesn't say what it has to.
    #[test]
    fn every_text_is_burnt_in() {
        let seal = "5e".repeat(32);
        let plan = Plan::new(vec![clip("caller-1"), clip("officer-1")]).unwrap();
        let (texts, graph) = (texts(&plan, "WMP/2026/1123/1", &seal), graph(&plan));
        let said = |file: &str| texts.iter().find(|(name, _)| name == file).map(|(_, text)| text.as_str()).unwrap();
        assert_eq!(said("banner.txt"), "WORKING COPY - NOT THE MASTER");
        assert_eq!(said("seal.txt"), format!("Seal of the master: SHA-256 {seal}"));
        assert!(said("clock.txt").starts_with("%{pts:gmtime:1800000000.001:%Y-%m-%d"));
        assert_eq!(said("reference.txt"), "WMP/2026/1123/1");
        assert_eq!((said("label-0.txt"), said("label-1.txt")), ("caller-1", "officer-1"));
        let times = |file: &str| graph.matches(&format!(":textfile={file}")).count();
        // Across the top, and in each pane.
        assert_eq!((times("banner.txt"), times("none.txt")), (3, 2));
        for once in ["reference.txt", "clock.txt", "seal.txt", "label-0.txt", "label-1.txt"] {
            assert_eq!(times(once), 1, "{once} in {graph}");
        }
        assert_eq!(graph.matches("drawtext=").count(), 10);
        // They lie over the pictures: what is overlaid last would cover them.
        assert!(graph.rfind("overlay=").unwrap() < graph.find("textfile=clock.txt").unwrap());
    }
}
