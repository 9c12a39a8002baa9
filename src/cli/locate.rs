//! `gridatlas locate`: rows with a place on standard input, the same rows with the
//! owner's columns on standard output.

use std::io::{BufRead as _, BufReader, BufWriter, IsTerminal as _};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Failure, Outcome};
use crate::crs::Crs;
use crate::locate::{Detail, Question, Sheets, TableError, add_to_csv, add_to_lines};
use crate::snapshot::{CoverageView, DEFAULT_COVERAGE, Moment, Snapshot};
use crate::store::Store;

/// Arguments of `locate`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The store: a GeoPackage's path, or a postgres:// URL
    #[arg(long, env = "GRIDATLAS_STORE", hide_env_values = true)]
    store: String,
    /// What the positions are in, where a row doesn't say: wgs84, cgcs2000, gcj02, bd09 or EPSG:n
    #[arg(long, default_value = "wgs84")]
    crs: Crs,
    /// Ask what was in force then: a time, or a date in the zone
    #[arg(long)]
    at: Option<String>,
    /// The zone in which a bare date is midnight
    #[arg(long, default_value = "Asia/Shanghai")]
    zone: String,
    /// The coverage to ask
    #[arg(long, default_value = DEFAULT_COVERAGE)]
    coverage: String,
}

/// Runs the command.
pub fn run(args: Args) -> Outcome {
    super::log_to_stderr();
    let moment = match &args.at {
        None => Moment::At(Timestamp::now()),
        Some(at) => {
            let zone = TimeZone::get(&args.zone).map_err(|e| Failure::Usage(format!("--zone: {e}")))?;
            Moment::At(Moment::parse_at(at, &zone).map_err(|e| Failure::Usage(format!("--at: {e}")))?)
        }
    };
    let view = super::block_on(view(&args, moment))??;
    let snapshot = Snapshot { revision: view.revision, ..Snapshot::empty() };
    let question = Question::new(&Sheets::default(), &snapshot, [&Arc::new(view)], args.crs, Detail::Full);

    if std::io::stdin().is_terminal() {
        eprintln!("reading CSV with columns lon and lat, or JSON lines, from standard input");
    }
    let mut input = BufReader::with_capacity(1 << 16, std::io::stdin().lock());
    let output = BufWriter::with_capacity(1 << 16, std::io::stdout().lock());
    let first = input.fill_buf().map_err(|e| Failure::CouldNot(e.to_string()))?;
    let is_json = first.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'{');
    let rows = if is_json { add_to_lines(&question, input, output) } else { add_to_csv(&question, input, output) };
    let rows = rows.map_err(|e| match e {
        TableError::NotRead(detail) => Failure::Refused(format!("standard input: {detail}")),
        TableError::Io(e) => Failure::CouldNot(e.to_string()),
    })?;
    match rows.refused {
        0 => Ok(()),
        refused => Err(Failure::Refused(format!(
            "{refused} of {} rows have no place; their column problem says why",
            rows.rows
        ))),
    }
}

async fn view(args: &Args, moment: Moment) -> Result<CoverageView, Failure> {
    let failed = |e: crate::store::Error| Failure::CouldNot(e.to_string());
    let store = Store::open(&args.store).await.map_err(failed)?;
    let found = store.coverage(&args.coverage, moment).await.map_err(failed)?;
    let known = store.coverages().await.map_err(failed)?;
    store.close().await;
    match found {
        Some((revision, coverage)) => {
            Ok(CoverageView::new(args.coverage.as_str().into(), coverage, revision.number, revision.effective))
        }
        None if known.is_empty() => Err(Failure::Usage("the store holds no areas yet".to_owned())),
        None => Err(Failure::Usage(format!("there is no coverage {}; there are {}", args.coverage, known.join(", ")))),
    }
}
