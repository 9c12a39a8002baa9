//! All tiles of some layers, for a file of tiles.

use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::sync::Arc;

use boundaries::Bounds;
use rayon::prelude::*;
use tiles::{BUFFER, TileCoord, World};

use super::datum::Datum;
use super::error::TilingError;
use super::names::LayerList;
use super::tile::Tile;
use super::tiler::{TileOptions, Tiler};
use crate::snapshot::{CoverageView, Snapshot};

/// Tiles made side by side before they are handed out in order.
const BATCH: usize = 256;

/// The tiles of a range of zooms that have anything in them, zoom by zoom, each zoom
/// by row and column.
pub struct Pyramid<'a> {
    tiler: &'a Tiler,
    snapshot: &'a Snapshot,
    view: &'a Arc<CoverageView>,
    layers: &'a LayerList,
    options: TileOptions,
    addresses: Box<dyn Iterator<Item = TileCoord> + 'a>,
    ready: VecDeque<Result<(TileCoord, Tile), TilingError>>,
}

impl Tiler {
    /// All tiles of a list of layers, from and to a zoom, that have anything in them.
    /// Made as they are asked for, on all threads, past the cache.
    #[must_use]
    pub fn pyramid<'a>(
        &'a self,
        snapshot: &'a Snapshot,
        view: &'a Arc<CoverageView>,
        layers: &'a LayerList,
        zooms: RangeInclusive<u8>,
        options: TileOptions,
    ) -> Pyramid<'a> {
        let extent = extent(snapshot, view, layers);
        let lowest = self.lowest_zooms(snapshot, view, layers).into_iter().min().unwrap_or(0);
        let zooms = lowest.max(*zooms.start())..=(*zooms.end()).min(super::MAX_ZOOM);
        // Beforehand: a thread that makes a tile must not wait for others of its pool.
        self.prepare_some(view, layers, options.datum, zooms.clone());
        let addresses = zooms.flat_map(move |z| addresses(extent, z, options.datum));
        Pyramid { tiler: self, snapshot, view, layers, options, addresses: Box::new(addresses), ready: VecDeque::new() }
    }
}

impl Iterator for Pyramid<'_> {
    type Item = Result<(TileCoord, Tile), TilingError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.ready.is_empty() {
            let batch: Vec<TileCoord> = self.addresses.by_ref().take(BATCH).collect();
            if batch.is_empty() {
                return None;
            }
            let (tiler, snapshot, view, layers, options) =
                (self.tiler, self.snapshot, self.view, self.layers, self.options);
            let made: Vec<_> = batch
                .par_iter()
                .filter_map(|at| {
                    let tile = tiler.fresh(snapshot, view, layers, *at, options).transpose()?;
                    Some(tile.map(|tile| (*at, tile)))
                })
                .collect();
            self.ready.extend(made);
        }
        self.ready.pop_front()
    }
}

/// The box around all that the layers show.
fn extent(snapshot: &Snapshot, view: &CoverageView, layers: &LayerList) -> Bounds {
    let of_layers = layers
        .iter()
        .filter_map(|(name, _)| snapshot.layer(name))
        .flat_map(|layer| layer.iter().filter_map(|ix| Some(layer.geometry(ix)?.bounds())));
    of_layers.fold(view.coverage.bounds(), Bounds::union)
}

/// The tiles of a zoom that a box meets, buffers included.
fn addresses(extent: Bounds, z: u8, datum: Datum) -> Box<dyn Iterator<Item = TileCoord>> {
    if extent.is_empty() {
        return Box::new(std::iter::empty());
    }
    // In world units; a datum moves things besides, by less than two units per 1e-7 degree.
    let grow = (1i64 << (32 - u32::from(z.min(22)))) * i64::from(BUFFER + 1) / i64::from(tiles::EXTENT)
        + i64::from(datum.reach_e7()) * 2;
    let corner = |lon: i32, lat: i32, east: i64, south: i64| {
        let w = World::from_e7(lon, lat);
        let moved = |v: i32, by: i64| (i64::from(v) + by).clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32;
        TileCoord::of(World { x: moved(w.x, east), y: moved(w.y, south) }, z)
    };
    let first = corner(extent.min.x, extent.max.y, -grow, -grow);
    let last = corner(extent.max.x, extent.min.y, grow, grow);
    let (Some(first), Some(last)) = (first, last) else { return Box::new(std::iter::empty()) };
    let columns = first.x()..=last.x();
    Box::new(
        (first.y()..=last.y()).flat_map(move |y| columns.clone().filter_map(move |x| TileCoord::new(z, x, y).ok())),
    )
}
