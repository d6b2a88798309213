//! `alcove-verify PACKAGE --roots FILE ... [--partial] [--json]`: checks an exported exhibit, offline. Exit 0 proved, 1 not,
//! 2 usage or unreadable. `alcove-verify log DIR --key VKEY`: audits a transparency log's folder likewise.
//! `alcove-verify receipt FILE --receipt-key HEX [--package PACKAGE]`: proves what the store acknowledged.

use std::{
    error::Error,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, Parser, Subcommand};
use exhibit::{
    receipt::{self, PublicKey},
    seal::Roots,
    timestamp::TsaRoots,
    tlog::{audit, note::VerifierKey},
    verify::{Outcome, Report, Trust, verify, verify_addendum},
};

/// Verifies an exhibit's package and says in plain words what that proved, and what it did not.
///
/// Exit status: 0 everything is proved (with --partial: nothing is wrong), 1 something is wrong or not proved, 2 it could not be
/// checked.
#[derive(Parser)]
#[command(
    version,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    disable_help_subcommand = true
)]
struct Arguments {
    /// The package: the tar file as exported, or the folder that it unpacks to. One called `log` or `receipt` is written `./log`.
    #[arg(required = true)]
    package: Option<PathBuf>,
    /// Trust roots (PEM), which must come from somewhere else than the package.
    #[arg(long, value_name = "FILE")]
    roots: Option<PathBuf>,
    /// Trust roots for timestamps (PEM), from elsewhere too.
    #[arg(long, value_name = "FILE")]
    tsa_roots: Option<PathBuf>,
    /// The log's key, as it publishes it: `name+hash+base64`.
    #[arg(long, value_name = "VKEY")]
    log_key: Option<VerifierKey>,
    /// A witness's key, likewise. May be given several times: then every one of them must have cosigned.
    #[arg(long, value_name = "VKEY", requires = "log_key")]
    witness_key: Vec<VerifierKey>,
    /// Of an addendum: the package of the exhibit that it adds to.
    #[arg(long, value_name = "PACKAGE")]
    parent: Option<PathBuf>,
    /// Accept what no roots or keys were given for: then 0 means only that nothing is wrong as far as could be checked.
    #[arg(long)]
    partial: bool,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    other: Option<Other>,
}

#[derive(Subcommand)]
enum Other {
    /// Audits a transparency log's folder: recomputes its root from the entries and compares every tile with it.
    Log(LogArguments),
    /// Proves that the store acknowledged segments, and with --package whether they are in it.
    Receipt(ReceiptArguments),
}

#[derive(Args)]
struct ReceiptArguments {
    /// The file of receipts that the sender kept: one a line.
    receipt: PathBuf,
    /// The store's public receipt key, which must come from somewhere else: 64 hex digits.
    #[arg(long, value_name = "HEX")]
    receipt_key: PublicKey,
    /// The exported package that should hold what was acknowledged.
    #[arg(long, value_name = "PACKAGE")]
    package: Option<PathBuf>,
}

#[derive(Args)]
struct LogArguments {
    /// The folder, as C2SP tlog-tiles lays it out: `checkpoint`, `tile/...`.
    folder: PathBuf,
    /// The log's verifier key (name+id+base64), which must come from somewhere else than the folder.
    #[arg(long, value_name = "VKEY")]
    key: VerifierKey,
    /// A witness's verifier key: it must have cosigned the checkpoint. Can be given more than once.
    #[arg(long, value_name = "VKEY")]
    witness_key: Vec<VerifierKey>,
    /// A checkpoint of the same log that was kept from before: the log must still begin with what it covers.
    #[arg(long, value_name = "FILE")]
    older: Option<PathBuf>,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let nothing_is_wrong = match &arguments.other {
        Some(Other::Log(arguments)) => run_log(arguments),
        Some(Other::Receipt(arguments)) => run_receipt(arguments),
        None => run(&arguments).map(|report| match report.outcome() {
            Outcome::Proved => true,
            Outcome::InPart => arguments.partial,
            Outcome::Failed => false,
        }),
    };
    match nothing_is_wrong {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
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
    let package = arguments.package.as_deref().ok_or("no package was named")?;
    let trust = Trust {
        signers: read(arguments.roots.as_deref(), Roots::from_pem)?,
        timestamps: read(arguments.tsa_roots.as_deref(), TsaRoots::from_pem)?,
        log: arguments.log_key.clone(),
        witnesses: arguments.witness_key.clone(),
    };
    let report = match &arguments.parent {
        Some(parent) => verify_addendum(package, parent, &trust)?,
        None => verify(package, &trust)?,
    };
    if arguments.json {
        let mut json = serde_json::to_value(&report)?;
        json["outcome"] = serde_json::to_value(report.outcome())?;
        if let Some(parent) = &report.parent {
            json["parent"]["outcome"] = serde_json::to_value(parent.outcome())?;
        }
        println!("{json:#}");
    } else {
        print!("{report}");
    }
    Ok(report)
}

/// Reads trust roots from a file, if there is one.
fn read<T>(
    path: Option<&Path>,
    parse: impl Fn(&str) -> Result<T, exhibit::seal::Error>,
) -> Result<Option<T>, Box<dyn Error>> {
    let Some(path) = path else { return Ok(None) };
    let pem = std::fs::read_to_string(path).map_err(|e| format!("can't read {}: {e}", path.display()))?;
    Ok(Some(parse(&pem).map_err(|e| format!("{}: {e}", path.display()))?))
}

fn run_log(arguments: &LogArguments) -> Result<bool, Box<dyn Error>> {
    let older = match &arguments.older {
        Some(path) => {
            let bytes = std::fs::read(path).map_err(|e| format!("can't read {}: {e}", path.display()))?;
            Some((path.display().to_string(), bytes))
        }
        None => None,
    };
    let known = audit::Known { log: arguments.key.clone(), witnesses: arguments.witness_key.clone(), older };
    let report = audit::audit(&arguments.folder, &known)?;
    if arguments.json {
        let mut json = serde_json::to_value(&report)?;
        json["outcome"] = if report.is_intact() { "intact" } else { "failed" }.into();
        println!("{json:#}");
    } else {
        print!("{report}");
    }
    Ok(report.is_intact())
}

fn run_receipt(arguments: &ReceiptArguments) -> Result<bool, Box<dyn Error>> {
    let path = &arguments.receipt;
    let text = std::fs::read_to_string(path).map_err(|e| format!("can't read {}: {e}", path.display()))?;
    let checked = receipt::check(&text, &arguments.receipt_key, arguments.package.as_deref())?;
    print!("{checked}");
    Ok(checked.is_good() && !checked.receipts.is_empty())
}
