//! `make chaos`: twenty calls with media for a quarter of an hour, while what they depend on fails; the report, and 1 if something that
//! must hold doesn't.

use std::{process::ExitCode, time::Duration};

use alcove_tests::chaos::{
    self, Settings,
    plan::{Plan, Shape},
};
use chassis::Entropy;
use clap::Parser;
use testkit::workspace;

#[derive(Parser)]
#[command(name = "chaos", about = "Breaks what Alcove depends on, and looks at what is left")]
struct Args {
    /// What the whole plan follows from; another one each time without it
    #[arg(long)]
    seed: Option<u64>,
    /// From the first call to the end of the last fault
    #[arg(long, default_value_t = 900)]
    seconds: u64,
    /// Calls at once
    #[arg(long, default_value_t = 20)]
    calls: u32,
    /// Prints the plan, and does nothing
    #[arg(long)]
    plan: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Args { seed, seconds, calls, plan: only_plan } = Args::parse();
    let seed = seed.unwrap_or_else(|| u64::from(u32::from_be_bytes(Entropy::os().bytes())));
    let plan = Plan::of(seed, Shape { length: Duration::from_secs(seconds), at_once: calls });
    println!("{plan}");
    if only_plan {
        return ExitCode::SUCCESS;
    }
    let folder = workspace().join("target/chaos");
    let settings = Settings { plan, folder: folder.clone(), is_told: true };
    match chaos::run(settings).await {
        Ok(report) => {
            println!("{report}");
            if let Err(why) = report.write(&folder) {
                eprintln!("the report can't be written: {why}");
                return ExitCode::FAILURE;
            }
            if report.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(why) => {
            eprintln!("failed: {why}");
            ExitCode::FAILURE
        }
    }
}
