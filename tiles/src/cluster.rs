//! Points that stand too close to be told apart, gathered zoom by zoom.
//!
//! From the deepest zoom upwards, whatever stood there is visited in one order: what holds
//! more points first, then by a number mixed from its first point's. Who is visited and has
//! not been taken takes all others within [`RADIUS`] that have not been either.
//!
//! ```text
//!   zoom 15    o  o    o        o o            who took keeps its name: the cluster's
//!               ╲╱     │         │             first point is that of the taker
//!   zoom 14     2      o         2
//!                ╲    ╱          │
//!   zoom 13        3             2             a cluster that nobody joins stays the same
//! ```
//!
//! Invariant: it is one answer for the whole zoom, whatever the tiles, and a pure function of
//! the set of points, whatever their order. At each zoom each point is in one cluster, and
//! what is together at a zoom is together at all lower ones. A cluster lies at the mean of its
//! points, rounded once.
//!
//! The mixed numbers make it local: a change of one point passes on from who takes to who is
//! taken, and such chains are short where numbers fall at random along them.

use crate::coord::TileCoord;
use crate::grid::Grid;
use crate::space::{BUFFER, EXTENT, TilePoint};
use crate::world::World;

/// Tile units within which a cluster takes what is near: 48 pixels of a 512-pixel tile.
pub const RADIUS: u32 = 384;

/// The deepest zoom at which points are gathered.
pub const DEEPEST_CLUSTERS: u8 = 15;

/// A point to be gathered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Site {
    /// Where it stands.
    pub at: World,
    /// The number that stands for it; no two have the same.
    pub number: u32,
}

/// Points that stand together at a zoom, or one that stands alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// Where it is drawn.
    pub at: World,
    /// How many points it holds.
    pub count: u32,
    /// The number of the point that it began with.
    pub first: u32,
    /// That point's place among the sites.
    pub site: u32,
    /// The zoom at which it came to be what it is; one deeper than the deepest for one alone.
    formed: u8,
    /// Sums of the points' places.
    sum: (i64, i64),
}

impl Cluster {
    /// The integer that stands for it: a point's own number, or one beyond 32 bits that is the
    /// same at all zooms at which it holds the same points.
    #[must_use]
    pub fn id(&self) -> u64 {
        match self.expansion_zoom() {
            None => u64::from(self.first),
            Some(zoom) => u64::from(zoom) << 32 | u64::from(self.first),
        }
    }

    /// The first zoom at which it is several; `None` for a point that stands alone.
    #[must_use]
    pub fn expansion_zoom(&self) -> Option<u8> {
        (self.count > 1).then_some(self.formed + 1)
    }
}

/// All clusters of all zooms.
#[derive(Clone, Debug)]
pub struct Clusters {
    /// By zoom.
    zooms: Vec<Zoom>,
    /// Sums for each cluster.
    columns: usize,
}

#[derive(Clone, Debug, Default)]
struct Zoom {
    /// By tile, then by first point.
    clusters: Vec<Cluster>,
    /// The tile in whose core each lies.
    tiles: Vec<u64>,
    /// For each cluster, one after the other.
    sums: Vec<f64>,
}

impl Clusters {
    /// Gathers points. `weights` are columns with a value for each of them, to be summed up.
    #[must_use]
    pub fn build(sites: &[Site], weights: &[Vec<f64>]) -> Self {
        let columns = weights.len();
        let mut nodes: Vec<Cluster> = (0u32..)
            .zip(sites)
            .map(|(i, site)| Cluster {
                at: site.at,
                count: 1,
                first: site.number,
                site: i,
                formed: DEEPEST_CLUSTERS + 1,
                sum: (i64::from(site.at.x), i64::from(site.at.y)),
            })
            .collect();
        // Whatever the order in which the points came.
        nodes.sort_unstable_by_key(|c| (mixed(c.first), c.first));
        let of_site = |site: usize| weights.iter().map(move |w| w.get(site).copied().unwrap_or_default());
        let mut sums: Vec<f64> = nodes.iter().flat_map(|c| of_site(c.site as usize)).collect();
        let mut zooms = Vec::with_capacity(usize::from(DEEPEST_CLUSTERS) + 1);
        for z in (0..=DEEPEST_CLUSTERS).rev() {
            (nodes, sums) = gathered(&nodes, &sums, columns, z);
            zooms.push(Zoom::of(&nodes, &sums, columns, z));
        }
        zooms.reverse();
        Self { zooms, columns }
    }

    /// What a tile shows, its buffer included: each cluster with its place in the tile and its
    /// sums. Below [`DEEPEST_CLUSTERS`] nothing is gathered, and nothing told here.
    pub fn in_tile(&self, tile: TileCoord) -> impl Iterator<Item = (&Cluster, TilePoint, &[f64])> {
        let zoom = self.zooms.get(usize::from(tile.z()));
        let grid = Grid::of(tile.z());
        let around = (-1i64..=1).flat_map(|dy| (-1i64..=1).map(move |dx| (dx, dy)));
        let beside = around.filter_map(move |(dx, dy)| {
            let (x, y) = (u32::try_from(i64::from(tile.x()) + dx), u32::try_from(i64::from(tile.y()) + dy));
            Some(tile_key(x.ok()?, y.ok()?))
        });
        zoom.zip(grid).into_iter().flat_map(move |(zoom, grid)| {
            beside.clone().flat_map(move |key| {
                let from = zoom.tiles.partition_point(|t| *t < key);
                let until = from + zoom.tiles[from..].partition_point(|t| *t == key);
                (from..until).filter_map(move |i| {
                    let p = grid.round(zoom.clusters[i].at).in_tile(tile);
                    let (low, high) = (-(BUFFER as i32), (EXTENT + BUFFER) as i32);
                    let is_shown = (low..=high).contains(&p.x) && (low..=high).contains(&p.y);
                    is_shown.then(|| (&zoom.clusters[i], p, &zoom.sums[i * self.columns..][..self.columns]))
                })
            })
        })
    }
}

impl Zoom {
    fn of(nodes: &[Cluster], sums: &[f64], columns: usize, z: u8) -> Self {
        let grid = Grid::of(z);
        let tile = |c: &Cluster| {
            let p = grid.map(|grid| grid.round(c.at)).unwrap_or_default();
            let column = |v: i32| (v.max(0) as u32) / EXTENT;
            tile_key(column(p.x), column(p.y))
        };
        let mut order: Vec<(u64, u32, u32)> = (0u32..).zip(nodes).map(|(i, c)| (tile(c), c.first, i)).collect();
        order.sort_unstable();
        Self {
            clusters: order.iter().map(|(.., i)| nodes[*i as usize]).collect(),
            tiles: order.iter().map(|(key, ..)| *key).collect(),
            sums: order.iter().flat_map(|(.., i)| &sums[*i as usize * columns..][..columns]).copied().collect(),
        }
    }
}

fn tile_key(x: u32, y: u32) -> u64 {
    u64::from(y) << 32 | u64::from(x)
}

/// One zoom from the next deeper one; both in the order in which they are visited.
fn gathered(nodes: &[Cluster], sums: &[f64], columns: usize, z: u8) -> (Vec<Cluster>, Vec<f64>) {
    let radius = i64::from(RADIUS) << (20 - z);
    let cell = |v: i32| ((i64::from(v) + (1 << 31)) / radius) as u64;
    let key = |at: World| cell(at.y) << 32 | cell(at.x);
    let mut by_cell: Vec<(u64, u32)> = (0u32..).zip(nodes).map(|(i, c)| (key(c.at), i)).collect();
    by_cell.sort_unstable();
    let mut taken = vec![false; nodes.len()];
    let mut found: Vec<(Cluster, Vec<f64>)> = Vec::new();
    for (i, node) in nodes.iter().enumerate() {
        if std::mem::replace(&mut taken[i], true) {
            continue;
        }
        let mut cluster = *node;
        let mut sum = sums[i * columns..][..columns].to_vec();
        let (x, y) = (cell(node.at.x), cell(node.at.y));
        for row in y.saturating_sub(1)..=y + 1 {
            let first = row << 32 | x.saturating_sub(1);
            let from = by_cell.partition_point(|(key, _)| *key < first);
            for &(_, j) in by_cell[from..].iter().take_while(|(key, _)| *key <= row << 32 | (x + 1)) {
                let (j, other) = (j as usize, &nodes[j as usize]);
                if taken[j] || distance_2(node.at, other.at) > radius * radius {
                    continue;
                }
                taken[j] = true;
                cluster.count += other.count;
                cluster.sum = (cluster.sum.0 + other.sum.0, cluster.sum.1 + other.sum.1);
                cluster.formed = z;
                sum.iter_mut().zip(&sums[j * columns..]).for_each(|(sum, more)| *sum += more);
            }
        }
        if cluster.count > node.count {
            let mean = |sum: i64| rounded(sum, i64::from(cluster.count));
            cluster.at = World { x: mean(cluster.sum.0), y: mean(cluster.sum.1) };
        }
        found.push((cluster, sum));
    }
    found.sort_unstable_by_key(|(c, _)| (std::cmp::Reverse(c.count), mixed(c.first), c.first));
    let sums = found.iter().flat_map(|(_, sum)| sum).copied().collect();
    (found.into_iter().map(|(cluster, _)| cluster).collect(), sums)
}

/// Squares of differences of i32 would pass 2^63 together; what is as far as that is only far.
fn distance_2(a: World, b: World) -> i64 {
    let (dx, dy) = (i64::from(a.x) - i64::from(b.x), i64::from(a.y) - i64::from(b.y));
    (dx * dx).saturating_add(dy * dy)
}

/// A mean of i32, halves up.
fn rounded(sum: i64, count: i64) -> i32 {
    (2 * sum + count).div_euclid(2 * count) as i32
}

/// A number that has nothing to do with the order of those it is made of (the finaliser of
/// MurmurHash3, Appleby 2011).
fn mixed(n: u32) -> u32 {
    let n = (n ^ n >> 16).wrapping_mul(0x85eb_ca6b);
    let n = (n ^ n >> 13).wrapping_mul(0xc2b2_ae35);
    n ^ n >> 16
}

#[cfg(test)]
mod tests;
