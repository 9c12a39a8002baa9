//! `gridatlas serve`.

use super::{Failure, Outcome};

/// Arguments of `serve`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the command.
pub fn run(_args: Args) -> Outcome {
    Err(Failure::CouldNot("serve is not built yet".into()))
}
