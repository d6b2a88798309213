//! `make bench`: what Alcove does on this machine, measured on the running services, printed as a table and written to
//! `target/bench/results.json`. A figure that misses its target is printed as such; only one that can't be measured is
//! a failure. `docs/performance.md` says what each figure means.

use std::{future::Future, process::ExitCode, time::Duration};

use clap::{Parser, ValueEnum};
use testkit::workspace;

mod append;
mod calls;
mod clocks;
mod control_rooms;
mod crowd;
mod disk;
mod events;
mod fields;
mod figures;
mod first_frame;
mod first_paint;
mod kill;
mod long;
mod machine;
mod networks;
mod samples;
mod seal;
mod stage;
mod taps;
mod verify;
mod weather;
mod withdrawal;

use figures::Figures;
use stage::Stage;

/// Whatever went wrong, in words.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// No part takes half as long on a machine that works.
const LIMIT: Duration = Duration::from_secs(1_200);
/// But this one.
const SOAK_LIMIT: Duration = Duration::from_secs(4_500);

#[derive(Parser)]
#[command(name = "bench", about = "Measures Alcove on this machine")]
struct Args {
    /// Few repetitions: shows that the bench works, measures little
    #[arg(long)]
    quick: bool,
    /// Only these parts
    #[arg(long, value_delimiter = ',')]
    only: Vec<Part>,
}

/// What can be measured by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// CPU of live calls
    Calls,
    /// More and more calls of 1 Mb/s, and Janus beside them
    Crowd,
    /// From the caller's tap to the officer's page
    Taps,
    /// An hour of twenty calls; only when asked for
    Soak,
    /// The caller's page in Chromium, up to the officer's first frame
    FirstFrame,
    /// The caller's page on a slow phone and network, up to its first words
    FirstPaint,
    /// The end of a call up to its seal
    Seal,
    /// Segments into the evidence store
    Append,
    /// The seal of short and long exhibits, and of many at once
    Long,
    /// From a commit to its effect elsewhere
    Events,
    /// Every force's control room at once
    ControlRooms,
    /// 10,000 open clocks, and how late they are told
    Clocks,
    /// What is still typed after a call
    Fields,
    /// The verifier beside `sha256sum`
    Verify,
    /// Calls of two browsers over a bad road
    Weather,
    /// The instance that carries a call is killed
    Kill,
    /// A caller's phone changes its network
    Networks,
}

impl Args {
    fn wants(&self, part: Part) -> bool {
        self.only.is_empty() && part != Part::Soak || self.only.contains(&part)
    }
}

/// Runs one part and keeps its figures; a part that fails is told, and the rest goes on.
struct Run {
    figures: Figures,
    failed: Vec<Part>,
}

impl Run {
    async fn part(&mut self, part: Part, measured: impl Future<Output = Result<(), Failure>>) {
        eprintln!("measuring {part:?} …");
        let limit = if part == Part::Soak { SOAK_LIMIT } else { LIMIT };
        let outcome = tokio::time::timeout(limit, measured).await.unwrap_or_else(|_| Err("took too long".into()));
        if let Err(failure) = outcome {
            eprintln!("{part:?} could not be measured: {}", told(failure.as_ref()));
            self.failed.push(part);
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Args::parse()).await {
        Ok(failed) if failed.is_empty() => ExitCode::SUCCESS,
        Ok(failed) => {
            eprintln!("could not be measured: {failed:?}");
            ExitCode::FAILURE
        }
        Err(failure) => {
            eprintln!("failed: {}", told(failure.as_ref()));
            ExitCode::FAILURE
        }
    }
}

async fn run(args: &Args) -> Result<Vec<Part>, Failure> {
    let began = std::time::Instant::now();
    let folder = workspace().join("target/bench");
    std::fs::create_dir_all(&folder)?;
    println!("{}\n", machine::described());
    let mut run = Run { figures: Figures::default(), failed: Vec::new() };
    let figures = run.figures.clone();
    let staged = [
        Part::Crowd,
        Part::Calls,
        Part::Taps,
        Part::FirstFrame,
        Part::FirstPaint,
        Part::Seal,
        Part::Append,
        Part::Long,
        Part::Soak,
    ];
    if staged.iter().any(|part| args.wants(*part)) {
        on_the_stack(args, &mut run, &folder).await?;
    }
    if args.wants(Part::Events) {
        run.part(Part::Events, events::measure(&figures, args.quick)).await;
    }
    if args.wants(Part::ControlRooms) {
        run.part(Part::ControlRooms, control_rooms::measure(&figures, args.quick)).await;
    }
    if args.wants(Part::Clocks) {
        run.part(Part::Clocks, clocks::measure(&figures, args.quick)).await;
    }
    if args.wants(Part::Fields) {
        run.part(Part::Fields, fields::measure(&figures)).await;
    }
    if args.wants(Part::Verify) {
        run.part(Part::Verify, verify::measure(&figures, &folder, args.quick)).await;
    }
    if args.wants(Part::Weather) {
        run.part(Part::Weather, weather::measure(&figures, args.quick)).await;
    }
    if args.wants(Part::Kill) {
        run.part(Part::Kill, kill::measure(&figures, args.quick)).await;
    }
    if args.wants(Part::Networks) {
        run.part(Part::Networks, networks::measure(&figures, args.quick)).await;
    }
    println!("{}", run.figures.table());
    let results = folder.join("results.json");
    run.figures.write(&results)?;
    let shown = results.strip_prefix(workspace()).unwrap_or(&results);
    println!("written to {} after {} s", shown.display(), began.elapsed().as_secs());
    Ok(run.failed)
}

/// The parts that need the services. The crowd comes first: memory per call is counted from a process that has had none.
async fn on_the_stack(args: &Args, run: &mut Run, folder: &std::path::Path) -> Result<(), Failure> {
    let stage = Stage::set(folder).await?;
    let figures = run.figures.clone();
    if args.wants(Part::Crowd) {
        run.part(Part::Crowd, crowd::measure(&stage, &figures, args.quick)).await;
    }
    if args.wants(Part::Calls) {
        run.part(Part::Calls, calls::measure(&stage, &figures, args.quick)).await;
    }
    if args.wants(Part::Taps) {
        run.part(Part::Taps, taps::measure(&stage, &figures, args.quick)).await;
    }
    if args.wants(Part::FirstFrame) {
        run.part(Part::FirstFrame, first_frame::measure(&stage, &figures, args.quick)).await;
    }
    if args.wants(Part::FirstPaint) {
        run.part(Part::FirstPaint, first_paint::measure(&stage, &figures, args.quick)).await;
    }
    if args.wants(Part::Seal) {
        run.part(Part::Seal, seal::measure(&stage, &figures, args.quick)).await;
    }
    if args.wants(Part::Append) {
        run.part(Part::Append, append::measure(&stage, &figures, args.quick)).await;
    }
    if args.wants(Part::Long) {
        run.part(Part::Long, long::measure(&stage, &figures, args.quick)).await;
    }
    if args.wants(Part::Soak) {
        run.part(Part::Soak, crowd::soak::measure(&stage, &figures, args.quick)).await;
    }
    stage.strike().await
}

/// A failure with its causes.
fn told(failure: &(dyn std::error::Error + 'static)) -> String {
    let mut text = failure.to_string();
    let mut cause = failure.source();
    while let Some(because) = cause {
        text.push_str(&format!(": {because}"));
        cause = because.source();
    }
    text
}
