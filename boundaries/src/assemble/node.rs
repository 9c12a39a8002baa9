//! Third step: edges that cross or touch are broken there, so that they meet in
//! vertices alone.
//!
//! A crossing is put on the lattice point nearest to it, which bends the edges by half
//! a unit (some 5 mm) at most; an edge that is bent is also led through every vertex
//! whose unit square it enters, so that it cannot slip past one (snap rounding). A
//! bent edge may meet others, so the step is repeated for what changed until nothing
//! does. Clean edges are compared exactly and stay as they are.

use crate::lattice::Point;
use crate::pairs::{Crowded, near_pairs};
use crate::segment::{along, cross, crossing, enters_pixel, holds};

use super::mesh::{Mesh, Rewiring};

/// Rounds after which edges that still meet anew are given up: two or three are usual.
const ROUNDS: usize = 64;

enum Meeting {
    /// The edge passes through the vertex.
    Through { edge: u32, vertex: u32 },
    /// The edge passes within half a unit of the vertex.
    Past { edge: u32, vertex: u32 },
    /// The edges cross.
    Cross { edges: [u32; 2] },
    /// A ring meets itself, or another of its polygon.
    Itself { ring: u32 },
}

/// Why edges were not broken everywhere, and where.
#[derive(Debug)]
pub(super) enum Unbroken {
    /// Bent edges met others anew, round after round.
    Endless(Point),
    /// They meet more often than any drawing does.
    Crowded(Point),
}

impl Unbroken {
    /// Where it was given up.
    pub(super) fn place(&self) -> Point {
        let (Self::Endless(place) | Self::Crowded(place)) = self;
        *place
    }
}

impl From<Crowded> for Unbroken {
    fn from(Crowded(place): Crowded) -> Self {
        Self::Crowded(place)
    }
}

/// Breaks the edges where they meet. Gives the rings that met themselves as they came.
pub(super) fn node(mesh: &mut Mesh) -> Result<Vec<u32>, Unbroken> {
    settle(mesh, None)
}

/// The same, where only edges that are `bent` may meet others yet (`None`: any may, and
/// none has been bent). After each round those are the ones that came out of it.
pub(super) fn settle(mesh: &mut Mesh, mut bent: Option<Vec<bool>>) -> Result<Vec<u32>, Unbroken> {
    let mut suspects = Vec::new();
    for _ in 0..ROUNDS {
        let meetings = find(mesh, bent.as_deref())?;
        if meetings.is_empty() {
            return Ok(suspects);
        }
        let mut breaks: Vec<(u32, u32)> = Vec::new();
        let mut past: Vec<(u32, u32)> = Vec::new();
        let mut crossings: Vec<(Point, [u32; 2])> = Vec::new();
        for meeting in meetings {
            match meeting {
                Meeting::Through { edge, vertex } => breaks.push((edge, vertex)),
                Meeting::Past { edge, vertex } => past.push((edge, vertex)),
                Meeting::Itself { ring } => suspects.push(ring),
                Meeting::Cross { edges } => {
                    let [e, f] = edges.map(|e| mesh.segment(e as usize));
                    crossings.push((crossing(e, f), edges));
                }
            }
        }
        crossings.sort_unstable();
        crossings.dedup();
        if bent.is_some() {
            // An edge that is led through a vertex may not cross the other any more, or do so
            // in that vertex: it is looked at again. Otherwise two lines that meet at a small
            // angle where one of them was bent before would meet once more beside it.
            breaks.sort_unstable();
            let is_led = |edge: &u32| breaks.binary_search_by_key(edge, |b| b.0).is_ok();
            crossings.retain(|(_, edges)| !edges.iter().any(is_led));
        }
        for (p, edges) in crossings {
            let vertex = mesh.vertex_at(p);
            breaks.extend(edges.map(|edge| (edge, vertex)));
        }
        breaks.extend(entering(mesh, &breaks)?);
        if breaks.is_empty() {
            return Ok(suspects);
        }
        breaks.sort_unstable();
        breaks.dedup();
        past.retain(|p| breaks.binary_search_by_key(&p.0, |b| b.0).is_ok());
        breaks.extend(past);
        breaks.sort_unstable();
        breaks.dedup();
        bent = Some(mesh.rewire(&walks(mesh, &breaks)));
    }
    let place = bent.and_then(|b| b.iter().position(|b| *b)).map_or_else(Point::default, |e| mesh.segment(e)[0]);
    Err(Unbroken::Endless(place))
}

/// All edges that enter the unit squares of the vertices just found. They are bent in the
/// same round: otherwise two that leave one vertex side by side can be bent in turns,
/// each time across the other, and creep along an edge unit by unit.
fn entering(mesh: &Mesh, breaks: &[(u32, u32)]) -> Result<Vec<(u32, u32)>, Crowded> {
    let mut vertices: Vec<u32> = breaks.iter().map(|b| b.1).collect();
    vertices.sort_unstable();
    vertices.dedup();
    let edges = mesh.edges.len();
    let mut segments = mesh.segments();
    segments.extend(vertices.iter().map(|v| [mesh.points[*v as usize]; 2]));
    near_pairs(&segments, [1, 1], &|i| i >= edges, &|i, j, out: &mut Vec<(u32, u32)>| {
        if i < edges && j >= edges {
            let vertex = vertices[j - edges];
            if !mesh.edges[i].contains(&vertex) && enters_pixel(segments[i], segments[j][0]) {
                out.push((i as u32, vertex));
            }
        }
    })
}

/// The walk that each broken edge becomes.
fn walks(mesh: &Mesh, breaks: &[(u32, u32)]) -> Rewiring {
    let mut rewiring = Rewiring::default();
    for group in breaks.chunk_by(|a, b| a.0 == b.0) {
        let e = group[0].0;
        let ([a, b], segment) = (mesh.edges[e as usize], mesh.segment(e as usize));
        let mut through: Vec<u32> = group.iter().map(|g| g.1).filter(|v| *v != a && *v != b).collect();
        through.sort_by_key(|&v| (along(segment, mesh.points[v as usize]), mesh.points[v as usize]));
        if !through.is_empty() {
            rewiring.replace(e, std::iter::once(a).chain(through).chain(std::iter::once(b)));
        }
    }
    rewiring
}

fn find(mesh: &Mesh, bent: Option<&[bool]>) -> Result<Vec<Meeting>, Crowded> {
    let segments = mesh.segments();
    let is_bent = |e: usize| bent.is_some_and(|b| b[e]);
    let active = |e: usize| bent.is_none_or(|b| b[e]);
    near_pairs(&segments, [1, 1], &active, &|i, j, out: &mut Vec<Meeting>| {
        let (ends_i, ends_j) = (mesh.edges[i], mesh.edges[j]);
        let mut meet = false;
        for (e, other) in [(i, ends_j), (j, ends_i)] {
            let own = mesh.edges[e];
            for v in other.into_iter().filter(|v| !own.contains(v)) {
                let p = mesh.points[v as usize];
                if !enters_pixel(segments[e], p) {
                    continue;
                }
                let (edge, vertex) = (e as u32, v);
                if is_bent(e) || v as usize >= mesh.given || holds(segments[e], p) {
                    out.push(Meeting::Through { edge, vertex });
                    meet = true;
                } else {
                    out.push(Meeting::Past { edge, vertex });
                }
            }
        }
        if !ends_i.iter().any(|v| ends_j.contains(v)) && cross(segments[i], segments[j]) {
            out.push(Meeting::Cross { edges: [i as u32, j as u32] });
            meet = true;
        }
        if meet && bent.is_none() {
            let both = mesh.toggles(i).iter().filter(|r| mesh.toggles(j).binary_search(r).is_ok());
            out.extend(both.map(|ring| Meeting::Itself { ring: *ring }));
        }
    })
}
