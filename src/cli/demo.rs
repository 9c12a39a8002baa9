//! `gridatlas demo`.

use super::{Failure, Outcome};

/// Arguments of `demo`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the command.
pub fn run(_args: Args) -> Outcome {
    Err(Failure::CouldNot("demo is not built yet".into()))
}
