//! Well-known text of geometries: what CSV files carry in a column.
//!
//! Reading takes any case, Z, M and ZM (dropped), EMPTY, and the `SRID=n;` in front that
//! PostGIS writes.

use super::raw::{RawGeometry, RawPolygon};
use crate::crs::Position;

/// Reads one geometry; `None` where it is empty.
///
/// # Errors
/// What was expected and at which character.
pub(super) fn read(text: &str) -> Result<Option<RawGeometry>, String> {
    let mut cursor = Cursor { text, at: 0 };
    if cursor.word().eq_ignore_ascii_case("SRID") {
        cursor.at = text.find(';').map_or(text.len(), |i| i + 1);
    } else {
        cursor.at = 0;
    }
    let kind = cursor.word().to_ascii_uppercase();
    // Z and M may be glued to the kind or stand behind it.
    let kind = kind.trim_end_matches("ZM").trim_end_matches('Z').trim_end_matches('M');
    let before = cursor.at;
    let mut next = cursor.word();
    if ["Z", "M", "ZM"].iter().any(|dimension| next.eq_ignore_ascii_case(dimension)) {
        next = cursor.word();
    } else {
        cursor.at = before;
        next = cursor.word();
    }
    if next.eq_ignore_ascii_case("EMPTY") {
        return Ok(None);
    }
    let geometry = match kind {
        "POINT" => RawGeometry::Points(cursor.list(Cursor::position)?),
        "MULTIPOINT" => RawGeometry::Points(cursor.list(|c| {
            if !c.eat('(') {
                return c.position();
            }
            let p = c.position()?;
            c.expect(')').map(|()| p)
        })?),
        "LINESTRING" => RawGeometry::Lines(vec![cursor.list(Cursor::position)?]),
        "MULTILINESTRING" => RawGeometry::Lines(cursor.list(|c| c.list(Cursor::position))?),
        "POLYGON" => RawGeometry::Polygons(vec![cursor.polygon()?]),
        "MULTIPOLYGON" => RawGeometry::Polygons(cursor.list(Cursor::polygon)?),
        other => return Err(format!("{:?} is no geometry that is read", other.chars().take(30).collect::<String>())),
    };
    cursor.skip_blank();
    if cursor.at < text.len() { Err(cursor.expected("the end")) } else { Ok(Some(geometry)) }
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn skip_blank(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }

    fn word(&mut self) -> &'a str {
        self.skip_blank();
        let rest = &self.text[self.at..];
        let word = &rest[..rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len())];
        self.at += word.len();
        word
    }

    fn eat(&mut self, c: char) -> bool {
        self.skip_blank();
        let found = self.text[self.at..].starts_with(c);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, c: char) -> Result<(), String> {
        if self.eat(c) { Ok(()) } else { Err(self.expected(&format!("{c:?}"))) }
    }

    fn expected(&self, what: &str) -> String {
        format!("it is no WKT: {what} was expected at character {}", self.at + 1)
    }

    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Result<T, String>) -> Result<Vec<T>, String> {
        self.expect('(')?;
        let mut all = Vec::new();
        loop {
            all.push(item(self)?);
            if !self.eat(',') {
                return self.expect(')').map(|()| all);
            }
        }
    }

    fn polygon(&mut self) -> Result<RawPolygon, String> {
        self.list(|c| c.list(Self::position))
    }

    fn position(&mut self) -> Result<Position, String> {
        let p = [self.number()?, self.number()?];
        for _ in 0..2 {
            self.skip_blank();
            if self.text[self.at..].starts_with([',', ')']) {
                break;
            }
            self.number()?;
        }
        Ok(p)
    }

    fn number(&mut self) -> Result<f64, String> {
        self.skip_blank();
        let rest = &self.text[self.at..];
        let end = rest.find(|c: char| c.is_whitespace() || "(),".contains(c)).unwrap_or(rest.len());
        let number = rest[..end].parse().map_err(|_| self.expected("a number"))?;
        self.at += end;
        Ok(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_read_in_the_spellings_that_programs_write() {
        let square = vec![vec![[0.0, 0.0], [1.0, 0.0], [1.0, 1.5], [0.0, 0.0]]];
        for (text, expected) in [
            ("POINT(120.5 36)", Some(RawGeometry::Points(vec![[120.5, 36.0]]))),
            ("SRID=4326;point z (120.5 36 7)", Some(RawGeometry::Points(vec![[120.5, 36.0]]))),
            ("PointZM(1.205e2 36 7 8)", Some(RawGeometry::Points(vec![[120.5, 36.0]]))),
            ("MULTIPOINT ((1 2), (3 4))", Some(RawGeometry::Points(vec![[1.0, 2.0], [3.0, 4.0]]))),
            ("MULTIPOINT (1 2, 3 4)", Some(RawGeometry::Points(vec![[1.0, 2.0], [3.0, 4.0]]))),
            ("LINESTRING (1 2, 3 4)", Some(RawGeometry::Lines(vec![vec![[1.0, 2.0], [3.0, 4.0]]]))),
            ("POLYGON ((0 0,1 0,1 1.5,0 0))", Some(RawGeometry::Polygons(vec![square.clone()]))),
            ("MULTIPOLYGON M (((0 0 9,1 0 9,1 1.5 9,0 0 9)))", Some(RawGeometry::Polygons(vec![square]))),
            ("POLYGON EMPTY", None),
            ("POLYGON Z EMPTY", None),
        ] {
            assert_eq!(read(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_wkt_is_refused_and_never_panics() {
        for text in [
            "",
            "POINT",
            "POINT(",
            "POINT(1)",
            "POINT(1 2",
            "POINT(1 2) x",
            "POINT(a b)",
            "CIRCLE(1 2)",
            "点(1 2)",
            "SRID=1",
            "POLYGON((1 2 3 4 5 6))",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
