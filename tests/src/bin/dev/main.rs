//! `make demo` and `make run`: the whole of Alcove on one machine, with a Postgres and a NATS of its own.

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

mod caller;
mod check;
mod demo;
mod desk;
mod run;
mod story;

/// Whatever went wrong, in words; a demo has no other use for it.
type Failure = Box<dyn std::error::Error + Send + Sync>;

#[derive(Parser)]
#[command(name = "dev", about = "Runs all of Alcove on this machine")]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// One call, from the 999 call to the sealed and verified exhibit, told step by step
    Demo {
        /// Synthetic phones instead of a browser at both ends
        #[arg(long)]
        phone: bool,
        /// How long they talk
        #[arg(long, default_value_t = 10, value_name = "SECONDS")]
        talk: u64,
    },
    /// Everything stays up, with a call waiting at the desk, until Ctrl-C
    Run {
        /// Where everything of it is kept, until the next one; `target/run` without it
        #[arg(long)]
        folder: Option<PathBuf>,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Args::parse().command {
        Command::Demo { phone, talk } => demo::demo(phone, std::time::Duration::from_secs(talk)).await,
        Command::Run { folder } => run::run(folder).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("\nfailed: {failure}");
            let mut cause = failure.source();
            while let Some(because) = cause {
                eprintln!("  because {because}");
                cause = because.source();
            }
            ExitCode::FAILURE
        }
    }
}
