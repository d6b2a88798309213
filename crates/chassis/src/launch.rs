//! The one `main` of all services: arguments, configuration, telemetry, then `run`, then the flush.

use std::{future::Future, path::PathBuf, pin::Pin, process::ExitCode, time::Duration};

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::{Clock, Entropy, Shutdown, config, config::ServiceConfig, error::chain, logs, telemetry};

/// What distinguishes one service's binary from another's.
#[derive(Debug, Clone, Copy)]
pub struct ServiceInfo {
    /// `call-transfer`: names the process in traces and, upper-cased, its environment variables.
    pub name: &'static str,
    /// `env!("CARGO_PKG_VERSION")`.
    pub version: &'static str,
    /// The embedded `config.toml`.
    pub defaults: &'static str,
}

/// What a service must not reach for by itself.
#[derive(Debug, Clone)]
pub struct Ambient {
    /// Time.
    pub clock: Clock,
    /// Ids and randomness.
    pub entropy: Entropy,
}

impl Ambient {
    /// The real ones.
    #[must_use]
    pub fn real() -> Self {
        Self { clock: Clock::system(), entropy: Entropy::os() }
    }
}

/// A command of one service's own, beside `serve`, `migrate` and `config`: does one thing and ends.
pub struct Errand<C, E> {
    /// `reindex`.
    pub name: &'static str,
    /// One line for `--help`.
    pub about: &'static str,
    /// What it does.
    pub run: fn(C, Ambient) -> Running<E>,
}

/// An errand under way.
pub type Running<E> = Pin<Box<dyn Future<Output = Result<(), E>>>>;

#[derive(Parser)]
struct Args {
    /// A TOML file laid over the embedded defaults; given again, over the one before. The environment is laid over all
    #[arg(long, global = true, value_name = "FILE")]
    config: Vec<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand, Clone, Copy, PartialEq, Eq)]
enum Command {
    /// Run until SIGTERM (the default)
    Serve,
    /// Bring the database up to date, then exit
    Migrate,
    /// Check the configuration and print it, secrets redacted
    Config,
}

/// Runs a service: `chassis::main(info, intake::migrate, intake::run)`. Whatever goes wrong is logged here, once.
pub fn main<C, M, R>(
    service: ServiceInfo,
    migrate: impl AsyncFnOnce(C) -> Result<(), M>,
    run: impl AsyncFnOnce(C, Ambient, Shutdown) -> Result<(), R>,
) -> ExitCode
where
    C: ServiceConfig,
    M: std::error::Error + 'static,
    R: std::error::Error + 'static,
{
    main_with(service, migrate, run, &[])
}

/// As [`main`], for a service that has errands of its own.
pub fn main_with<C, M, R>(
    service: ServiceInfo,
    migrate: impl AsyncFnOnce(C) -> Result<(), M>,
    run: impl AsyncFnOnce(C, Ambient, Shutdown) -> Result<(), R>,
    errands: &[Errand<C, R>],
) -> ExitCode
where
    C: ServiceConfig,
    M: std::error::Error + 'static,
    R: std::error::Error + 'static,
{
    let (args, errand) = parse(service, errands);
    let config = match config::load_with_files::<C>(service.name, service.defaults, &args.config, variables())
        .and_then(|config| config.base().check().and_then(|()| config.check()).map(|()| config))
    {
        Ok(config) => config,
        Err(error) => return refuse(service, &error),
    };
    let command = args.command.unwrap_or(Command::Serve);
    if command == Command::Config {
        println!("{config:#?}");
        return ExitCode::SUCCESS;
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return refuse(service, &error),
    };
    let telemetry = {
        let _inside = runtime.enter();
        match telemetry::init(&service, &config.base().telemetry) {
            Ok(telemetry) => telemetry,
            Err(error) => return refuse(service, &error),
        }
    };
    logs::hush_panics();
    let ended = runtime.block_on(async {
        if let Some(errand) = errand {
            return (errand.run)(config, Ambient::real()).await.map_err(|error| chain(&error));
        }
        match command {
            Command::Migrate => migrate(config).await.map_err(|error| chain(&error)),
            _ => match Shutdown::on_signals() {
                Ok(shutdown) => run(config, Ambient::real(), shutdown).await.map_err(|error| chain(&error)),
                Err(error) => Err(chain(&error)),
            },
        }
    });
    let code = match &ended {
        Ok(()) => {
            tracing::info!("ended");
            ExitCode::SUCCESS
        }
        Err(error) => {
            tracing::error!(error, "failed");
            ExitCode::FAILURE
        }
    };
    telemetry.flush();
    runtime.shutdown_timeout(Duration::from_secs(1));
    code
}

fn parse<C, R>(service: ServiceInfo, errands: &[Errand<C, R>]) -> (Args, Option<&Errand<C, R>>) {
    let named = |errand: &Errand<C, R>| clap::Command::new(errand.name).about(errand.about);
    let command = Args::command().name(service.name).version(service.version).subcommands(errands.iter().map(named));
    let matches = command.get_matches();
    let errand = matches.subcommand_name().and_then(|name| errands.iter().find(|errand| errand.name == name));
    if errand.is_some() {
        // Of the command line's own words only --config goes with it.
        let config = matches.get_many("config").unwrap_or_default().cloned().collect();
        return (Args { config, command: None }, errand);
    }
    (Args::from_arg_matches(&matches).unwrap_or_else(|error| error.exit()), None)
}

/// The environment's variables that are text; a name or value that isn't can't be one of ours.
fn variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// Before there is a log: one line on stderr.
fn refuse(service: ServiceInfo, error: &(dyn std::error::Error + 'static)) -> ExitCode {
    eprintln!("{}: {}", service.name, chain(error));
    ExitCode::FAILURE
}
