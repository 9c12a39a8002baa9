//! `gridatlas check`.

use super::{Failure, Outcome};

/// Arguments of `check`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the command.
pub fn run(_args: Args) -> Outcome {
    Err(Failure::CouldNot("check is not built yet".into()))
}
