//! `gridatlas export`.

use super::{Failure, Outcome};

/// Arguments of `export`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the command.
pub fn run(_args: Args) -> Outcome {
    Err(Failure::CouldNot("export is not built yet".into()))
}
