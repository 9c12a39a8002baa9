//! A real city at every zoom is a valid coverage.

use std::time::Instant;

use boundaries::simplify::{Weights, weight_of_units};
use boundaries::{Area, BorderRecord, Coverage, FaceId, FaceRecord, Settings, assemble};

use super::kaohsiung;

/// The coverage whose borders are those of another at a weight.
fn simplified(c: &Coverage, weights: &Weights, least: f32) -> Coverage {
    let areas = c.areas().map(|(id, a)| (id, Area::clone(a)));
    let faces = c.faces().filter(|f| f.0 != FaceId::OUTSIDE).map(|(id, f)| FaceRecord { id, owner: f.owner });
    let borders = c.borders().map(|(id, b)| BorderRecord {
        id,
        left: b.left,
        right: b.right,
        line: weights.line_at(c, id, least).collect(),
    });
    Coverage::build(c.levels().into(), areas, faces, borders).unwrap()
}

#[test]
fn the_borders_of_a_real_city_never_cross_at_any_zoom() {
    let Some((names, areas, claims)) = kaohsiung() else { return };
    let c = assemble(names, areas, claims, &Settings::default()).coverage.unwrap();
    let begin = Instant::now();
    let weights = Weights::build(&c);
    println!("weighed in {:?}", begin.elapsed());
    let vertices = |c: &Coverage| c.borders().map(|(_, b)| b.line.len()).sum::<usize>();
    let mut finer = vertices(&c);
    for z in (6..16).rev() {
        let coarse = simplified(&c, &weights, weight_of_units(z, 4096, 64.0));
        assert_eq!(coarse.sanity_check(), Ok(()), "zoom {z}");
        println!("zoom {z}: {} vertices", vertices(&coarse));
        assert!(vertices(&coarse) <= finer);
        finer = vertices(&coarse);
    }
    assert!(finer < vertices(&c) / 3);
}
