//! `gridatlas demo`: a seeded city, made, brought in by the way that files take, and served.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::{Failure, Outcome};
use crate::demo::files::{self, Files};
use crate::demo::live::{Happening, Stream, Walk};
use crate::demo::things::{Counts, Events};
use crate::demo::{City, FEWEST_GRIDS, MOST_GRIDS};
use crate::exchange::ReadOptions;
use crate::http::{self, Config, Running, ServeOptions};
use crate::import::{self, AreasOptions, EventsOptions, LayerOptions, Progress, WithoutPlace};
use crate::intake::{Answer, Intake, IntakeError, Report};
use crate::snapshot::Atlas;
use crate::store::{EVENT_LAYER, Store};

/// Arguments of `demo`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How large: small (1,700 grids), city (17,000) or a number of grids
    #[arg(long, default_value = "small", value_name = "small|city|N")]
    size: Size,
    /// The same seed makes the same city
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many buildings, if not in proportion to the grids (300,000 for city)
    #[arg(long, value_name = "N")]
    buildings: Option<usize>,
    /// The store: a path or a postgres:// URL [default: demo-SIZE-SEED.gpkg]; one that
    /// holds this very city is used again
    #[arg(long, env = "GRIDATLAS_STORE")]
    store: Option<String>,
    /// The address to listen on; port 0 takes any that is free
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: String,
    /// Leave workers and events as they are
    #[arg(long)]
    still: bool,
    /// Only write the city's files into this folder: areas.geojsonl and one for each layer
    #[arg(long, value_name = "DIR", conflicts_with_all = ["store", "listen", "still"])]
    out: Option<PathBuf>,
}

/// A number of grids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Size(usize);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "small" => Ok(Self(1_700)),
            "city" => Ok(Self(17_000)),
            number => match number.parse() {
                Ok(n) if (FEWEST_GRIDS..=MOST_GRIDS).contains(&n) => Ok(Self(n)),
                _ => Err(format!("small, city, or a number of grids from {FEWEST_GRIDS} to {MOST_GRIDS}")),
            },
        }
    }
}

/// The most buildings that a demo takes on.
const MOST_BUILDINGS: usize = 5_000_000;

/// Runs the command.
pub fn run(args: Args) -> Outcome {
    super::log_to_stderr();
    let Size(grids) = args.size;
    let mut counts = Counts::of(grids);
    counts.buildings = args.buildings.unwrap_or(counts.buildings);
    if counts.buildings > MOST_BUILDINGS {
        return Err(Failure::Usage(format!("at most {MOST_BUILDINGS} buildings")));
    }
    let start = Instant::now();
    let city = City::new(grids, args.seed);
    eprintln!("drew {} grids in {:.1} s", city.grids.len(), start.elapsed().as_secs_f64());
    if let Some(folder) = &args.out {
        std::fs::create_dir_all(folder).map_err(|e| Failure::CouldNot(format!("{}: {e}", folder.display())))?;
        let files = write(&city, counts, folder)?;
        let paths = std::iter::once(&files.areas).chain(files.layers.iter().map(|layer| &layer.path));
        return super::say(&paths.map(|path| format!("{}\n", path.display())).collect::<String>());
    }
    // Another number of buildings is another city.
    let buildings = args.buildings.map_or(String::new(), |n| format!("-{n}"));
    let store = args.store.unwrap_or_else(|| format!("demo-{grids}-{}{buildings}.gpkg", args.seed));
    super::block_on(async {
        bring_in(&city, counts, &store).await?;
        serve(&city, counts, store, args.listen, !args.still).await
    })?
}

fn write(city: &City, counts: Counts, folder: &Path) -> Result<Files, Failure> {
    let start = Instant::now();
    let files = files::write(city, counts, folder, |layer| eprintln!("writing {layer}"))
        .map_err(|e| Failure::CouldNot(e.to_string()))?;
    eprintln!("wrote its files in {:.1} s", start.elapsed().as_secs_f64());
    Ok(files)
}

/// Fills the store by the imports that files go through; one that holds this very city
/// is left as it is, and what an earlier run did not come to is done now.
async fn bring_in(city: &City, counts: Counts, location: &str) -> Outcome {
    // The author of the revision says which city it is.
    let author = format!("demo of {} grids, seed {}", city.grids.len(), city.seed);
    let store = Store::open_or_create(location).await?;
    let has_areas = match store.head(import::DEFAULT_COVERAGE).await? {
        Some(head) if head.author == author => true,
        Some(head) => {
            return Err(Failure::Refused(format!(
                "{} holds another city, published by {}: name another --store",
                store.location(),
                head.author
            )));
        }
        None => false,
    };
    let layers = store.layers().await?;
    let lacks = |layer: &str| !layers.iter().any(|l| *l.name == *layer);
    let last_event = store.events_of_id(&Events::id(counts.events), None).await?;
    let has_events = counts.events == 0 || !last_event.is_empty();
    if has_areas && has_events && !import::WELL_KNOWN.iter().any(|layer| lacks(layer)) {
        eprintln!("{} holds this city already", store.location());
        store.close().await;
        return Ok(());
    }

    let folder = tempfile::tempdir().map_err(|e| Failure::CouldNot(format!("no folder for its files: {e}")))?;
    let files = write(city, counts, folder.path())?;
    let progress = Progress::on_terminal();
    if !has_areas {
        let start = Instant::now();
        let levels = files::LEVELS.parse().map_err(|e| Failure::CouldNot(format!("{e}")))?;
        let names = files::NAMES.iter().filter_map(|pair| pair.split_once('='));
        let options = AreasOptions {
            names: names.map(|(level, field)| (level.into(), field.into())).collect(),
            author,
            ..AreasOptions::new(levels)
        };
        let report = import::areas(&store, &files.areas, &options, &progress).await?;
        progress.finish();
        if report.is_refused() {
            return Err(Failure::Refused(report.refusals.join("; ")));
        }
        eprintln!("brought in {} areas in {:.1} s", report.areas.added, start.elapsed().as_secs_f64());
    }
    let (events, layers): (Vec<_>, Vec<_>) = files.layers.iter().partition(|file| file.layer == EVENT_LAYER);
    for file in layers.into_iter().filter(|file| lacks(file.layer)) {
        let start = Instant::now();
        let options = LayerOptions {
            layer: file.layer.into(),
            id: "id".into(),
            read: ReadOptions::default(),
            without_place: WithoutPlace::Refuse,
            max_removed_percent: 0.0,
            dry_run: false,
        };
        let outcome = import::layer(&store, &file.path, &options, &progress).await?;
        progress.finish();
        let added = outcome.features.added;
        eprintln!("brought in {added} of {} in {:.1} s", file.layer, start.elapsed().as_secs_f64());
    }
    // What an earlier run filed of them is known.
    for file in events {
        let start = Instant::now();
        let intake = Config::default().intake().map_err(|e| Failure::CouldNot(e.to_string()))?;
        let outcome =
            import::events(&store, &Arc::new(intake), &file.path, &EventsOptions::default(), &progress).await?;
        progress.finish();
        eprintln!("filed {} events in {:.1} s", outcome.accepted, start.elapsed().as_secs_f64());
    }
    store.close().await;
    Ok(())
}

/// Serves the store until told to stop; meanwhile the city lives.
async fn serve(city: &City, counts: Counts, store: String, listen: String, lives: bool) -> Outcome {
    let options = ServeOptions { store, listen, config: Config::default() };
    let running = http::start(options).await.map_err(|e| Failure::CouldNot(e.to_string()))?;
    introduce(city, &running);
    tokio::select! {
        () = live(city, counts, &running), if lives => {}
        () = http::told_to_stop() => {}
    }
    eprintln!("stopping");
    running.stop().await;
    Ok(())
}

/// Says where it is, and what to try.
fn introduce(city: &City, running: &Running) {
    let url = running.url();
    println!("{url}");
    eprintln!("listening on {url}");
    let Some((grid, point)) = city.grids.iter().find_map(|g| Some((g, *g.parts.first()?.shell.first()?))) else {
        return;
    };
    let (lon, lat) = (point.lon(), point.lat());
    eprintln!("\nTry, beside the map:");
    eprintln!("  curl '{url}locate?lon={lon}&lat={lat}'");
    eprintln!("  curl '{url}workers/nearest?lon={lon}&lat={lat}&k=3&on_duty=true&order=grid_first'");
    eprintln!("  curl '{url}areas/{}/neighbours'", grid.code);
    eprintln!("  {url}docs\n");
}

/// How often something happens.
const BEAT: Duration = Duration::from_secs(1);

/// Moves the workers through the registry's own call, and lets events come in through
/// the store, as devices and forms would.
async fn live(city: &City, counts: Counts, running: &Running) {
    let (atlas, workers) = (running.atlas(), running.workers());
    let mut walk = Walk::new(workers.all_seen(), city.seed);
    let mut events = Events::new(city, counts.workers);
    let mut stream = Stream::new(city.seed);
    let mut beats = tokio::time::interval(BEAT);
    beats.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut failed = false;
    loop {
        beats.tick().await;
        let now = Timestamp::now();
        walk.step(workers, now);
        let Some(store) = atlas.store() else { continue };
        let put = happen(stream.step(&mut events, workers, now), running.intake(), atlas, store).await;
        if let (Err(error), false) = (&put, failed) {
            tracing::warn!(%error, "events do not come through");
        }
        failed = put.is_err();
    }
}

/// Carries what happens to the intake.
async fn happen(what: Happening, intake: &Arc<Intake>, atlas: &Atlas, store: &Store) -> Result<(), IntakeError> {
    match what {
        Happening::Reported(said) => {
            let report = Report::read(said.to_string().as_bytes(), &intake.rules().limits);
            let answers = intake.file(atlas, store, vec![report]).await?;
            match answers.into_iter().next() {
                Some(Answer::Rejected(rejected)) => Err(rejected.into()),
                _ => Ok(()),
            }
        }
        Happening::Moved { source, id, step } => {
            let found = store.events_of_id(&id, Some(&source)).await?.pop();
            let step = serde_json::from_value(step);
            if let (Some(event), Ok(step)) = (found, step) {
                intake.step(store, &atlas.present(), event, &step).await?;
            }
            Ok(())
        }
    }
}
