//! Findings: what was wrong with polygons that came from outside, and where.
//!
//! Invariant: a finding stands on its own. It names its kind, its place, its size
//! and the areas concerned, so a report can be made from it without the input. It
//! must not know how it was found, nor in which words or file a report is written.

use std::fmt;

use crate::area::AreaId;
use crate::lattice::{Bounds, Point};
use crate::polygon::Ring;

/// What kind of defect a [`Finding`] is. The names are stable: reports carry them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FindingKind {
    /// Two areas have the same code.
    DuplicateCode,
    /// An area names a parent that does not exist, or that is not above it.
    MissingParent,
    /// A ring or polygon that encloses nothing, crosses or touches itself, or has a
    /// hole outside its shell.
    InvalidPolygon,
    /// Ground that two areas of one level claim.
    Overlap,
    /// Ground that no area claims although areas lie around it.
    Gap,
    /// A gap or overlap below the limits: it was given to a neighbour.
    Sliver,
    /// Vertices or lines that nearly met: they were brought together.
    NearMiss,
    /// A part of an area that is not connected with its largest part.
    DetachedPart,
    /// Ground of an area that its parent's own polygons leave out.
    OutsideParent,
    /// An area that came out without any ground.
    NoGround,
    /// More than this program takes on: a limit was passed.
    Limit,
}

impl FindingKind {
    /// All kinds, most serious first: the order in which a report lists them.
    pub const ALL: [Self; 11] = [
        Self::Limit,
        Self::DuplicateCode,
        Self::MissingParent,
        Self::InvalidPolygon,
        Self::Overlap,
        Self::OutsideParent,
        Self::NoGround,
        Self::Gap,
        Self::DetachedPart,
        Self::Sliver,
        Self::NearMiss,
    ];

    /// The stable name in `snake_case`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DuplicateCode => "duplicate_code",
            Self::MissingParent => "missing_parent",
            Self::InvalidPolygon => "invalid_polygon",
            Self::Overlap => "overlap",
            Self::Gap => "gap",
            Self::Sliver => "sliver",
            Self::NearMiss => "near_miss",
            Self::DetachedPart => "detached_part",
            Self::OutsideParent => "outside_parent",
            Self::NoGround => "no_ground",
            Self::Limit => "limit",
        }
    }
}

impl fmt::Display for FindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One defect, with its place, its size and the areas concerned.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// What it is.
    pub kind: FindingKind,
    /// Whether it forbids a coverage.
    pub blocking: bool,
    /// A place in or on it; `None` where it has none (a code given twice).
    pub place: Option<Point>,
    /// The box around it; empty where it has no place.
    pub bounds: Bounds,
    /// Its ground in square metres; 0 for what has none.
    pub area_m2: f64,
    /// How wide it is in metres: twice the area through the perimeter; for a near
    /// miss, the furthest that a vertex or line was moved.
    pub width_m: f64,
    /// The areas concerned. Where ground was given away, the receiver comes first.
    pub owners: Vec<AreaId>,
    /// Its rings, where it has ground; the lines of a near miss are not repeated here.
    pub outline: Vec<Ring>,
    /// What happened and what was done about it, for people.
    pub note: String,
}

impl Finding {
    /// A finding without place or size.
    #[must_use]
    pub fn new(kind: FindingKind, blocking: bool, owners: Vec<AreaId>, note: impl Into<String>) -> Self {
        let note = note.into();
        let (area_m2, width_m) = (0.0, 0.0);
        Self { kind, blocking, place: None, bounds: Bounds::EMPTY, area_m2, width_m, owners, outline: Vec::new(), note }
    }

    /// The same finding, at a place.
    #[must_use]
    pub fn at(mut self, place: Point) -> Self {
        self.place = Some(place);
        self.bounds = self.bounds.with(place);
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.note)?;
        if self.area_m2 > 0.0 {
            write!(f, ", {:.3} m²", self.area_m2)?;
        }
        if self.width_m > 0.0 {
            write!(f, ", {:.3} m wide", self.width_m)?;
        }
        match self.place {
            Some(p) => write!(f, " at {:.7} {:.7}", p.lon(), p.lat()),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_listed_once_under_a_name_of_its_own() {
        let mut names = FindingKind::ALL.map(FindingKind::name);
        names.sort_unstable();
        assert!(names.windows(2).all(|w| w[0] != w[1]));
        assert!(names.iter().all(|n| n.chars().all(|c| c == '_' || c.is_ascii_lowercase())));
    }

    #[test]
    fn a_finding_reads_as_a_line_with_size_and_place() {
        let finding = Finding { area_m2: 1.5, ..Finding::new(FindingKind::Gap, false, vec![], "nobody's ground") }
            .at(Point::new(10, -20));
        assert_eq!(finding.to_string(), "gap: nobody's ground, 1.500 m² at 0.0000010 -0.0000020");
    }
}
