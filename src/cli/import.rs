//! `gridatlas import`.

use super::{Failure, Outcome};

/// Arguments of `import`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the command.
pub fn run(_args: Args) -> Outcome {
    Err(Failure::CouldNot("import is not built yet".into()))
}
