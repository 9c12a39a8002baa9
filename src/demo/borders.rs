//! Borders that wander: every edge of the cells becomes a line of many vertices, made
//! once and used by both sides.
//!
//! A line stays in the two triangles between its edge and the seeds at its sides, and
//! triangles of different edges don't overlap; so lines can't cross.
//!
//! ```text
//!            seed
//!           ╱    ╲
//!         ╱ ╱╲  ╱╲ ╲        the line keeps below a part of the triangle's height,
//!       ╱─╱───╲╱───╲─╲      so that there is room for an enclave around the seed
//!     from            to
//! ```

use boundaries::Point;

use super::Random;
use super::cells::{Cells, Edge};
use super::land::{At, lattice};

/// How much of its triangles a line may use, and how much beside an enclave.
const FILL: f64 = 0.7;
const FILL_BESIDE_ENCLAVE: f64 = 0.3;

/// The nearest that vertices come along a line, in metres.
const STEP_M: f64 = 4.0;

/// The lattice points of every edge, nodes included, in the direction of the edge.
/// Rings of cells have about `vertices` vertices on average; `enclosing` says which
/// cells have an enclave.
pub(super) fn lines(cells: &Cells, vertices: f64, enclosing: &[bool], seed: u64) -> Vec<Vec<Point>> {
    let mut random = Random::of(seed, "borders");
    let jitters: Vec<_> = cells.edges.iter().map(|_| 0.5 * random.normal()).collect();
    let lengths: Vec<_> = cells.edges.iter().map(|e| cells.node(e.from).distance(cells.node(e.to))).collect();
    let depth = |i: usize, unit_m: f64| {
        let most = (lengths[i] / STEP_M).log2().floor().clamp(0.0, 8.0);
        (0.75 * (lengths[i] / unit_m).log2() + jitters[i]).round().clamp(0.0, most) as u32
    };
    // Longer lines get more vertices; how many more is found by halving.
    let mean = |unit_m: f64| {
        let sides = |e: &Edge| e.seeds.iter().filter(|s| (**s as usize) < cells.count).count();
        let sum: usize = cells.edges.iter().enumerate().map(|(i, e)| sides(e) << depth(i, unit_m)).sum();
        sum as f64 / cells.count as f64
    };
    let (mut low, mut high) = (0.01_f64, 1_000.0_f64);
    for _ in 0..40 {
        let middle = (low * high).sqrt();
        if mean(middle) > vertices { low = middle } else { high = middle }
    }

    let line = |(i, edge): (usize, &Edge)| {
        let calm = if lengths[i] < 250.0 { 0.4 } else { 1.0 };
        let roughness = random.between(0.02, 0.16) * calm * lengths[i];
        let beside = edge.seeds.iter().any(|s| enclosing.get(*s as usize).copied().unwrap_or(false));
        let fill = if beside { FILL_BESIDE_ENCLAVE } else { FILL };
        wander(cells, *edge, depth(i, high), roughness, fill, &mut random)
    };
    cells.edges.iter().enumerate().map(line).collect()
}

/// One line of 2^depth steps.
fn wander(cells: &Cells, edge: Edge, depth: u32, roughness_m: f64, fill: f64, random: &mut Random) -> Vec<Point> {
    let (from, to) = (cells.node(edge.from), cells.node(edge.to));
    let along = from.to(to);
    let length = along.length();
    let aside = At::new(-along.y / length, along.x / length);
    let steps = 1_usize << depth;

    // Midpoints, displaced by less and less.
    let mut off = vec![0.0; steps + 1];
    let (mut stride, mut size) = (steps, roughness_m);
    while stride > 1 {
        let half = stride / 2;
        for i in (half..steps).step_by(stride) {
            off[i] = (off[i - half] + off[i + half]) / 2.0 + random.normal() * size;
        }
        size *= 0.56;
        stride = half;
    }

    // The height of the triangles over the edge at a part of its length, on the left of
    // the edge and on its right.
    let apex = edge.seeds.map(|s| {
        let seed = from.to(cells.seeds[s as usize]);
        (seed.dot(along) / (length * length), seed.dot(aside))
    });
    let room = |t: f64, left: bool| {
        apex.iter().find(|(_, height)| (*height > 0.0) == left).map_or(0.0, |(foot, height)| {
            let up = if *foot > 0.0 { t / foot } else { f64::INFINITY };
            let down = if *foot < 1.0 { (1.0 - t) / (1.0 - foot) } else { f64::INFINITY };
            height.abs() * up.min(down).min(1.0)
        })
    };

    let mut line = Vec::with_capacity(steps + 1);
    for (i, &off) in off.iter().enumerate() {
        let inner = i > 0 && i < steps;
        let nudge = if inner { random.between(-0.3, 0.3) } else { 0.0 };
        let t = (i as f64 + nudge) / steps as f64;
        let limit = fill * room(t, off > 0.0);
        let aside_m = if inner && limit > 0.0 { limit * (off / limit).tanh() } else { 0.0 };
        let point = lattice(from.plus(along, t).plus(aside, aside_m));
        if line.last() != Some(&point) {
            line.push(point);
        }
    }
    line
}
