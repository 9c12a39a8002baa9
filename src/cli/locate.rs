//! `gridatlas locate`.

use super::{Failure, Outcome};

/// Arguments of `locate`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the command.
pub fn run(_args: Args) -> Outcome {
    Err(Failure::CouldNot("locate is not built yet".into()))
}
