//! Fifth step: which rings each face lies in, by flooding from the outside, where
//! there are none, over every edge and what it toggles.

use super::graph::{Graph, OUTSIDE};
use super::mesh::Mesh;

/// Entries of all labels together: polygons piled up deeper than this are refused.
const MOST: usize = 1 << 27;

/// The rings around every face, ascending.
#[derive(Debug)]
pub(super) struct Labels {
    ranges: Vec<(u32, u32)>,
    rings: Vec<u32>,
}

impl Labels {
    /// Floods the faces; `None` where the rings are piled up too deep.
    pub(super) fn flood(mesh: &Mesh, graph: &Graph) -> Option<Self> {
        const DRY: (u32, u32) = (u32::MAX, 0);
        let mut labels = Self { ranges: vec![DRY; graph.faces()], rings: Vec::with_capacity(graph.faces() * 2) };
        labels.ranges[OUTSIDE as usize] = (0, 0);
        let mut wet = vec![OUTSIDE];
        while let Some(face) = wet.pop() {
            for h in graph.around(face) {
                let beyond = graph.face[h as usize ^ 1];
                if labels.ranges[beyond as usize] != DRY {
                    continue;
                }
                let begin = labels.rings.len();
                let (from, to) = labels.ranges[face as usize];
                let toggles = mesh.toggles(h as usize / 2);
                if begin + (to - from) as usize + toggles.len() > MOST {
                    return None;
                }
                let (mut i, mut j) = (from as usize, 0);
                while i < to as usize || j < toggles.len() {
                    let own = if i < to as usize { labels.rings[i] } else { u32::MAX };
                    let toggled = toggles.get(j).copied().unwrap_or(u32::MAX);
                    if own != toggled {
                        labels.rings.push(own.min(toggled));
                    }
                    i += usize::from(own <= toggled);
                    j += usize::from(toggled <= own);
                }
                labels.ranges[beyond as usize] = (begin as u32, labels.rings.len() as u32);
                wet.push(beyond);
            }
        }
        Some(labels)
    }

    /// The rings around a face.
    #[inline]
    pub(super) fn of(&self, face: u32) -> &[u32] {
        let (from, to) = self.ranges[face as usize];
        self.rings.get(from as usize..to as usize).unwrap_or_default()
    }
}
