//! `gridatlas check`: proves a store, and says what is wrong with it.

use std::path::PathBuf;

use super::{Failure, Outcome};
use crate::store::{CheckReport, Error, Store};

/// Arguments of `check`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The store: the path of a GeoPackage, or a postgres:// URL
    #[arg(long, env = "GRIDATLAS_STORE")]
    store: String,
    /// Prove this coverage only
    #[arg(long)]
    coverage: Option<String>,
    /// Write the report to this file, too, as JSON
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

/// How many defects are printed for people; the report has all.
const PRINTED: usize = 50;

/// Runs the command.
pub fn run(args: Args) -> Outcome {
    let runtime = tokio::runtime::Runtime::new().map_err(|e| Failure::CouldNot(e.to_string()))?;
    let report = runtime.block_on(async {
        let store = Store::open(&args.store).await?;
        let report = store.check(args.coverage.as_deref()).await;
        store.close().await;
        report
    });
    let report = report.map_err(|e| match e {
        Error::Refused(_) => Failure::Usage(e.to_string()),
        other => Failure::CouldNot(other.to_string()),
    })?;
    let json = serde_json::to_string_pretty(&report).map_err(|e| Failure::CouldNot(e.to_string()))?;
    if let Some(path) = &args.report {
        std::fs::write(path, &json).map_err(|e| Failure::CouldNot(format!("{}: {e}", path.display())))?;
    }
    if args.json {
        super::say(&format!("{json}\n"))?;
    } else {
        super::say(&summary(&report))?;
    }
    match report.defects.len() {
        0 => Ok(()),
        n => Err(Failure::Refused(format!("{n} defects in {}", report.store))),
    }
}

fn summary(report: &CheckReport) -> String {
    let mut lines = vec![format!(
        "{}: {} revisions, {} areas, {} features and {} events looked at",
        report.store, report.revisions, report.areas, report.features, report.events
    )];
    for defect in report.defects.iter().take(PRINTED) {
        let place = defect.place.map_or(String::new(), |[lon, lat]| format!(" at {lon:.7} {lat:.7}"));
        lines.push(format!("{}: {}: {}{place}", defect.kind, defect.subject, defect.what));
    }
    if let Some(more) = report.defects.len().checked_sub(PRINTED).filter(|more| *more > 0) {
        lines.push(format!("... and {more} more"));
    }
    if report.defects.is_empty() {
        lines.push("no defects".to_owned());
    }
    lines.join("\n") + "\n"
}
