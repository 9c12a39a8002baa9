use std::collections::{BTreeMap, BTreeSet};

use super::*;

/// A number below `n` from a seed.
fn dice(state: &mut u64, n: u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) % n
}

/// Points strewn over some kilometres, in heaps, and some in one place.
fn strewn(seed: u64, count: u32) -> Vec<Site> {
    let mut state = seed;
    let (x, y) = match seed % 4 {
        // At the seam of the map, and where four tiles of every zoom meet.
        0 => (i32::MAX - 3_000_000, 0),
        1 => (-1_000_000, -1_000_000),
        _ => (1_434_000_000, -466_000_000),
    };
    let mut at = (x, y);
    let sites = (0..count).map(|i| {
        match dice(&mut state, 6) {
            0 => at = (x + dice(&mut state, 3_000_000) as i32, y + dice(&mut state, 3_000_000) as i32),
            1 => {}
            _ => {
                at = (
                    at.0.saturating_add(dice(&mut state, 4_001) as i32 - 2_000),
                    at.1 + dice(&mut state, 4_001) as i32 - 2_000,
                )
            }
        }
        Site { at: World { x: at.0, y: at.1 }, number: i * 7 + 1 }
    });
    sites.collect()
}

/// All clusters of a zoom.
fn all(clusters: &Clusters, z: u8) -> &[Cluster] {
    &clusters.zooms[usize::from(z)].clusters
}

/// Nothing clever: everybody is held against everybody, and members are kept by name.
fn naive(sites: &[Site]) -> Vec<BTreeMap<u32, (World, BTreeSet<u32>)>> {
    let at: BTreeMap<u32, World> = sites.iter().map(|s| (s.number, s.at)).collect();
    let mut nodes: Vec<(u32, World, BTreeSet<u32>)> =
        sites.iter().map(|s| (s.number, s.at, [s.number].into())).collect();
    let mut zooms = Vec::new();
    for z in (0..=DEEPEST_CLUSTERS).rev() {
        let radius = i128::from(RADIUS) << (20 - z);
        nodes.sort_by_key(|(first, _, members)| (usize::MAX - members.len(), mixed(*first), *first));
        let mut next: Vec<(u32, World, BTreeSet<u32>)> = Vec::new();
        while !nodes.is_empty() {
            let (first, place, mut members) = nodes.remove(0);
            let is_near = |other: World| {
                let (dx, dy) = (i128::from(other.x) - i128::from(place.x), i128::from(other.y) - i128::from(place.y));
                dx * dx + dy * dy <= radius * radius
            };
            let (near, far): (Vec<_>, Vec<_>) = nodes.into_iter().partition(|(_, other, _)| is_near(*other));
            nodes = far;
            members.extend(near.into_iter().flat_map(|(.., members)| members));
            let count = members.len() as i128;
            let mean = |of: fn(World) -> i32| {
                let sum: i128 = members.iter().map(|m| i128::from(of(at[m]))).sum();
                (2 * sum + count).div_euclid(2 * count) as i32
            };
            let place = World { x: mean(|w| w.x), y: mean(|w| w.y) };
            next.push((first, place, members));
        }
        nodes = next;
        zooms.push(nodes.iter().map(|(first, place, members)| (*first, (*place, members.clone()))).collect());
    }
    zooms.reverse();
    zooms
}

#[test]
fn clusters_are_those_of_the_naive_reading_whatever_the_order_of_the_points() {
    let seeds = if std::env::var_os("GRIDATLAS_PROOF").is_some() { 400 } else { 24 };
    for seed in 0..seeds {
        let mut sites = strewn(seed, 20 + (seed as u32 * 37) % 400);
        let wanted = naive(&sites);
        for _ in 0..2 {
            let clusters = Clusters::build(&sites, &[vec![1.0; sites.len()]]);
            for (z, wanted) in (0..).zip(&wanted) {
                let found: BTreeMap<u32, (World, usize)> =
                    all(&clusters, z).iter().map(|c| (c.first, (c.at, c.count as usize))).collect();
                let wanted: BTreeMap<u32, (World, usize)> =
                    wanted.iter().map(|(first, (at, members))| (*first, (*at, members.len()))).collect();
                assert_eq!(found, wanted, "seed {seed}, zoom {z}");
                assert!(all(&clusters, z).iter().all(|c| sites[c.site as usize].number == c.first), "seed {seed}");
            }
            sites.reverse();
        }
    }
}

#[test]
fn what_is_together_at_a_zoom_is_together_at_all_lower_ones() {
    for seed in 0..40 {
        // Each point's weight is a bit of its own, so a sum says who is in a cluster.
        let sites = strewn(seed, 50);
        let bits: Vec<f64> = (0..50).map(|i| f64::from(i).exp2()).collect();
        let clusters = Clusters::build(&sites, &[bits]);
        let members = |z: u8| -> Vec<(Cluster, u64)> {
            let zoom = &clusters.zooms[usize::from(z)];
            zoom.clusters.iter().copied().zip(zoom.sums.iter().map(|s| *s as u64)).collect()
        };
        let mut ids: BTreeMap<u64, u64> = BTreeMap::new();
        for z in 0..=DEEPEST_CLUSTERS {
            let here = members(z);
            let everybody = here.iter().fold(0, |all, (_, m)| {
                assert_eq!(all & m, 0, "seed {seed}, zoom {z}: a point is in two clusters");
                all | m
            });
            assert_eq!(everybody, (1 << 50) - 1, "seed {seed}, zoom {z}: a point is in none");
            for (cluster, m) in &here {
                assert_eq!(m.count_ones(), cluster.count, "seed {seed}, zoom {z}");
                assert_eq!(*ids.entry(cluster.id()).or_insert(*m), *m, "seed {seed}: one id, one set of points");
                let expands = cluster.expansion_zoom();
                assert_eq!(expands.is_none(), cluster.count == 1);
                // Up to the zoom before the one at which it is several, it is one.
                for deeper in z + 1..=DEEPEST_CLUSTERS {
                    let parts = members(deeper)
                        .iter()
                        .filter(|(_, part)| part & m != 0)
                        .inspect(|(_, part)| {
                            assert_eq!(part & !m, 0, "seed {seed}: from zoom {deeper} to {z} a cluster was split");
                        })
                        .count();
                    assert_eq!(parts > 1, expands.is_some_and(|e| deeper >= e), "seed {seed}, zoom {z} to {deeper}");
                }
            }
        }
    }
}

#[test]
fn the_cores_of_all_tiles_hold_each_cluster_once_and_buffers_hold_the_same() {
    for seed in 0..12 {
        let sites = strewn(seed, 300);
        let clusters = Clusters::build(&sites, &[vec![2.0; 300]]);
        for z in [0, 1, 9, 12, 15] {
            let grid = Grid::of(z).unwrap();
            let mut tiles: BTreeSet<TileCoord> = BTreeSet::new();
            for c in all(&clusters, z) {
                let p = grid.round(c.at);
                for (dx, dy) in [(-100, -100), (100, -100), (-100, 100), (100, 100), (0, 0)] {
                    let last = (1i64 << z) - 1;
                    let column = |v: i32, d: i64| (i64::from(v) + d).div_euclid(4096).clamp(0, last) as u32;
                    tiles.insert(TileCoord::new(z, column(p.x, dx), column(p.y, dy)).unwrap());
                }
            }
            let (mut cores, mut total) = (BTreeMap::<u64, u32>::new(), 0.0);
            for tile in &tiles {
                for (cluster, p, sums) in clusters.in_tile(*tile) {
                    let whole =
                        (i64::from(p.x) + i64::from(tile.x()) * 4096, i64::from(p.y) + i64::from(tile.y()) * 4096);
                    let wanted = grid.round(cluster.at);
                    assert_eq!(whole, (i64::from(wanted.x), i64::from(wanted.y)), "seed {seed}, {tile}");
                    if (0..4096).contains(&p.x) && (0..4096).contains(&p.y) {
                        *cores.entry(cluster.id()).or_default() += 1;
                        total += sums[0];
                    }
                }
            }
            assert_eq!(cores.len(), all(&clusters, z).len(), "seed {seed}, zoom {z}");
            assert!(cores.values().all(|n| *n == 1), "seed {seed}, zoom {z}");
            assert_eq!(total, 600.0, "seed {seed}, zoom {z}: sums add up");
        }
    }
}

#[test]
fn a_change_of_a_few_points_leaves_most_clusters_as_they_are() {
    let sites = strewn(2, 20_000);
    let before = Clusters::build(&sites, &[]);
    let mut changed = sites.clone();
    changed.swap_remove(777);
    changed.push(Site { at: sites[5].at, number: 999_999 });
    let after = Clusters::build(&changed, &[]);
    for z in [12, 14, 15] {
        let set = |of: &Clusters| all(of, z).iter().map(|c| (c.id(), c.at.x, c.at.y)).collect::<BTreeSet<_>>();
        let (old, new) = (set(&before), set(&after));
        let others = old.symmetric_difference(&new).count();
        assert!(others <= 40, "zoom {z}: {others} of {} are others", old.len());
    }
}

#[test]
fn points_at_the_ends_of_the_number_line_are_gathered_without_overflow() {
    let corners = [i32::MIN, i32::MAX].into_iter().flat_map(|x| [i32::MIN, i32::MAX].map(|y| World { x, y }));
    let sites: Vec<Site> = (0..).zip(corners).map(|(number, at)| Site { at, number }).collect();
    let clusters = Clusters::build(&sites, &[]);
    assert_eq!(all(&clusters, 0).len(), 4);
    assert_eq!(Clusters::build(&[], &[]).in_tile(TileCoord::new(0, 0, 0).unwrap()).count(), 0);
}
