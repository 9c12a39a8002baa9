//! The features of a layer gathered into clusters or heat: made once for a state of the
//! layer and what is chosen of it, and kept for the tiles that follow.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use boundaries::Point;
use tiles::{Clusters, GeometryKind, Heat, LayerWriter, Scratch, Shape, Site, TagValue, TileCoord, World};

use super::choice::{Choice, Form};
use super::datum::Datum;
use super::shown::{ID, OWNER, owner_code, tag};
use crate::snapshot::{CoverageView, Layer};

/// Layers that are kept gathered, and the features in all of them.
const MAX_KEPT: usize = 16;
const MAX_FEATURES: usize = 2_000_000;

/// The attributes of a cluster and of a warm place.
pub(super) const CLUSTER: &str = "cluster";
pub(super) const POINT_COUNT: &str = "point_count";
pub(super) const EXPANSION_ZOOM: &str = "expansion_zoom";
pub(super) const WEIGHT: &str = "weight";
pub(super) const COUNT: &str = "count";

/// A layer, gathered.
#[derive(Debug)]
pub(super) struct Gathered {
    /// The rows of the sites of clusters.
    rows: Vec<u32>,
    made: Made,
}

#[derive(Debug)]
enum Made {
    Clusters(Clusters),
    Heat(Heat),
}

/// What decides how a layer is gathered. `state` stands for the layer as it is.
#[derive(Clone, Debug)]
pub(super) struct Of {
    pub(super) state: u64,
    pub(super) coverage: Option<usize>,
    pub(super) datum: Datum,
    pub(super) choice: Arc<Choice>,
}

type Slot = Arc<OnceLock<Gathered>>;

#[derive(Debug)]
struct Entry {
    of: Of,
    features: usize,
    slot: Slot,
}

/// What was gathered last, the latest at the end, each with how many features it has.
#[derive(Debug, Default)]
pub(super) struct Gatherings {
    kept: Mutex<Vec<Entry>>,
}

impl Gatherings {
    /// A layer gathered as its choice says; made here where nobody has asked for it yet.
    pub(super) fn get(&self, of: Of, layer: &Layer, owners: Option<(usize, &CoverageView)>) -> Slot {
        let (datum, choice) = (of.datum, of.choice.clone());
        let slot = {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            let is_same = |known: &Entry| {
                (known.of.state, known.of.coverage, known.of.datum) == (of.state, of.coverage, of.datum)
                    && known.of.choice.gathers_like(&of.choice)
            };
            let entry = match kept.iter().position(is_same) {
                Some(i) => kept.remove(i),
                None => Entry { of, features: layer.len(), slot: Arc::default() },
            };
            let slot = entry.slot.clone();
            kept.push(entry);
            let are_too_many = |kept: &[Entry]| kept.iter().map(|k| k.features).sum::<usize>() > MAX_FEATURES;
            while kept.len() > MAX_KEPT || kept.len() > 1 && are_too_many(&kept) {
                kept.remove(0);
            }
            slot
        };
        slot.get_or_init(|| Gathered::new(layer, &choice, owners, datum));
        slot
    }
}

impl Gathered {
    fn new(layer: &Layer, choice: &Choice, owners: Option<(usize, &CoverageView)>, datum: Datum) -> Self {
        // It was made ready once before, when it was chosen.
        let filter = choice.of_features(layer, owners).ok().flatten().map(|filter| filter.for_many(layer.len()));
        let passing = layer.iter().filter(|ix| filter.as_ref().is_none_or(|filter| filter.passes(*ix)));
        let rows: Vec<(u32, World)> =
            passing.filter_map(|ix| Some((ix as u32, datum.project(middle(layer, ix)?)))).collect();
        let number = |name: &Arc<str>, row: u32| match layer.field(name).map(|f| layer.value(row as usize, f)) {
            Some(crate::snapshot::ValueRef::Integer(i)) => i as f64,
            Some(crate::snapshot::ValueRef::Real(r)) => r,
            _ => 0.0,
        };
        match choice.form() {
            Form::Heat { weight } => {
                let weight_of = |row| weight.as_ref().map_or(1.0, |name| number(name, row));
                let heat = Heat::build(rows.iter().map(|(row, at)| (*at, weight_of(*row))));
                Self { rows: Vec::new(), made: Made::Heat(heat) }
            }
            Form::Plain | Form::Clusters { .. } => {
                let site = |(row, at): &(u32, World)| Site { at: *at, number: layer.number(*row as usize) };
                let sites: Vec<Site> = rows.iter().map(site).collect();
                let columns = choice.sums().iter().map(|name| rows.iter().map(|(row, _)| number(name, *row)).collect());
                let clusters = Clusters::build(&sites, &columns.collect::<Vec<Vec<f64>>>());
                Self { rows: rows.into_iter().map(|(row, _)| row).collect(), made: Made::Clusters(clusters) }
            }
        }
    }

    /// The layer of what is gathered in a tile. Who stands alone is drawn as a point with its
    /// own attributes.
    pub(super) fn draw(
        &self,
        scratch: &mut Scratch,
        layer: &Layer,
        choice: &Choice,
        owners: Option<(usize, &CoverageView)>,
        tile: TileCoord,
    ) -> Option<Vec<u8>> {
        match &self.made {
            Made::Heat(heat) => draw_heat(heat, scratch, layer, tile),
            Made::Clusters(clusters) => self.draw_clusters(clusters, scratch, layer, choice, owners, tile),
        }
    }

    fn draw_clusters(
        &self,
        clusters: &Clusters,
        scratch: &mut Scratch,
        layer: &Layer,
        choice: &Choice,
        owners: Option<(usize, &CoverageView)>,
        tile: TileCoord,
    ) -> Option<Vec<u8>> {
        let fields = choice.shown_fields(layer);
        let sums: Vec<String> = choice.sums().iter().map(|name| sum_key(name)).collect();
        let mut names: Vec<&str> = fields.iter().map(|f| &*layer.fields()[*f].name).collect();
        let special = names.len() as u32;
        names.extend([ID, OWNER, CLUSTER, POINT_COUNT, EXPANSION_ZOOM]);
        names.extend(sums.iter().map(String::as_str));
        let codes_from = layer.symbols();
        let texts = codes_from + owners.map_or(0, |(_, view)| view.coverage.area_slots());
        let mut shown: Vec<_> = clusters.in_tile(tile).collect();
        shown.sort_unstable_by_key(|(cluster, ..)| cluster.id());
        let mut writer = LayerWriter::new(scratch, &names, texts);
        let mut shape = Shape::new();
        for (cluster, at, sums) in shown {
            shape.clear();
            shape.push_point(at);
            let mut tags: Vec<(u32, TagValue<'_>)> = Vec::with_capacity(names.len());
            match (cluster.expansion_zoom(), self.rows.get(cluster.site as usize)) {
                (Some(zoom), _) => {
                    tags.push((special + 2, TagValue::Bool(true)));
                    tags.push((special + 3, TagValue::Integer(cluster.count.into())));
                    tags.push((special + 4, TagValue::Integer(zoom.into())));
                    tags.extend((special + 5..).zip(sums.iter().map(|sum| of_number(*sum))));
                }
                (None, Some(&row)) => {
                    let row = row as usize;
                    let of_field = |(key, f): (u32, &usize)| Some((key, tag(layer.value(row, *f))?));
                    tags.extend((0..).zip(&fields).filter_map(of_field));
                    tags.push((special, TagValue::Unique(layer.id(row))));
                    let owner = owner_code(layer, row, owners);
                    tags.extend(
                        owner.map(|(slot, code)| (special + 1, TagValue::Text((codes_from + slot) as u32, code))),
                    );
                }
                (None, None) => continue,
            }
            writer.feature(cluster.id(), GeometryKind::Point, &shape, tags);
        }
        writer.finish(layer.name())
    }
}

fn draw_heat(heat: &Heat, scratch: &mut Scratch, layer: &Layer, tile: TileCoord) -> Option<Vec<u8>> {
    let mut writer = LayerWriter::new(scratch, &[WEIGHT, COUNT], 0);
    let mut shape = Shape::new();
    for warm in heat.in_tile(tile) {
        shape.clear();
        shape.push_point(warm.at);
        let tags = [(0, of_number(warm.weight)), (1, TagValue::Integer(warm.count.into()))];
        writer.feature(warm.id, GeometryKind::Point, &shape, tags);
    }
    writer.finish(layer.name())
}

/// The attribute that has the sum of a field.
pub(super) fn sum_key(name: &str) -> String {
    format!("sum_{name}")
}

/// Whole numbers as such: they are shorter.
fn of_number(number: f64) -> TagValue<'static> {
    // Up to here every whole number is one of f64.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() <= EXACT {
        TagValue::Integer(number as i64)
    } else {
        TagValue::Real(number)
    }
}

/// Where a feature is taken to stand: in the middle of its box.
fn middle(layer: &Layer, ix: usize) -> Option<Point> {
    let b = layer.geometry(ix)?.bounds();
    let half = |a: i32, b: i32| ((i64::from(a) + i64::from(b)) / 2) as i32;
    (!b.is_empty()).then(|| Point::new(half(b.min.x, b.max.x), half(b.min.y, b.max.y)))
}
