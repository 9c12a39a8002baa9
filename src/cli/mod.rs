//! The command line: one file a command. Results go to stdout, logs and progress to
//! stderr; the exit code says what happened.

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::snapshot::Moment;

pub mod check;
pub mod demo;
pub mod export;
pub mod import;
pub mod locate;
pub mod nearest;
pub mod plan;
pub mod serve;

/// The map and boundary service for grid governance.
#[derive(Debug, Parser)]
#[command(name = "gridatlas", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a seeded city and serve it
    Demo(demo::Args),
    /// Serve a store over HTTP
    Serve(serve::Args),
    /// Bring a file of areas or of a layer into a store
    Import(import::Args),
    /// Prove a store: its graph, its derived layers, its owners
    Check(check::Args),
    /// Say which areas own the places read from standard input
    Locate(locate::Args),
    /// Say which workers are nearest to a place
    Nearest(nearest::Args),
    /// Write areas, layers or tiles of a store to a file
    Export(export::Args),
    /// Redraw boundaries: plans with their edits, from a script or a file
    Plan(plan::Args),
}

/// Why a command ended without having done what it was asked.
#[derive(Debug)]
pub enum Failure {
    /// It found defects, or refused; nothing changed. Exit code 1.
    Refused(String),
    /// It was called in a way that makes no sense. Exit code 2.
    Usage(String),
    /// Something it needs did not work. Exit code 3.
    CouldNot(String),
}

/// What a command returns.
pub type Outcome = Result<(), Failure>;

/// Runs the command that the arguments name.
#[must_use]
pub fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Demo(args) => demo::run(args),
        Command::Serve(args) => serve::run(args),
        Command::Import(args) => import::run(args),
        Command::Check(args) => check::run(args),
        Command::Locate(args) => locate::run(args),
        Command::Nearest(args) => nearest::run(args),
        Command::Export(args) => export::run(args),
        Command::Plan(args) => plan::run(args),
    };
    let (code, message) = match outcome {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Refused(message)) => (1, message),
        Err(Failure::Usage(message)) => (2, message),
        Err(Failure::CouldNot(message)) => (3, message),
    };
    eprintln!("gridatlas: {message}");
    ExitCode::from(code)
}

/// Writes a result to standard output. Whoever reads it may stop reading.
fn say(text: &str) -> Outcome {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(Failure::CouldNot(format!("standard output: {e}"))),
        _ => Ok(()),
    }
}

/// Runs a future on a runtime of its own.
fn block_on<F: Future>(future: F) -> Result<F::Output, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|e| Failure::CouldNot(format!("no runtime: {e}")))?;
    Ok(runtime.block_on(future))
}

/// Sends the log to standard error; `GRIDATLAS_LOG` says what of it (`debug`,
/// `gridatlas::http=trace` ...), warnings alone unless told.
fn log_to_stderr() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("GRIDATLAS_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    // A second call finds the first one's log in place, which is as good.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
}

/// The zone of a city where nothing else is said.
const CITY_ZONE: &str = "Asia/Shanghai";

/// Reads a date (midnight in the zone) or a time with its offset.
fn moment(text: &str, zone: &str) -> Result<Timestamp, Failure> {
    let zone = TimeZone::get(zone).map_err(|e| Failure::Usage(e.to_string()))?;
    Moment::parse_at(text, &zone).map_err(|e| Failure::Usage(e.to_string()))
}
