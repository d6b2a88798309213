//! `make run`: the stack stays up, with one call waiting at the desk, for a person with two browser tabs, and for their control room.

use std::{
    env, fs,
    path::{Path, PathBuf},
    time::Duration,
};

use alcove_tests::{control_room::ControlRoom, identity};
use testkit::{Stack, StackOptions, workspace};
use tokio::signal::unix::{SignalKind, signal};

use crate::Failure;

const FORCE: &str = "wmp";

/// Where traces and metrics go, as OpenTelemetry has it everywhere: nowhere without it.
const OTLP: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// Runs until Ctrl-C or SIGTERM.
pub async fn run(folder: Option<PathBuf>) -> Result<(), Failure> {
    // Before anything is started: a Ctrl-C in mid-start must end in order, too.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let asked = async move {
        tokio::select! { _ = interrupt.recv() => (), _ = terminate.recv() => () }
    };
    tokio::pin!(asked);

    println!("starting Postgres, NATS, a timestamp authority, a witness, an identity provider and six services");
    let folder = folder.unwrap_or_else(|| workspace().join("target/run"));
    let _ = fs::remove_dir_all(&folder);
    let options = StackOptions {
        data_dir: Some(folder.join("data")),
        log_dir: Some(folder.join("logs")),
        otlp_endpoint: env::var(OTLP).ok(),
        ..StackOptions::default()
    };
    let stack = tokio::select! {
        stack = Stack::start(options) => stack?,
        () = &mut asked => return Ok(()),
    };
    let papers = stack.secure().identities.control_room(FORCE)?;
    let control_room = ControlRoom::new(identity::channel(&stack, "intake", &papers)?, FORCE);
    let call = control_room.hand_over("417").await?;
    guide(&stack, &call.call_id, &papers.folder);

    let ended = loop {
        tokio::select! {
            () = &mut asked => break None,
            () = tokio::time::sleep(Duration::from_millis(500)) => {}
        }
        if let Some((name, service)) = stack.services().find(|(_, service)| !matches!(service.ended(), Ok(None))) {
            break Some(format!("{name} ended by itself:\n{}", service.log()));
        }
    };
    println!("\nending");
    let statuses = stack.stop().await?;
    let unclean: Vec<_> = statuses.iter().filter(|(_, status)| !status.success()).collect();
    match ended {
        Some(trouble) => Err(trouble.into()),
        None if unclean.is_empty() => Ok(()),
        None => Err(format!("not all ended cleanly: {unclean:?}").into()),
    }
}

fn guide(stack: &Stack, call: &str, identity: &Path) {
    let console = stack.console();
    println!("\n  officers' console   {console}   sign in as an officer of {FORCE}");
    println!("  identity provider   {}", stack.issuer.url());
    println!("  caller's page       {}", stack.caller_page());
    for (name, service) in stack.services().filter(|(name, _)| *name != "console") {
        println!("  {:<19} {}   gRPC, with reflection, by certificate", name, service.address("grpc"));
    }
    println!("  logs                {}", stack.logs().display());
    match env::var(OTLP) {
        Ok(endpoint) => println!("  traces, metrics     to {endpoint}: look for OpenCall, its trace is the whole call"),
        Err(_) => println!("  traces, metrics     nowhere: for a look at a call's trace see docs/metrics.md"),
    }
    println!(
        "\nA call of {FORCE} waits at the desk ({call}). To take it, with two tabs of one browser:\n\
         \x20 1. the console: sign in, be free, accept the offer; it shows a code to read out\n\
         \x20 2. the caller's page, in a private tab: type the code, allow camera and microphone\n\
         \x20 3. talk; then end the call in the console, and see it sealed\n"
    );
    let (intake, identity) = (stack.service("intake").address("grpc"), identity.display());
    let python = "target/tools/venv/bin/python tests/foreign/control_room.py proto";
    println!(
        "Who calls a service shows a certificate. The control room's is in {identity}. To hand over calls of your own:"
    );
    println!("  {python} {intake} {FORCE} 418 {identity}");
    println!(
        "  make control-room && node tests/foreign/control-room/dist/control_room.js {intake} {FORCE} 419 {identity}"
    );
    println!("\nCtrl-C ends everything.");
}
