//! `gridatlas export`: areas, a layer, tiles, events or the past of a store, to a file by its ending.
//!
//! A file appears whole or not at all: what is written lies beside it as `.NAME.*.part`, which an
//! export that was killed leaves, and the next one to that name takes away. Coordinates are WGS-84, the exact decimals of the
//! lattice, so what is exported and imported again is the same.

mod events;
mod past;

use std::path::PathBuf;
use std::sync::Arc;

use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use rayon::prelude::*;

use super::{Failure, Outcome};
use crate::exchange::write::{Pyramid, ShapeKind, Table, TileWriter, WriteError, Writer};
use crate::feature::{Feature, Geometry, Value};
use crate::snapshot::{CoverageView, Field, Kind, Layer, Moment, Snapshot};
use crate::store::Store;
use crate::tiling::{Datum, Encoding, LayerList, TileOptions, Tiler, TilingError};

/// Areas made into polygons before they are written.
const BATCH: usize = 4096;

/// Arguments of `export`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// The areas of a level: code, name, level, parent, kind and their ground
    Areas(Areas),
    /// The features of a layer, with their attributes
    Layer(OfLayer),
    /// Vector tiles of levels and layers, to .pmtiles or .mbtiles
    Tiles(Tiles),
    /// Events, with their owners of then and now
    Events(events::Events),
    /// Which area became which with each revision, and how much of it
    Lineage(past::Lineage),
    /// Which part of each area of one date lies in which of another, and the reverse
    Crosswalk(past::Crosswalk),
    /// The register of changes, as authorities file it
    Changes(past::Changes),
}

#[derive(Debug, clap::Args)]
struct Where {
    /// The store: a .gpkg file or a postgres:// URL
    #[arg(long, env = "GRIDATLAS_STORE", hide_env_values = true)]
    store: String,
    /// The file to write; its ending names the format
    #[arg(long)]
    out: PathBuf,
}

#[derive(Debug, clap::Args)]
struct Areas {
    /// The name of the level
    #[arg(long)]
    level: String,
    #[command(flatten)]
    of: Of,
    #[command(flatten)]
    place: Where,
}

#[derive(Debug, clap::Args)]
struct OfLayer {
    /// The name of the layer
    name: String,
    #[command(flatten)]
    place: Where,
}

#[derive(Debug, clap::Args)]
struct Tiles {
    /// Levels (grid), labels (label_grid) and layers (building), comma-separated
    layers: String,
    #[command(flatten)]
    of: Of,
    /// The lowest zoom, if the layers are seen there
    #[arg(long, default_value_t = 0)]
    min_zoom: u8,
    /// The highest zoom
    #[arg(long, default_value_t = crate::tiling::DETAIL_ZOOM)]
    max_zoom: u8,
    #[command(flatten)]
    place: Where,
}

#[derive(Debug, clap::Args)]
struct Of {
    /// The coverage
    #[arg(long, default_value = "responsibility")]
    coverage: String,
    /// As of a date or time (a bare date is midnight in Asia/Shanghai)
    #[arg(long, conflicts_with = "rev")]
    at: Option<String>,
    /// What this revision published, in force or not
    #[arg(long)]
    rev: Option<u64>,
}

/// Runs the command.
pub fn run(args: Args) -> Outcome {
    match args.what {
        What::Areas(args) => {
            let snapshot = open(&args.place.store, Some(&args.of))?;
            areas(&args, &snapshot)
        }
        What::Layer(args) => {
            let snapshot = open(&args.place.store, None)?;
            layer(&args, &snapshot)
        }
        What::Tiles(args) => {
            let snapshot = open(&args.place.store, Some(&args.of))?;
            tiles(&args, &snapshot)
        }
        What::Events(args) => events::events(&args),
        What::Lineage(args) => past::lineage(&args),
        What::Crosswalk(args) => past::cross(&args),
        What::Changes(args) => past::changes(&args),
    }
}

/// What is in force now, or was at a moment.
fn open(store: &str, of: Option<&Of>) -> Result<Snapshot, Failure> {
    let at = of.and_then(|of| of.at.as_deref());
    let at = at.map(|text| super::moment(text, super::CITY_ZONE)).transpose()?;
    let rev = of.and_then(|of| of.rev);
    super::block_on(async {
        let store = Store::open(store).await?;
        let mut snapshot = store.load(None, Timestamp::now()).await?;
        if let Some(moment) = at.map(Moment::At).or(rev.map(Moment::Revision)) {
            snapshot = store.load_at(&snapshot, moment).await?;
            if let Some(rev) = rev.filter(|rev| snapshot.coverages.iter().all(|c| c.revision != *rev)) {
                return Err(Failure::Usage(format!("there is no revision {rev}")));
            }
        }
        store.close().await;
        Ok::<_, Failure>(snapshot)
    })?
}

fn coverage<'a>(snapshot: &'a Snapshot, name: &str) -> Result<&'a Arc<CoverageView>, Failure> {
    snapshot.coverage(name).ok_or_else(|| {
        let known: Vec<&str> = snapshot.coverages.iter().map(|c| &*c.name).collect();
        Failure::Usage(format!("there is no coverage {name:?}; {}", there_are(&known)))
    })
}

fn there_are(known: &[&str]) -> String {
    if known.is_empty() { "the store has none".into() } else { format!("there are {}", known.join(", ")) }
}

fn areas(args: &Areas, snapshot: &Snapshot) -> Outcome {
    let view = coverage(snapshot, &args.of.coverage)?;
    let coverage = &view.coverage;
    let level = coverage.level(&args.level).ok_or_else(|| {
        let known: Vec<&str> = coverage.levels().iter().map(|l| &**l).collect();
        Failure::Usage(format!("there is no level {:?}; {}", args.level, there_are(&known)))
    })?;
    let text = |name: &str| Field { name: name.into(), kind: Kind::Text };
    let columns: Vec<Field> = ["code", "name", "level", "parent", "kind"].map(text).to_vec();
    let names: Vec<Arc<str>> = columns.iter().map(|c| c.name.clone()).collect();
    let table = Table { name: args.level.clone(), shape: ShapeKind::Polygons, columns };
    let mut writer = Writer::create(&args.place.out, table).map_err(failed)?;
    let outlines = coverage.outlines(level);
    let progress = progress(outlines.len() as u64, "areas");
    for some in outlines.chunks(BATCH) {
        let features: Vec<Option<Feature>> = some
            .par_iter()
            .map(|outline| {
                let area = coverage.area(outline.area)?;
                let parent = area.parent.and_then(|p| coverage.area(p)).map(|p| p.code.clone());
                let text = |text: &Arc<str>| if text.is_empty() { Value::Null } else { Value::Text(text.clone()) };
                let values = [
                    Value::Text(area.code.clone()),
                    text(&area.name),
                    Value::Text(args.level.as_str().into()),
                    parent.map_or(Value::Null, Value::Text),
                    text(&area.kind),
                ];
                let parts = coverage.polygons_of(outline);
                Some(Feature {
                    id: area.code.clone(),
                    geometry: Geometry::Polygons(parts),
                    properties: names.iter().cloned().zip(values).collect(),
                })
            })
            .collect();
        for feature in features.iter().flatten() {
            writer.write(feature).map_err(failed)?;
        }
        progress.inc(some.len() as u64);
    }
    let count = writer.finish().map_err(failed)?;
    progress.finish_and_clear();
    eprintln!("{count} areas of {} at revision {} to {}", args.level, view.revision, args.place.out.display());
    Ok(())
}

fn layer(args: &OfLayer, snapshot: &Snapshot) -> Outcome {
    let layer = snapshot.layer(&args.name).ok_or_else(|| {
        let known: Vec<&str> = snapshot.layers.keys().map(|name| &**name).collect();
        Failure::Usage(format!("there is no layer {:?}; {}", args.name, there_are(&known)))
    })?;
    let shape = shape_of(layer).ok_or_else(|| {
        Failure::Refused(format!("the layer {} holds different kinds of geometry, or none", args.name))
    })?;
    // The id is a column of its own, so that every format carries it.
    let id: Arc<str> = "id".into();
    let has_id = layer.field(&id).is_some();
    let id_column = (!has_id).then(|| Field { name: id.clone(), kind: Kind::Text });
    let columns = id_column.into_iter().chain(layer.fields().iter().cloned()).collect();
    let table = Table { name: args.name.clone(), shape, columns };
    let mut writer = Writer::create(&args.place.out, table).map_err(failed)?;
    let progress = progress(layer.len() as u64, "features");
    for ix in layer.iter() {
        let Some(mut feature) = layer.feature(ix) else { continue };
        if !has_id {
            feature.properties.insert(0, (id.clone(), Value::Text(feature.id.clone())));
        }
        writer.write(&feature).map_err(failed)?;
        progress.inc(1);
    }
    let count = writer.finish().map_err(failed)?;
    progress.finish_and_clear();
    eprintln!("{count} features of {} to {}", args.name, args.place.out.display());
    Ok(())
}

/// What all features of a layer are; `None` where they differ or there are none.
fn shape_of(layer: &Layer) -> Option<ShapeKind> {
    let mut shapes = layer.iter().filter_map(|ix| layer.geometry(ix)).map(|geometry| match geometry.to_geometry() {
        Geometry::Point(_) => ShapeKind::Point,
        Geometry::Lines(_) => ShapeKind::Lines,
        Geometry::Polygons(_) => ShapeKind::Polygons,
    });
    let first = shapes.next()?;
    shapes.all(|shape| shape == first).then_some(first)
}

fn tiles(args: &Tiles, snapshot: &Snapshot) -> Outcome {
    if args.min_zoom > args.max_zoom || args.max_zoom > crate::tiling::MAX_ZOOM {
        return Err(Failure::Usage(format!("zooms run from 0 to {}", crate::tiling::MAX_ZOOM)));
    }
    let view = coverage(snapshot, &args.of.coverage)?;
    let layers = LayerList::parse(&args.layers, view.levels(), snapshot.layers.keys())
        .map_err(|e| Failure::Usage(e.to_string()))?;
    // Nothing is asked for twice.
    let tiler = Tiler::new(0);
    let described = tiler.tilejson(snapshot, view, &layers, "");
    let lowest = described["minzoom"].as_u64().and_then(|z| u8::try_from(z).ok()).unwrap_or(0).max(args.min_zoom);
    // To the lattice: a mean of two units is no more exact.
    let number = |member: &str, i: usize| (described[member][i].as_f64().unwrap_or_default() * 1e7).round() / 1e7;
    let pyramid = Pyramid {
        name: layers.to_string(),
        zooms: (lowest.min(args.max_zoom), args.max_zoom),
        bounds: [0, 1, 2, 3].map(|i| number("bounds", i)),
        center: (number("center", 0), number("center", 1), number("center", 2) as u8),
        vector_layers: described["vector_layers"].clone(),
    };
    let mut writer = TileWriter::create(&args.place.out, &pyramid).map_err(failed)?;
    let options = TileOptions { datum: Datum::Wgs84, encoding: Encoding::Gzip };
    let mut pyramid = tiler.pyramid(snapshot, view, &layers, args.min_zoom..=args.max_zoom, options);
    let progress = progress(pyramid.left() as u64, "tiles looked at");
    let mut batch = pyramid.next_batch().map_err(unmade)?;
    while let Some(made) = batch {
        // The next tiles are made while these are written.
        let write = || made.tiles.iter().try_for_each(|(at, tile)| writer.write(at.z(), at.x(), at.y(), &tile.bytes));
        let (written, next) = rayon::join(write, || pyramid.next_batch());
        written.map_err(failed)?;
        batch = next.map_err(unmade)?;
        progress.inc(made.looked_at as u64);
    }
    let count = writer.finish().map_err(failed)?;
    progress.finish_and_clear();
    eprintln!("{count} tiles of {layers} to {}", args.place.out.display());
    Ok(())
}

fn unmade(error: TilingError) -> Failure {
    Failure::CouldNot(error.to_string())
}

fn failed(error: WriteError) -> Failure {
    Failure::CouldNot(error.to_string())
}

fn progress(total: u64, what: &str) -> ProgressBar {
    ProgressBar::new(total).with_style(style(&format!("{{bar:40}} {{pos}}/{{len}} {what} {{elapsed}}")))
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}
