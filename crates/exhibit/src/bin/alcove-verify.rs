//! `alcove-verify PACKAGE [--roots FILE] [--json]`: checks an exported exhibit, offline. Exit 0 proved, 1 failed, 2 usage or unreadable.

use std::{error::Error, path::PathBuf, process::ExitCode};

use clap::Parser;
use exhibit::{
    seal::Roots,
    verify::{Outcome, Report, verify},
};

/// Verifies an exhibit's package and says in plain words what that proved, and what it did not.
///
/// Exit status: 0 nothing is wrong, 1 something is, 2 it could not be checked. Without --roots, 0 means only that the package
/// is intact as against the certificate that is in it: scripts should always give --roots.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The package: the tar file as exported, or the folder that it unpacks to.
    package: PathBuf,
    /// Trust roots (PEM), which must come from somewhere else than the package.
    #[arg(long, value_name = "FILE")]
    roots: Option<PathBuf>,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(report) if report.outcome() == Outcome::Failed => ExitCode::from(1),
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            eprint!("alcove-verify: {error}");
            let mut at = error.source();
            while let Some(source) = at {
                eprint!(": {source}");
                at = source.source();
            }
            eprintln!();
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> Result<Report, Box<dyn Error>> {
    let roots = match &arguments.roots {
        Some(path) => {
            let pem = std::fs::read_to_string(path).map_err(|e| format!("can't read {}: {e}", path.display()))?;
            Some(Roots::from_pem(&pem).map_err(|e| format!("{}: {e}", path.display()))?)
        }
        None => None,
    };
    let report = verify(&arguments.package, roots.as_ref())?;
    if arguments.json {
        let mut json = serde_json::to_value(&report)?;
        json["outcome"] = serde_json::to_value(report.outcome())?;
        println!("{json:#}");
    } else {
        print!("{report}");
    }
    Ok(report)
}
