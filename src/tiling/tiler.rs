//! The maker of tiles: one for a service, shared by all requests.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use boundaries::{Bounds, Level};
use bytes::Bytes;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use tiles::{Scratch, TileCoord};

use super::areas::AreaTiles;
use super::choice::Choice;
use super::datum::Datum;
use super::error::TilingError;
use super::features::{self, Sheet};
use super::gathered::{Gatherings, Of};
use super::names::{LayerList, LayerName};
use super::prepared::{Known, Prepared, Ready};
use super::tile::{Encoding, Tile};
use crate::snapshot::{CoverageView, Layer, Snapshot};

/// A tile has at most so many bytes in gzip; features stay out before it has more.
pub const MAX_TILE_BYTES: usize = 500_000;

/// What one layer of features may take of a tile, unpacked, at the first attempt:
/// so much packs into the limit however badly it packs.
const MAX_LAYER_BYTES: usize = 480_000;

/// A layer of features is not cut below this, whatever else is in the tile.
const MIN_LAYER_BYTES: usize = 4_096;

/// From these zooms on tiles take well under a millisecond in a city, as a rule.
const QUICK_FROM_ZOOM: u8 = 12;
const QUICK_FEATURES_FROM_ZOOM: u8 = 14;

/// The least priority that a thread can have.
const IDLE: i32 = 19;

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// How a tile is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TileOptions {
    /// In which datum.
    pub datum: Datum,
    /// How packed.
    pub encoding: Encoding,
}

/// One layer of a tile, as far as it decides the bytes. `since` stands for the state since
/// which the layer is as it is in this very tile.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum LayerKey {
    /// Below its lowest zoom.
    Nothing,
    Areas {
        since: u64,
        level: Level,
        choice: Arc<Choice>,
    },
    Labels {
        since: u64,
        level: Level,
        choice: Arc<Choice>,
    },
    Features {
        since: u64,
        coverage: Option<usize>,
        datum: Datum,
        limit: usize,
        choice: Arc<Choice>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Layer(TileCoord, LayerKey),
    Whole(TileCoord, Vec<LayerKey>, Encoding),
}

impl LayerKey {
    fn choice(&self) -> Option<&Choice> {
        match self {
            Self::Nothing => None,
            Self::Areas { choice, .. } | Self::Labels { choice, .. } | Self::Features { choice, .. } => Some(choice),
        }
    }
}

impl Key {
    fn layers(&self) -> &[LayerKey] {
        match self {
            Self::Layer(_, layer) => std::slice::from_ref(layer),
            Self::Whole(_, layers, _) => layers,
        }
    }

    /// Whether a client can make up as many of these as it likes.
    fn is_made_up(&self) -> bool {
        self.layers().iter().filter_map(LayerKey::choice).any(Choice::is_made_up)
    }
}

#[derive(Clone, Debug)]
enum Kept {
    Layer { bytes: Bytes, left_out: u32 },
    Whole(Option<Tile>),
}

#[derive(Clone, Debug)]
struct ByBytes;

impl Weighter<Key, Kept> for ByBytes {
    fn weight(&self, key: &Key, kept: &Kept) -> u64 {
        let bytes = match kept {
            Kept::Layer { bytes, .. } => bytes.len(),
            Kept::Whole(tile) => tile.as_ref().map_or(0, |t| t.bytes.len()),
        };
        // What an entry takes besides, roughly.
        let said: usize = key.layers().iter().filter_map(LayerKey::choice).map(Choice::weight).sum();
        (bytes + said) as u64 + 200
    }
}

/// Where tiles may differ between two states of the city, by the names of what is another
/// in the later one: boxes on the lattice, or `None` for anywhere.
#[derive(Clone, Debug, Default)]
pub struct Differing {
    /// Coverages, drawn in WGS-84. What is drawn otherwise lies in the boxes, give or take two
    /// units of a tile.
    pub coverages: BTreeMap<Arc<str>, Option<Vec<Bounds>>>,
    /// Layers of features.
    pub layers: BTreeMap<Arc<str>, Option<Vec<Bounds>>>,
}

/// Makes tiles and keeps the ones that were made.
#[derive(Debug)]
pub struct Tiler {
    prepared: Prepared,
    gatherings: Gatherings,
    caches: Caches,
}

/// What was made, in two caches: there is no end to what a request can choose, and whoever
/// makes up one choice after the other pushes out such tiles alone.
#[derive(Debug)]
struct Caches {
    usual: Cache<Key, Kept, ByBytes>,
    made_up: Cache<Key, Kept, ByBytes>,
}

/// The share of the memory for what requests choose: one part in so many.
const MADE_UP_SHARE: u64 = 8;

impl Caches {
    fn new(bytes: u64) -> Self {
        // About what a tile weighs; it only sizes the table.
        let items = |bytes: u64| (bytes / 8_192).clamp(64, 1 << 20) as usize;
        let of = |bytes: u64| Cache::with_weighter(items(bytes), bytes, ByBytes);
        Self { usual: of(bytes - bytes / MADE_UP_SHARE), made_up: of(bytes / MADE_UP_SHARE) }
    }

    fn of(&self, key: &Key) -> &Cache<Key, Kept, ByBytes> {
        if key.is_made_up() { &self.made_up } else { &self.usual }
    }
}

impl Tiler {
    /// A maker that keeps tiles of at most so many bytes in all.
    #[must_use]
    pub fn new(cache_bytes: u64) -> Self {
        Self { prepared: Prepared::default(), gatherings: Gatherings::default(), caches: Caches::new(cache_bytes) }
    }

    /// Prepares a coverage for all of its levels and zooms, so that no request has to. It
    /// takes all processors where nobody else wants them, and gives way to whoever does.
    /// Ends early where it is no longer wanted.
    pub fn prepare(&self, view: &Arc<CoverageView>, datum: Datum, is_wanted: &(dyn Fn() -> bool + Sync)) {
        let idle = rayon::ThreadPoolBuilder::new().thread_name(|i| format!("prepare-{i}")).start_handler(|_| {
            // On Linux the calling thread alone. Where it may not, it is merely a good deal busier.
            if let Err(refused) = rustix::process::nice(IDLE) {
                tracing::debug!(%refused, "tiles are prepared at full priority");
            }
        });
        let work = || {
            if let Some(areas) = self.prepared.coverage(view, datum).areas() {
                areas.prepare(is_wanted);
            }
        };
        match idle.build() {
            Ok(pool) => pool.install(work),
            Err(refused) => tracing::warn!(%refused, "tiles are not prepared before somebody asks"),
        }
    }

    /// The same for the areas of some layers and some zooms alone, here and now.
    pub(super) fn prepare_some(
        &self,
        view: &Arc<CoverageView>,
        layers: &LayerList,
        datum: Datum,
        zooms: RangeInclusive<u8>,
    ) {
        let level = |kind: &LayerName| match kind {
            LayerName::Areas(level) | LayerName::Labels(level) => Some(*level),
            LayerName::Features(_) => None,
        };
        let levels: Vec<Level> = layers.iter().filter_map(|(_, kind)| level(kind)).collect();
        if let (Some(areas), false) = (self.prepared.coverage(view, datum).areas(), levels.is_empty()) {
            areas.prepare_some(&levels, zooms);
        }
    }

    /// Takes note of what differs between two states of the city, so that tiles which are
    /// the same in both stay in the cache. Says where tiles may differ.
    pub fn follow(&self, before: &Snapshot, after: &Snapshot) -> Differing {
        let mut differing = Differing::default();
        for view in after.coverages.iter().filter(|view| !before.coverages.iter().any(|old| Arc::ptr_eq(old, view))) {
            for datum in self.prepared.datums(&view.name) {
                self.prepared.coverage(view, datum);
            }
            let old = before.coverage(&view.name);
            let ground = old.and_then(|old| self.prepared.ground_between(old, view, Datum::Wgs84));
            differing.coverages.insert(view.name.clone(), ground);
        }
        for (name, layer) in &after.layers {
            let Some(old) = before.layers.get(name) else { continue };
            if !Arc::ptr_eq(old, layer) {
                let boxes = layer.changed_since(old);
                if let Some(boxes) = &boxes {
                    self.prepared.succeed(old, layer, boxes);
                }
                differing.layers.insert(name.clone(), boxes);
            }
        }
        differing
    }

    /// Tiles served from the cache, and tiles and layers that had to be made.
    #[must_use]
    pub fn hits_and_misses(&self) -> (u64, u64) {
        let Caches { usual, made_up } = &self.caches;
        (usual.hits() + made_up.hits(), usual.misses() + made_up.misses())
    }

    /// The layers of a list in a tile: areas of `view` (any revision of a coverage, or
    /// a draft), features of `snapshot`. `None` where none of them has anything there.
    ///
    /// It works for up to some milliseconds: not for a thread that must not wait.
    ///
    /// # Errors
    ///
    /// A zoom that is not served.
    pub fn tile(
        &self,
        snapshot: &Snapshot,
        view: &Arc<CoverageView>,
        layers: &LayerList,
        tile: TileCoord,
        options: TileOptions,
    ) -> Result<Option<Tile>, TilingError> {
        if tile.z() > super::MAX_ZOOM {
            return Err(TilingError::ZoomTooDeep { z: tile.z() });
        }
        let request = self.request(snapshot, view, layers, options.datum);
        let keys = request.keys(tile, MAX_LAYER_BYTES);
        let key = Key::Whole(tile, keys, options.encoding);
        let make = || request.whole(tile, options.encoding, Some(&self.caches)).map(Kept::Whole);
        match self.caches.of(&key).get_or_insert_with(&key, make)? {
            Kept::Whole(tile) => Ok(tile),
            Kept::Layer { .. } => Ok(None),
        }
    }

    /// The same where it is kept, for a thread that must not wait: `None` where it has to be
    /// made first.
    #[must_use]
    pub fn kept(
        &self,
        snapshot: &Snapshot,
        view: &Arc<CoverageView>,
        layers: &LayerList,
        tile: TileCoord,
        options: TileOptions,
    ) -> Option<Option<Tile>> {
        let ready = self.prepared.known(view, options.datum)?;
        let knows = |level: &Level| ready.areas().is_some_and(|areas| areas.knows_ground(*level));
        let is_ready = layers.iter().all(|(_, kind)| match kind {
            LayerName::Areas(level) | LayerName::Labels(level) => knows(level),
            LayerName::Features(_) => true,
        });
        if tile.z() > super::MAX_ZOOM || !is_ready {
            return None;
        }
        let request = self.request_of(ready, snapshot, view, layers, options.datum);
        let key = Key::Whole(tile, request.keys(tile, MAX_LAYER_BYTES), options.encoding);
        match self.caches.of(&key).get(&key)? {
            Kept::Whole(tile) => Some(tile),
            Kept::Layer { .. } => None,
        }
    }

    /// Whether a tile takes so little to make that to hand it to another thread would be a good
    /// part of the work: all that it needs is there, and it shows a small piece of ground.
    #[must_use]
    pub fn is_quick(
        &self,
        snapshot: &Snapshot,
        view: &Arc<CoverageView>,
        layers: &LayerList,
        tile: TileCoord,
        options: TileOptions,
    ) -> bool {
        let is_prepared = || {
            let ready = self.prepared.known(view, options.datum);
            ready.is_some_and(|ready| ready.areas().is_some_and(AreaTiles::is_whole))
        };
        let mut all = layers.iter().zip(layers.choices());
        options.encoding != Encoding::Brotli
            && tile.z() >= QUICK_FROM_ZOOM
            && all.all(|((_, kind), choice)| match kind {
                LayerName::Areas(_) | LayerName::Labels(_) => is_prepared() && choice.is_unfiltered(),
                LayerName::Features(name) => {
                    let is_known = |layer: &Arc<Layer>| self.prepared.knows_footprints(layer, options.datum);
                    let is_plain = !choice.gathers_at(tile.z()) && choice.is_unfiltered();
                    is_plain && tile.z() >= QUICK_FEATURES_FROM_ZOOM && snapshot.layer(name).is_some_and(is_known)
                }
            })
    }

    /// The same as [`tile`](Self::tile) without looking into the cache or leaving anything there.
    pub(super) fn fresh(
        &self,
        snapshot: &Snapshot,
        view: &Arc<CoverageView>,
        layers: &LayerList,
        tile: TileCoord,
        options: TileOptions,
    ) -> Result<Option<Tile>, TilingError> {
        self.request(snapshot, view, layers, options.datum).whole(tile, options.encoding, None)
    }

    /// The lowest zoom of each layer of a list.
    pub(super) fn lowest_zooms(&self, snapshot: &Snapshot, view: &Arc<CoverageView>, layers: &LayerList) -> Vec<u8> {
        let request = self.request(snapshot, view, layers, Datum::Wgs84);
        request.sources.iter().map(|source| request.lowest_zoom(source)).collect()
    }

    fn request<'a>(
        &'a self,
        snapshot: &'a Snapshot,
        view: &'a Arc<CoverageView>,
        layers: &'a LayerList,
        datum: Datum,
    ) -> Request<'a> {
        self.request_of(self.prepared.coverage(view, datum), snapshot, view, layers, datum)
    }

    fn request_of<'a>(
        &'a self,
        ready: Ready,
        snapshot: &'a Snapshot,
        view: &'a Arc<CoverageView>,
        layers: &'a LayerList,
        datum: Datum,
    ) -> Request<'a> {
        let place = snapshot.coverage_index(&view.name);
        // A draft's or the past's areas don't own the features: the present's do.
        let owners = place.and_then(|place| Some((place, &**snapshot.coverages.get(place)?)));
        let sources = layers
            .iter()
            .zip(layers.choices())
            .filter_map(|((name, kind), choice)| {
                Some(match kind {
                    LayerName::Areas(level) => Source::Areas(name, *level, choice),
                    LayerName::Labels(level) => Source::Labels(name, *level, choice),
                    LayerName::Features(name) => {
                        let layer = snapshot.layer(name)?;
                        Source::Features(layer, self.prepared.layer(layer), choice)
                    }
                })
            })
            .collect();
        Request {
            ready,
            prepared: &self.prepared,
            gatherings: &self.gatherings,
            extent: view.bounds(),
            owners,
            sources,
            datum,
        }
    }
}

/// Where a layer of a request comes from.
enum Source<'a> {
    Areas(&'a str, Level, &'a Arc<Choice>),
    Labels(&'a str, Level, &'a Arc<Choice>),
    Features(&'a Layer, Known, &'a Arc<Choice>),
}

struct Request<'a> {
    ready: Ready,
    prepared: &'a Prepared,
    gatherings: &'a Gatherings,
    extent: Bounds,
    owners: Option<(usize, &'a CoverageView)>,
    sources: Vec<Source<'a>>,
    datum: Datum,
}

impl Request<'_> {
    fn keys(&self, tile: TileCoord, limit: usize) -> Vec<LayerKey> {
        self.sources.iter().map(|source| self.key(source, tile, limit)).collect()
    }

    fn key(&self, source: &Source<'_>, tile: TileCoord, limit: usize) -> LayerKey {
        if tile.z() < self.lowest_zoom(source) {
            return LayerKey::Nothing;
        }
        match source {
            Source::Areas(_, level, choice) => {
                let since = self.ready.areas_since(*level, tile);
                LayerKey::Areas { since, level: *level, choice: (*choice).clone() }
            }
            Source::Labels(_, level, choice) => {
                let since = self.ready.names_since(*level, tile);
                LayerKey::Labels { since, level: *level, choice: (*choice).clone() }
            }
            Source::Features(_, layer, choice) => {
                // A point that comes or goes may move clusters elsewhere.
                let is_gathered = choice.gathers_at(tile.z());
                let shown = features::shown_by(tile, self.datum);
                let since = if is_gathered { layer.state() } else { layer.since(shown) };
                let coverage = self.owners.map(|(place, _)| place);
                LayerKey::Features { since, coverage, datum: self.datum, limit, choice: (*choice).clone() }
            }
        }
    }

    fn lowest_zoom(&self, source: &Source<'_>) -> u8 {
        match source {
            Source::Areas(_, level, _) | Source::Labels(_, level, _) => {
                self.ready.areas().map_or(0, |areas| areas.lowest_zoom(*level))
            }
            Source::Features(_, _, choice) if choice.gathers_at(0) => 0,
            Source::Features(layer, ..) => features::lowest_zoom(layer, self.extent),
        }
    }

    fn whole(&self, tile: TileCoord, encoding: Encoding, caches: Option<&Caches>) -> Result<Option<Tile>, TilingError> {
        let mut limit = MAX_LAYER_BYTES;
        loop {
            let (mut parts, mut left_out, mut features) = (Vec::with_capacity(self.sources.len()), 0, 0);
            for source in &self.sources {
                let (bytes, out) = match caches {
                    Some(caches) => {
                        let key = match self.key(source, tile, limit) {
                            LayerKey::Nothing => continue,
                            key => Key::Layer(tile, key),
                        };
                        let make = || {
                            let (bytes, left_out) = self.layer(source, tile, limit);
                            Ok::<_, TilingError>(Kept::Layer { bytes, left_out })
                        };
                        match caches.of(&key).get_or_insert_with(&key, make)? {
                            Kept::Layer { bytes, left_out } => (bytes, left_out),
                            Kept::Whole(_) => continue,
                        }
                    }
                    None => self.layer(source, tile, limit),
                };
                left_out += out;
                if matches!(source, Source::Features(..)) {
                    features += bytes.len();
                }
                if !bytes.is_empty() {
                    parts.push(bytes);
                }
            }
            // A single layer is the whole as it stands.
            let content = match parts.as_mut_slice() {
                [only] => std::mem::take(only),
                parts => Bytes::from(parts.concat()),
            };
            if content.is_empty() {
                return Ok(None);
            }
            // What is short enough unpacked is so in gzip.
            if content.len() > MAX_TILE_BYTES && features > 0 && limit > MIN_LAYER_BYTES {
                let packed = Tile::pack(&content, Encoding::Gzip, left_out)?;
                if packed.bytes.len() > MAX_TILE_BYTES {
                    limit = (limit * 3 / 5).max(MIN_LAYER_BYTES);
                    continue;
                }
                if encoding == Encoding::Gzip {
                    return Ok(Some(packed));
                }
            }
            return Tile::pack(&content, encoding, left_out).map(Some);
        }
    }

    fn layer(&self, source: &Source<'_>, tile: TileCoord, limit: usize) -> (Bytes, u32) {
        if tile.z() < self.lowest_zoom(source) {
            return (Bytes::new(), 0);
        }
        SCRATCH.with_borrow_mut(|scratch| {
            let areas = self.ready.areas();
            let (bytes, left_out) = match source {
                Source::Areas(name, level, choice) => {
                    let Ok(filter) = choice.of_areas() else { return (Bytes::new(), 0) };
                    let left_out = areas.map_or(0, |a| a.left_out(*level, tile, filter.as_ref()));
                    (areas.and_then(|a| a.areas_passing(scratch, name, *level, tile, filter.as_ref())), left_out)
                }
                Source::Labels(name, level, choice) => {
                    let Ok(filter) = choice.of_areas() else { return (Bytes::new(), 0) };
                    (areas.and_then(|a| a.labels_passing(scratch, name, *level, tile, filter.as_ref())), 0)
                }
                Source::Features(layer, known, choice) if choice.gathers_at(tile.z()) => {
                    let coverage = self.owners.map(|(place, _)| place);
                    let of = Of { state: known.state(), coverage, datum: self.datum, choice: (*choice).clone() };
                    let gathered = self.gatherings.get(of, layer, self.owners);
                    (gathered.get().and_then(|g| g.draw(scratch, layer, choice, self.owners, tile)), 0)
                }
                Source::Features(layer, _, choice) => {
                    let footprints = self.prepared.footprints(layer, self.datum);
                    let Some(footprints) = footprints.get() else { return (Bytes::new(), 0) };
                    let (owners, datum) = (self.owners, self.datum);
                    let drawn =
                        features::draw(scratch, &Sheet { layer, footprints, choice, owners, datum }, tile, limit);
                    (drawn.bytes, drawn.left_out)
                }
            };
            (bytes.map(Bytes::from).unwrap_or_default(), left_out)
        })
    }
}
