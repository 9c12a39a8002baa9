//! Cells gathered into communities, those into streets, those into districts.
//!
//! A region is split by growing from a few middles at once along shared edges, so its
//! parts hang together as far as it does itself.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::Random;
use super::land::At;

/// What the growing looks at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ground<'a> {
    pub(super) seeds: &'a [At],
    pub(super) neighbours: &'a [Vec<u32>],
}

impl Ground<'_> {
    /// Splits `members` into at most `parts` compact parts, none of them empty.
    pub(super) fn split(&self, members: &[u32], parts: usize, random: &mut Random) -> Vec<Vec<u32>> {
        let parts = parts.clamp(1, members.len().max(1));
        let at = |cell: u32| self.seeds[cell as usize];
        // Middles: drawn, then moved into the middle of whoever is nearest, a few times.
        let mut middles: Vec<At> = (0..parts).map(|_| at(random.pick(members))).collect();
        for _ in 0..6 {
            let mut sums = vec![(At::new(0.0, 0.0), 0.0); parts];
            for &cell in members {
                let sum = &mut sums[nearest(&middles, at(cell))];
                *sum = (sum.0.plus(at(cell), 1.0), sum.1 + 1.0);
            }
            for (middle, (sum, n)) in middles.iter_mut().zip(sums) {
                *middle = if n > 0.0 { At::new(sum.x / n, sum.y / n) } else { at(random.pick(members)) };
            }
        }
        self.grow(members, &middles, &vec![1.0; parts])
    }

    /// Gives each member to the middle from which it is reached first on a way through
    /// members, each middle at its own pace; one that can't be reached, to the nearest
    /// middle.
    pub(super) fn grow(&self, members: &[u32], middles: &[At], paces: &[f64]) -> Vec<Vec<u32>> {
        const STRANGER: u32 = u32::MAX;
        const NOBODY: u32 = u32::MAX - 1;
        let at = |cell: u32| self.seeds[cell as usize];
        let mut part = vec![STRANGER; self.neighbours.len()];
        for &cell in members {
            part[cell as usize] = NOBODY;
        }
        let mut queue = BinaryHeap::new();
        for (i, &middle) in middles.iter().enumerate() {
            let start = members.iter().min_by(|a, b| at(**a).distance(middle).total_cmp(&at(**b).distance(middle)));
            queue.extend(start.map(|cell| Reverse((0_u64, i as u32, *cell))));
        }
        while let Some(Reverse((way_cm, by, cell))) = queue.pop() {
            if part[cell as usize] != NOBODY {
                continue;
            }
            part[cell as usize] = by;
            for &next in &self.neighbours[cell as usize] {
                if part[next as usize] == NOBODY {
                    // Rough going here and there, so that borders don't run straight.
                    let rough = 0.5 + Random::new(u64::from(next)).unit();
                    let step_cm = at(cell).distance(at(next)) * rough * 100.0 / paces[by as usize];
                    queue.push(Reverse((way_cm + step_cm as u64, by, next)));
                }
            }
        }
        let mut parts = vec![Vec::new(); middles.len()];
        for &cell in members {
            let by = match part[cell as usize] {
                NOBODY => nearest(middles, at(cell)),
                by => by as usize,
            };
            parts[by].push(cell);
        }
        parts.retain(|p| !p.is_empty());
        parts
    }
}

fn nearest(middles: &[At], at: At) -> usize {
    (0..middles.len()).min_by(|a, b| middles[*a].distance(at).total_cmp(&middles[*b].distance(at))).unwrap_or(0)
}

/// The middle of some cells.
pub(super) fn middle(seeds: &[At], cells: &[u32]) -> At {
    let sum = cells.iter().fold(At::new(0.0, 0.0), |sum, c| sum.plus(seeds[*c as usize], 1.0));
    At::new(sum.x / cells.len() as f64, sum.y / cells.len() as f64)
}

/// The order in which things at these places are numbered: in rows from north to
/// south, in a row from west to east.
pub(super) fn reading_order(places: &[At]) -> Vec<usize> {
    let mut order: Vec<_> = (0..places.len()).collect();
    order.sort_by(|a, b| places[*b].y.total_cmp(&places[*a].y));
    let row = (places.len() as f64).sqrt().ceil() as usize;
    for row in order.chunks_mut(row.max(1)) {
        row.sort_by(|a, b| places[*a].x.total_cmp(&places[*b].x));
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_are_numbered_west_to_east_and_north_to_south() {
        let grid: Vec<_> = [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(x, y)| At::new(f64::from(x), f64::from(y))).to_vec();
        assert_eq!(reading_order(&grid), [2, 3, 0, 1]);
    }

    #[test]
    fn parts_hold_every_member_once() {
        let seeds: Vec<_> = (0..100).map(|i| At::new(f64::from(i % 10), f64::from(i / 10))).collect();
        let neighbours: Vec<Vec<u32>> =
            (0..100_u32).map(|i| (0..100).filter(|j| i.abs_diff(*j) == 10).collect()).collect();
        let ground = Ground { seeds: &seeds, neighbours: &neighbours };
        let members: Vec<u32> = (0..100).filter(|i| i % 7 != 0).collect();
        let parts = ground.split(&members, 5, &mut Random::new(1));
        let mut all: Vec<_> = parts.concat();
        all.sort_unstable();
        assert_eq!(all, members);
    }
}
