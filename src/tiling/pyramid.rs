//! All tiles of some layers, for a file of tiles.

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

/// The tiles of a range of zooms, zoom by zoom, each zoom along a Hilbert curve.
#[derive(Debug)]
pub struct Pyramid<'a> {
    tiler: &'a Tiler,
    snapshot: &'a Snapshot,
    view: &'a Arc<CoverageView>,
    layers: &'a LayerList,
    options: TileOptions,
    addresses: std::vec::IntoIter<TileCoord>,
}

/// Some tiles that follow each other.
#[derive(Debug)]
pub struct Batch {
    /// Those that have anything in them.
    pub tiles: Vec<(TileCoord, Tile)>,
    /// How many there were to be looked at.
    pub looked_at: usize,
}

impl Tiler {
    /// All tiles of a list of layers, from and to a zoom. Made as they are asked for, on all
    /// threads, past the cache.
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
        let mut all = Vec::new();
        for z in zooms {
            let from = all.len();
            all.extend(addresses(extent, z, options.datum));
            all[from..].sort_by_cached_key(|tile| tile.along_hilbert());
        }
        Pyramid { tiler: self, snapshot, view, layers, options, addresses: all.into_iter() }
    }
}

impl Pyramid<'_> {
    /// Tiles that are yet to be looked at.
    #[must_use]
    pub fn left(&self) -> usize {
        self.addresses.len()
    }

    /// The next tiles; `None` after the last.
    ///
    /// # Errors
    ///
    /// What went wrong with any of them.
    pub fn next_batch(&mut self) -> Result<Option<Batch>, TilingError> {
        let batch: Vec<TileCoord> = self.addresses.by_ref().take(BATCH).collect();
        if batch.is_empty() {
            return Ok(None);
        }
        let made = batch.par_iter().with_max_len(8).map(|at| {
            let tile = self.tiler.fresh(self.snapshot, self.view, self.layers, *at, self.options)?;
            Ok(tile.map(|tile| (*at, tile)))
        });
        let made: Result<Vec<_>, TilingError> = made.collect();
        Ok(Some(Batch { tiles: made?.into_iter().flatten().collect(), looked_at: batch.len() }))
    }
}

/// The box around all that the layers show.
fn extent(snapshot: &Snapshot, view: &CoverageView, layers: &LayerList) -> Bounds {
    let of_layers = layers
        .iter()
        .filter_map(|(name, _)| snapshot.layer(name))
        .flat_map(|layer| layer.iter().filter_map(|ix| Some(layer.geometry(ix)?.bounds())));
    of_layers.fold(view.bounds(), Bounds::union)
}

/// The tiles of a zoom that a box meets, buffers included.
fn addresses(extent: Bounds, z: u8, datum: Datum) -> Vec<TileCoord> {
    if extent.is_empty() {
        return Vec::new();
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
    let (Some(first), Some(last)) = (first, last) else { return Vec::new() };
    let columns = first.x()..=last.x();
    let rows = first.y()..=last.y();
    rows.flat_map(|y| columns.clone().filter_map(move |x| TileCoord::new(z, x, y).ok())).collect()
}
