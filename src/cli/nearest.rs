//! `gridatlas nearest`: the workers of a store, nearest first, by the places that the
//! store knows. Live positions are the running service's.

use boundaries::Point;
use jiff::Timestamp;

use super::{Failure, Outcome};
use crate::crs::Crs;
use crate::dispatch::{Found, Query, Workers};
use crate::snapshot::{Atlas, DEFAULT_COVERAGE};
use crate::store::Store;

/// The layer that workers are.
const LAYER: &str = "worker";

/// Arguments of `nearest`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The store: a GeoPackage's path, or a postgres:// URL
    #[arg(long, env = "GRIDATLAS_STORE", hide_env_values = true)]
    store: String,
    /// Longitude in degrees, or easting in metres
    #[arg(long, allow_negative_numbers = true)]
    lon: f64,
    /// Latitude in degrees, or northing in metres
    #[arg(long, allow_negative_numbers = true)]
    lat: f64,
    /// wgs84, cgcs2000, gcj02, bd09 or EPSG:n
    #[arg(long, default_value = "wgs84")]
    crs: Crs,
    /// How many
    #[arg(short, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    k: u32,
    /// Only this role
    #[arg(long)]
    role: Option<String>,
    /// Only with this skill
    #[arg(long)]
    skill: Option<String>,
    /// Only on duty
    #[arg(long)]
    on_duty: bool,
    /// Only on the ground of the area of this code
    #[arg(long)]
    within: Option<String>,
    /// The coverage whose areas are meant
    #[arg(long, default_value = DEFAULT_COVERAGE)]
    coverage: String,
    /// Write JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: Args) -> Outcome {
    super::log_to_stderr();
    let point = args.crs.to_lattice([args.lon, args.lat]).map_err(|e| Failure::Usage(e.to_string()))?;
    let found = super::block_on(nearest(&args, point))??;
    if args.json {
        let found: Vec<_> = found
            .iter()
            .map(|f| {
                serde_json::json!({
                    "id": f.worker.id, "name": f.worker.name, "role": f.worker.role, "grid": f.grid, "distance_m": millimetres(f.distance_m),
                    "load": f.load, "why": f.why.as_str(), "point": [f.point.lon(), f.point.lat()],
                })
            })
            .collect();
        super::say(&format!("{}\n", serde_json::Value::from(found)))
    } else {
        let line = |f: &Found| {
            let grid = f.grid.as_deref().unwrap_or("-");
            format!("{:>9.1} m  {}  {}  {}  {grid}\n", f.distance_m, f.worker.id, f.worker.name, f.worker.role)
        };
        super::say(&found.iter().map(line).collect::<String>())
    }
}

fn millimetres(distance_m: f64) -> f64 {
    (distance_m * 1000.0).round() / 1000.0
}

async fn nearest(args: &Args, point: Point) -> Result<Vec<Found>, Failure> {
    let failed = |e: crate::store::Error| Failure::CouldNot(e.to_string());
    let store = Store::open(&args.store).await.map_err(failed)?;
    let atlas = Atlas::open(store.clone()).await.map_err(failed)?;
    store.close().await;
    let snapshot = atlas.present();
    let Some(layer) = snapshot.layer(LAYER) else {
        return Err(Failure::Usage("the store holds no workers yet".to_owned()));
    };
    let workers = Workers::new();
    workers.sync_layer(layer);
    let view = snapshot.coverage(&args.coverage);
    if let Some(code) = &args.within
        && view.is_none_or(|v| v.coverage.area_by_code(code).is_none())
    {
        return Err(Failure::Usage(format!("no area of {} has the code {code}", args.coverage)));
    }
    let query = Query {
        role: args.role.as_deref(),
        skill: args.skill.as_deref(),
        on_duty: args.on_duty.then_some(true),
        within: args.within.as_deref(),
        ..Query::new(point, args.k as usize)
    };
    Ok(match view {
        Some(view) => workers.nearest(&query, &**view, Timestamp::now()),
        None => workers.nearest(&query, &(), Timestamp::now()),
    })
}
