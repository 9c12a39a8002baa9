//! `gridatlas serve`.

use std::path::PathBuf;

use super::{Failure, Outcome};
use crate::http::{self, Config, ServeError, ServeOptions};

/// Arguments of `serve`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The store: a GeoPackage's path, or a postgres:// URL
    #[arg(long, env = "GRIDATLAS_STORE")]
    store: String,
    /// The address to listen on; port 0 takes any that is free
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: String,
    /// A JSON file with the configuration
    #[arg(long)]
    config: Option<PathBuf>,
    /// The URL by which clients reach the service, over the one of the configuration
    #[arg(long)]
    public_url: Option<String>,
    /// Origins whose pages may read answers, over those of the configuration
    #[arg(long, value_delimiter = ',')]
    cors_origin: Vec<String>,
    /// Believe Forwarded and X-Forwarded-* headers: only behind a proxy that sets them
    #[arg(long)]
    trust_forwarded: bool,
}

/// Runs the command.
pub fn run(args: Args) -> Outcome {
    super::log_to_stderr();
    let mut config = match &args.config {
        Some(path) => Config::read(path).map_err(|e| Failure::Usage(e.to_string()))?,
        None => Config::default(),
    };
    config.public_url = args.public_url.or(config.public_url);
    config.trust_forwarded |= args.trust_forwarded;
    if !args.cors_origin.is_empty() {
        config.cors_origins = args.cors_origin;
    }
    let options = ServeOptions { store: args.store, listen: args.listen, config };
    super::block_on(http::serve(options))?.map_err(|error| match error {
        ServeError::Config(error) => Failure::Usage(error.to_string()),
        error => Failure::CouldNot(error.to_string()),
    })
}
