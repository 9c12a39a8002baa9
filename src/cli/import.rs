//! `gridatlas import areas`, `import layer` and `import events`.

use std::path::PathBuf;
use std::sync::Arc;

use boundaries::Settings;
use clap::{Args as ClapArgs, Subcommand, ValueEnum};

use super::{Failure, Outcome};
use crate::crs::Crs;
use crate::exchange::ReadOptions;
use crate::http::Config;
use crate::import::{self, ImportError, Levels, WithoutPlace};
use crate::store::{self, Store};

/// Arguments of `import`.
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Areas from polygons: assembled into one coverage, repaired, reported, published as a revision,
    /// or with --as-plan made into a plan
    Areas(Box<Areas>),
    /// Features of a layer: what the file lacks is removed from the layer
    Layer(Box<Layer>),
    /// Events, filed as if they came one by one: what is there already stays as it is
    Events(Box<Events>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Acceptable {
    /// Ground claimed twice goes to the lower code
    Overlap,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Refusable {
    /// A gap above the sliver limits refuses the import
    Gap,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Unplaced {
    /// They refuse the file, which says how many and which they are
    Refuse,
    /// They are left out, counted and listed; what the layer had of them is removed
    Skip,
}

#[derive(Debug, ClapArgs)]
struct Areas {
    /// GeoJSON, GeoJSON lines, Shapefile (.shp or .zip), GeoPackage, FlatGeobuf or CSV; .gz as well
    file: PathBuf,
    /// The store: a path (city.gpkg) or a postgres:// URL
    #[arg(long, env = "GRIDATLAS_STORE")]
    store: String,
    /// The coverage that the file describes
    #[arg(long, default_value = import::DEFAULT_COVERAGE)]
    coverage: String,
    /// Codes of every level from attributes (or their first N characters), topmost first: district=code:6,grid=code
    #[arg(long, value_name = "LEVEL=FIELD[:N],...")]
    levels: Levels,
    /// Names of a level's areas from an attribute
    #[arg(long, value_name = "LEVEL=FIELD", value_delimiter = ',', value_parser = pair)]
    name: Vec<(String, String)>,
    /// Take only features with this value of an attribute; several must all hold
    #[arg(long = "where", value_name = "FIELD=VALUE", value_parser = pair)]
    only: Vec<(String, String)>,
    #[command(flatten)]
    reading: Reading,
    /// Find the parents of the topmost level named by place in this level, instead of by attribute
    #[arg(long, value_name = "LEVEL")]
    inside: Option<String>,
    /// Vertices and lines nearer than this are taken for one
    #[arg(long, default_value_t = 0.05, value_parser = metres)]
    tolerance_m: f64,
    /// A gap or overlap narrower than this and smaller than --sliver-area-m2 goes to a neighbour
    #[arg(long, default_value_t = 0.2, value_parser = metres)]
    sliver_width_m: f64,
    /// See --sliver-width-m
    #[arg(long, default_value_t = 5.0, value_parser = metres)]
    sliver_area_m2: f64,
    /// Accept what would otherwise block
    #[arg(long, value_enum)]
    accept: Vec<Acceptable>,
    /// Refuse what would otherwise be reported
    #[arg(long, value_enum)]
    refuse: Vec<Refusable>,
    /// Refuse the file where it lacks more than this share of the areas that are there
    #[arg(long, default_value_t = 10.0, value_parser = percent)]
    max_removed_percent: f64,
    /// Who answers for the revision
    #[arg(long, default_value = "import")]
    author: String,
    /// When it comes into force: a date (its midnight in --zone), or a time with its offset; now where absent
    #[arg(long)]
    effective: Option<String>,
    /// The city's time zone
    #[arg(long, default_value = super::CITY_ZONE)]
    zone: String,
    /// The file only draws lines better than they were, and nothing changed in the city: the lineage says so
    #[arg(long, conflicts_with = "as_plan")]
    correction: bool,
    /// Make a plan of what differs from what is in force, and publish nothing
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "")]
    as_plan: Option<String>,
    /// For --as-plan: the configuration of the service, with the rules that plans keep to
    #[arg(long, value_name = "FILE", requires = "as_plan")]
    config: Option<PathBuf>,
    /// Do everything but change the store
    #[arg(long)]
    dry_run: bool,
    /// Write what was found: .json, .geojson or .html
    #[arg(long)]
    report: Option<PathBuf>,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, ClapArgs)]
struct Layer {
    /// GeoJSON, GeoJSON lines, Shapefile (.shp or .zip), GeoPackage, FlatGeobuf or CSV; .gz as well
    file: PathBuf,
    /// The store: a path (city.gpkg) or a postgres:// URL
    #[arg(long, env = "GRIDATLAS_STORE")]
    store: String,
    /// The layer: building, party_unit, worker, event, or a name of your own
    #[arg(long)]
    layer: String,
    /// The attribute that is the id, unique in the layer
    #[arg(long)]
    id: String,
    #[command(flatten)]
    reading: Reading,
    /// What becomes of features without a place (null or empty geometry, empty columns)
    #[arg(long, value_enum, default_value = "refuse")]
    without_place: Unplaced,
    /// Refuse the file where it lacks more than this share of the features that are there
    #[arg(long, default_value_t = 10.0, value_parser = percent)]
    max_removed_percent: f64,
    /// Do everything but change the store
    #[arg(long)]
    dry_run: bool,
    /// Print the outcome as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, ClapArgs)]
struct Events {
    /// GeoJSON, GeoJSON lines, Shapefile (.shp or .zip), GeoPackage, FlatGeobuf or CSV; .gz as well. Attributes id,
    /// source, type, time, state, state_time, description, address, reporter, urgency, accuracy_m, building and area
    /// are the event's own
    file: PathBuf,
    /// The store: a path (city.gpkg) or a postgres:// URL
    #[arg(long, env = "GRIDATLAS_STORE")]
    store: String,
    /// The source of events that name none
    #[arg(long, default_value = "import")]
    source: String,
    #[command(flatten)]
    reading: Reading,
    /// The configuration of the service, with the rules for events and their steps
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print the outcome as JSON
    #[arg(long)]
    json: bool,
}

/// What a file does not say of itself, or says wrong.
#[derive(Debug, ClapArgs)]
struct Reading {
    /// Datum or projection of the file, whatever it declares: wgs84, cgcs2000, gcj02, bd09 or EPSG:n
    #[arg(long)]
    crs: Option<Crs>,
    /// The column with the longitude (easting), for tables
    #[arg(long, value_name = "COLUMN")]
    lon: Option<String>,
    /// The column with the latitude (northing), for tables
    #[arg(long, value_name = "COLUMN")]
    lat: Option<String>,
    /// The column with the geometry as WKT, for tables
    #[arg(long, value_name = "COLUMN")]
    wkt: Option<String>,
    /// The layer to read, for files that have several (GeoPackage, .zip)
    #[arg(long, value_name = "NAME")]
    from_layer: Option<String>,
}

impl From<Reading> for ReadOptions {
    fn from(r: Reading) -> Self {
        Self { crs: r.crs, lon: r.lon, lat: r.lat, wkt: r.wkt, layer: r.from_layer }
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("'{text}' is not NAME=VALUE"))?;
    Ok((name.to_string(), value.to_string()))
}

fn metres(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| format!("'{text}' is not a number"))?;
    if (0.0..=10_000.0).contains(&value) { Ok(value) } else { Err(format!("{value} is not between 0 and 10000")) }
}

fn percent(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| format!("'{text}' is not a number"))?;
    if (0.0..=100.0).contains(&value) { Ok(value) } else { Err(format!("{value} is not between 0 and 100")) }
}

/// Runs the command.
pub fn run(args: Args) -> Outcome {
    super::block_on(async move {
        match args.what {
            What::Areas(args) => areas(*args).await,
            What::Layer(args) => layer(*args).await,
            What::Events(args) => events(*args).await,
        }
    })?
}

async fn areas(args: Areas) -> Outcome {
    let effective = args.effective.map(|text| super::moment(&text, &args.zone)).transpose()?;
    let config = args.config.as_deref().map(Config::read).transpose().map_err(|e| Failure::Usage(e.to_string()))?;
    let settings = config.unwrap_or_default().plans;
    let as_plan = args.as_plan.map(|name| import::AsPlan { name, settings });
    let options = import::AreasOptions {
        coverage: args.coverage,
        levels: args.levels,
        names: args.name,
        only: args.only,
        read: args.reading.into(),
        inside: args.inside,
        settings: Settings {
            tolerance_m: args.tolerance_m,
            sliver_width_m: args.sliver_width_m,
            sliver_area_m2: args.sliver_area_m2,
            accept_overlap: args.accept.contains(&Acceptable::Overlap),
            refuse_gap: args.refuse.contains(&Refusable::Gap),
        },
        max_removed_percent: args.max_removed_percent,
        author: args.author,
        effective,
        dry_run: args.dry_run,
        correction: args.correction,
        as_plan,
    };
    let store = match options.as_plan {
        Some(_) => Store::open(&args.store).await?,
        None => Store::open_or_create(&args.store).await?,
    };
    let progress = import::Progress::on_terminal();
    let report = import::areas(&store, &args.file, &options, &progress).await?;
    progress.finish();
    let outcome = match (report.revision, report.plan.as_ref().and_then(|p| p.id.as_ref())) {
        (Some(revision), _) => format!("the areas were published as revision {revision}"),
        (_, Some(plan)) => format!("the difference is plan {plan}"),
        _ => "nothing was changed".to_owned(),
    };
    let written = args.report.as_ref().map_or(Ok(()), |path| {
        let failed =
            |e| Failure::CouldNot(format!("the report {} could not be written: {e}; {outcome}", path.display()));
        report.write(path).map_err(failed)
    });
    if args.json {
        super::say(&format!("{}\n", serde_json::to_string(&report).map_err(|e| Failure::CouldNot(e.to_string()))?))?;
    } else {
        super::say(&import::summary(&report))?;
    }
    written?;
    if report.is_refused() { Err(Failure::Refused(report.refusals.join("; "))) } else { Ok(()) }
}

async fn layer(args: Layer) -> Outcome {
    let options = import::LayerOptions {
        layer: args.layer,
        id: args.id,
        read: args.reading.into(),
        without_place: match args.without_place {
            Unplaced::Refuse => WithoutPlace::Refuse,
            Unplaced::Skip => WithoutPlace::Skip,
        },
        max_removed_percent: args.max_removed_percent,
        dry_run: args.dry_run,
    };
    let store = Store::open_or_create(&args.store).await?;
    let progress = import::Progress::on_terminal();
    let outcome = import::layer(&store, &args.file, &options, &progress).await?;
    progress.finish();
    if args.json {
        super::say(&format!("{}\n", serde_json::to_string(&outcome).map_err(|e| Failure::CouldNot(e.to_string()))?))
    } else {
        super::say(&outcome.to_string())
    }
}

async fn events(args: Events) -> Outcome {
    let usage = |e: crate::http::ConfigError| Failure::Usage(e.to_string());
    let config = args.config.as_deref().map(Config::read).transpose().map_err(usage)?.unwrap_or_default();
    let intake = Arc::new(config.intake().map_err(usage)?);
    let options = import::EventsOptions { source: args.source, read: args.reading.into() };
    let store = Store::open(&args.store).await?;
    let progress = import::Progress::on_terminal();
    let outcome = import::events(&store, &intake, &args.file, &options, &progress).await?;
    progress.finish();
    store.close().await;
    if args.json {
        super::say(&format!("{}\n", serde_json::to_string(&outcome).map_err(|e| Failure::CouldNot(e.to_string()))?))?;
    } else {
        super::say(&outcome.to_string())?;
    }
    let refused = outcome.conflict + outcome.rejected;
    if outcome.accepted + outcome.duplicate == 0 && refused > 0 {
        return Err(Failure::Refused(format!("none of {refused} events could be taken")));
    }
    Ok(())
}

impl From<ImportError> for Failure {
    fn from(e: ImportError) -> Self {
        match e {
            ImportError::Usage(reason) => Self::Usage(reason),
            ImportError::Refused(reason) => Self::Refused(reason),
            ImportError::CouldNot(reason) => Self::CouldNot(reason),
        }
    }
}

impl From<store::Error> for Failure {
    fn from(e: store::Error) -> Self {
        ImportError::from(e).into()
    }
}
