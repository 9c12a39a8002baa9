//! The commonest mistake: an outline in GCJ-02 or BD-09 brought in as if it were WGS-84
//! (or the other way round) lies some 500 m off. Where another coverage knows the same
//! borders, the way in which the two disagree names the datum.

use boundaries::{AreaId, Coverage, Frame, Level, Point};

use crate::crs::Crs;

/// Vertices of the new outline that are compared.
const SAMPLES: usize = 240;
/// Segments of the known outline that are worth comparing with.
const SEGMENTS_MAX: usize = 400_000;
/// Segments between areas below which the rim is compared as well.
const INNER_MIN: usize = 20;
/// A median offset below this, in metres, is drawing, not a datum.
const OFFSET_MIN_M: f64 = 100.0;
/// How much nearer the outline must come under another datum to name it.
const SHARE_MAX: f64 = 0.35;

/// What the offset between two outlines says.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Suspicion {
    /// The datum that the file seems to be in.
    pub likely: Crs,
    /// Median distance of the new outline from the known one as it was read, in metres.
    pub offset_m: f64,
    /// The same if the file were in the likely datum.
    pub offset_if_m: f64,
    /// The level that was compared.
    pub level: String,
}

impl std::fmt::Display for Suspicion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "the {} borders lie {:.0} m off those already known, and {:.0} m off if the file is in {}: if so, import it with --crs {}",
            self.level, self.offset_m, self.offset_if_m, self.likely, self.likely
        )
    }
}

/// Compares `new`, read from a file as `declared`, with `known` and says which datum the
/// file seems to be in instead; `None` where they agree, or disagree in no such way. Where
/// both have areas of the same codes, these are compared, else the outlines: among many
/// small areas there is a border near every place.
#[must_use]
pub(super) fn suspect(new: &Coverage, declared: Crs, known: &Coverage) -> Option<Suspicion> {
    let twins = twins(new, known);
    if twins.len() >= INNER_MIN {
        let level = new.levels().last()?.to_string();
        let samples: Vec<Point> = twins.iter().map(|t| t.0).collect();
        let off = |moved: &[Point]| {
            let pairs = moved.iter().zip(&twins);
            median(pairs.map(|(p, (_, known))| Frame::between(*p, *known).distance_m(*p, *known)).collect())
        };
        return likely(declared, level, &samples, off);
    }
    let (new_level, known_level) = common_level(new, known)?;
    let segments = outline(known, known_level);
    if segments.is_empty() || segments.len() > SEGMENTS_MAX {
        return None;
    }
    let drawn = outline(new, new_level);
    let all: Vec<Point> = drawn.into_iter().map(|[a, _]| a).collect();
    let samples: Vec<Point> = all.iter().copied().step_by(all.len().div_ceil(SAMPLES).max(1)).collect();
    let level = new.levels()[usize::from(new_level.0)].to_string();
    likely(declared, level, &samples, |moved| median_distance_m(moved, &segments))
}

/// The datum in which samples lie much less far `off` than as they were read.
fn likely(declared: Crs, level: String, samples: &[Point], off: impl Fn(&[Point]) -> Option<f64>) -> Option<Suspicion> {
    let offset_m = off(samples)?;
    if offset_m < OFFSET_MIN_M {
        return None;
    }
    [Crs::Wgs84, Crs::Gcj02, Crs::Bd09]
        .into_iter()
        .filter(|datum| *datum != declared)
        .filter_map(|likely| {
            let moved: Option<Vec<Point>> = samples.iter().map(|p| reread(*p, declared, likely)).collect();
            Some(Suspicion { likely, offset_m, offset_if_m: off(&moved?)?, level: level.clone() })
        })
        .min_by(|a, b| a.offset_if_m.total_cmp(&b.offset_if_m))
        .filter(|s| s.offset_if_m < s.offset_m * SHARE_MAX)
}

/// The middles of areas with ground of their own, in both states, by code; some of them
/// where there are many.
fn twins(new: &Coverage, known: &Coverage) -> Vec<(Point, Point)> {
    let middle = |c: &Coverage, id: AreaId| {
        let faces = c.faces_of(id).iter().filter_map(|f| c.face(*f));
        let b = faces.map(|f| f.bounds).reduce(boundaries::Bounds::union)?;
        let half = |a: i32, b: i32| ((i64::from(a) + i64::from(b)) / 2) as i32;
        Some(Point::new(half(b.min.x, b.max.x), half(b.min.y, b.max.y)))
    };
    let both = |(id, area): (AreaId, &std::sync::Arc<boundaries::Area>)| {
        Some((middle(new, id)?, middle(known, known.area_by_code(&area.code)?)?))
    };
    let all: Vec<(Point, Point)> = new.areas().filter_map(both).collect();
    all.iter().copied().step_by(all.len().div_ceil(SAMPLES).max(1)).collect()
}

/// Where a vertex would lie had the file been read in another datum.
fn reread(p: Point, declared: Crs, other: Crs) -> Option<Point> {
    let in_file = declared.from_wgs84([p.lon(), p.lat()]).ok()?;
    other.to_lattice(in_file).ok()
}

/// The finest level that both have by name; else the topmost of each.
fn common_level(new: &Coverage, known: &Coverage) -> Option<(Level, Level)> {
    let mut common = new.levels().iter().filter_map(|name| Some((new.level(name)?, known.level(name)?)));
    let small = |level: &(Level, Level)| outline(known, level.1).len() <= SEGMENTS_MAX;
    common
        .rfind(small)
        .or_else(|| (!new.levels().is_empty() && !known.levels().is_empty()).then_some((Level(0), Level(0))))
}

/// The segments that part areas of a level from each other; where there are too few,
/// those to the outside as well. What divides the land says more than its rim: coasts
/// and lines at sea are drawn by other rules, often copied from one source to the next.
fn outline(coverage: &Coverage, level: Level) -> Vec<[Point; 2]> {
    let parting = |to_outside: bool| -> Vec<[Point; 2]> {
        coverage
            .borders()
            .filter(|(_, b)| {
                let (left, right) = (coverage.owner_at(b.left, level), coverage.owner_at(b.right, level));
                left != right && (to_outside || (left.is_some() && right.is_some()))
            })
            .flat_map(|(_, b)| b.line.windows(2).map(|w| [w[0], w[1]]))
            .collect()
    };
    let inner = parting(false);
    if inner.len() < INNER_MIN { parting(true) } else { inner }
}

fn median_distance_m(samples: &[Point], segments: &[[Point; 2]]) -> Option<f64> {
    let distances = samples
        .iter()
        .map(|&p| {
            let frame = Frame::at(p.y);
            let to = |[a, b]: &[Point; 2]| frame.distance_to_segment_2(p, *a, *b);
            segments.iter().map(to).fold(f64::INFINITY, f64::min).sqrt()
        })
        .collect();
    median(distances)
}

fn median(mut distances: Vec<f64>) -> Option<f64> {
    distances.sort_unstable_by(f64::total_cmp);
    distances.get(distances.len() / 2).copied()
}
