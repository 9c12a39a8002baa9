//! Geometries end to end: the vertices of a whole layer in one array.

use boundaries::{Bounds, Point, Polygon};

use crate::feature::Geometry;

/// Set in the end of a line or ring that begins a part: a line, or the shell of a polygon.
const BEGINS_PART: u32 = 1 << 31;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Form {
    Point,
    Lines,
    Polygons,
}

/// The geometries of many features.
#[derive(Clone, Debug, Default)]
pub(super) struct Shapes {
    points: Vec<Point>,
    /// Where each line or ring ends in `points`, [`BEGINS_PART`] aside.
    ends: Vec<u32>,
    /// Where the lines or rings of each feature end in `ends`.
    of_feature: Vec<u32>,
    forms: Vec<Form>,
}

/// A geometry in the pool of its layer.
#[derive(Clone, Copy, Debug)]
pub enum GeometryRef<'a> {
    /// A place.
    Point(Point),
    /// One line or several; each is a part.
    Lines(Parts<'a>),
    /// Ground: each shell begins a part, its holes follow it. Rings are as they were
    /// drawn: of any direction, closed by their first point whether repeated or not.
    Polygons(Parts<'a>),
}

/// The lines or rings of one geometry.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    points: &'a [Point],
    ends: &'a [u32],
    start: u32,
}

/// One line or ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part<'a> {
    /// Its vertices.
    pub points: &'a [Point],
    /// Whether it is a hole in the shell before it.
    pub is_hole: bool,
}

impl<'a> Parts<'a> {
    /// The lines or rings in order.
    pub fn iter(self) -> impl Iterator<Item = Part<'a>> {
        let mut start = self.start as usize;
        self.ends.iter().map(move |end| {
            let until = (end & !BEGINS_PART) as usize;
            let points = &self.points[start..until];
            start = until;
            Part { points, is_hole: end & BEGINS_PART == 0 }
        })
    }
}

impl GeometryRef<'_> {
    /// The box around it.
    #[must_use]
    pub fn bounds(self) -> Bounds {
        match self {
            Self::Point(p) => Bounds::EMPTY.with(p),
            Self::Lines(parts) | Self::Polygons(parts) => {
                Bounds::of(parts.iter().flat_map(|part| part.points.iter().copied()))
            }
        }
    }

    /// A copy that stands on its own.
    #[must_use]
    pub fn to_geometry(self) -> Geometry {
        match self {
            Self::Point(p) => Geometry::Point(p),
            Self::Lines(parts) => Geometry::Lines(parts.iter().map(|p| p.points.to_vec()).collect()),
            Self::Polygons(parts) => {
                let mut polygons: Vec<Polygon> = Vec::new();
                for part in parts.iter() {
                    match polygons.last_mut().filter(|_| part.is_hole) {
                        Some(polygon) => polygon.holes.push(part.points.to_vec()),
                        None => polygons.push(Polygon { shell: part.points.to_vec(), holes: Vec::new() }),
                    }
                }
                Geometry::Polygons(polygons)
            }
        }
    }
}

impl Shapes {
    pub(super) fn of(geometry: &Geometry) -> Self {
        let mut shapes = Self::default();
        shapes.push(geometry);
        shapes
    }

    fn end_run(&mut self, begins_part: bool) {
        // A layer of 2^31 vertices would take 16 GB; `Table::push` refuses before.
        self.ends.push(self.points.len() as u32 | if begins_part { BEGINS_PART } else { 0 });
    }

    fn run(&mut self, points: &[Point], begins_part: bool) {
        self.points.extend_from_slice(points);
        self.end_run(begins_part);
    }

    /// Whether so many more vertices would leave what the pool can number.
    pub(super) fn is_full(&self, more: usize) -> bool {
        self.points.len() + more >= BEGINS_PART as usize || self.ends.len() + more >= BEGINS_PART as usize
    }

    pub(super) fn push(&mut self, geometry: &Geometry) {
        let form = match geometry {
            Geometry::Point(p) => {
                self.run(&[*p], true);
                Form::Point
            }
            Geometry::Lines(lines) => {
                lines.iter().for_each(|line| self.run(line, true));
                Form::Lines
            }
            Geometry::Polygons(polygons) => {
                for polygon in polygons {
                    self.run(&polygon.shell, true);
                    polygon.holes.iter().for_each(|hole| self.run(hole, false));
                }
                Form::Polygons
            }
        };
        self.of_feature.push(self.ends.len() as u32);
        self.forms.push(form);
    }

    /// Takes over all of another pool, behind its own.
    pub(super) fn append(&mut self, other: &Self) {
        let (points, ends) = (self.points.len() as u32, self.ends.len() as u32);
        self.points.extend_from_slice(&other.points);
        self.ends.extend(other.ends.iter().map(|e| ((e & !BEGINS_PART) + points) | (e & BEGINS_PART)));
        self.of_feature.extend(other.of_feature.iter().map(|e| e + ends));
        self.forms.extend_from_slice(&other.forms);
    }

    /// The same geometries in another order.
    pub(super) fn arranged(&self, order: &[u32]) -> Self {
        let mut arranged = Self {
            points: Vec::with_capacity(self.points.len()),
            ends: Vec::with_capacity(self.ends.len()),
            of_feature: Vec::with_capacity(order.len()),
            forms: Vec::with_capacity(order.len()),
        };
        for (form, parts) in order.iter().filter_map(|ix| self.parts(*ix as usize)) {
            for (part, end) in parts.iter().zip(parts.ends) {
                arranged.run(part.points, end & BEGINS_PART != 0);
            }
            arranged.of_feature.push(arranged.ends.len() as u32);
            arranged.forms.push(form);
        }
        arranged
    }

    #[inline]
    fn parts(&self, ix: usize) -> Option<(Form, Parts<'_>)> {
        let form = *self.forms.get(ix)?;
        let before = |i: usize, ends: &[u32]| i.checked_sub(1).map_or(0, |i| ends[i] & !BEGINS_PART);
        let (from, until) = (before(ix, &self.of_feature) as usize, self.of_feature[ix] as usize);
        let parts = Parts { points: &self.points, ends: &self.ends[from..until], start: before(from, &self.ends) };
        Some((form, parts))
    }

    #[inline]
    pub(super) fn get(&self, ix: usize) -> Option<GeometryRef<'_>> {
        let (form, parts) = self.parts(ix)?;
        Some(match form {
            Form::Point => GeometryRef::Point(parts.points[parts.start as usize]),
            Form::Lines => GeometryRef::Lines(parts),
            Form::Polygons => GeometryRef::Polygons(parts),
        })
    }

    pub(super) fn shrink(&mut self) {
        self.points.shrink_to_fit();
        self.ends.shrink_to_fit();
        self.of_feature.shrink_to_fit();
        self.forms.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(at: i32) -> Vec<Point> {
        [(0, 0), (9, 0), (9, 9)].map(|(x, y)| Point::new(at + x, at + y)).to_vec()
    }

    #[test]
    fn what_goes_into_the_pool_comes_out_of_it_as_it_was() {
        let all = [
            Geometry::Point(Point::new(1, 2)),
            Geometry::Lines(vec![ring(5), ring(6)]),
            Geometry::Polygons(vec![
                Polygon { shell: ring(0), holes: vec![ring(1), ring(2)] },
                Polygon { shell: ring(50), holes: vec![] },
            ]),
            Geometry::Polygons(vec![]),
            Geometry::Point(Point::new(3, 4)),
        ];
        let mut pool = Shapes::default();
        all.iter().for_each(|g| pool.push(g));
        let mut twice = pool.clone();
        twice.append(&pool);
        for (i, g) in all.iter().enumerate() {
            assert_eq!(&pool.get(i).unwrap().to_geometry(), g);
            assert_eq!(&twice.get(i + all.len()).unwrap().to_geometry(), g);
            assert_eq!(pool.get(i).unwrap().bounds(), g.bounds());
        }
        assert!(pool.get(5).is_none());
        let arranged = pool.arranged(&[4, 2, 0, 3, 1]);
        for (at, i) in [4, 2, 0, 3, 1].into_iter().enumerate() {
            assert_eq!(&arranged.get(at).unwrap().to_geometry(), &all[i]);
        }
    }
}
