//! `gridatlas nearest`.

use super::{Failure, Outcome};

/// Arguments of `nearest`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the command.
pub fn run(_args: Args) -> Outcome {
    Err(Failure::CouldNot("nearest is not built yet".into()))
}
