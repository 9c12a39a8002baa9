//! The shapes of a `.shp`, one after another.

use std::io::{self, Read};

use super::rings;
use crate::crs::Position;
use crate::exchange::error::Cause;
use crate::exchange::raw::RawGeometry;

const HEADER_BYTES: u64 = 100;
/// No shape is larger: 64 million vertices.
const LIMIT_SHAPE_BYTES: u32 = 1 << 30;

/// The shapes of a file, in order.
pub(super) struct Shapes<R> {
    input: R,
    offset: u64,
    content: Vec<u8>,
}

impl<R: Read> Shapes<R> {
    pub(super) fn open(mut input: R) -> Result<Self, Cause> {
        let mut header = [0; HEADER_BYTES as usize];
        input.read_exact(&mut header).map_err(|e| cut_off(e, 0))?;
        // The kind of all shapes; each says its own again, and may be null.
        let kind = u32::from_le_bytes([header[32], header[33], header[34], header[35]]);
        match kind {
            0 | 1 | 3 | 5 | 8 | 11 | 13 | 15 | 18 | 21 | 23 | 25 | 28 => {}
            31 => return Err(Cause::Unsupported("it holds multipatches (3-D bodies), which are not read".into())),
            other => return Err(Cause::Syntax(format!("its shapes are of type {other}, which does not exist"))),
        }
        Ok(Self { input, offset: HEADER_BYTES, content: Vec::new() })
    }

    /// Where the next shape starts.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// The next shape (null and empty ones are `Some(None)`), or `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Option<RawGeometry>>, Cause> {
        let mut header = [0; 8];
        let filled = crate::exchange::bytes::read_up_to(&mut self.input, &mut header)?;
        if filled == 0 {
            return Ok(None);
        }
        if filled < header.len() {
            return Err(Cause::CutOff(format!("the .shp ends at byte {}", self.offset + filled as u64)));
        }
        let words = u32::from_be_bytes([header[4], header[5], header[6], header[7]]);
        let bytes = words.checked_mul(2).filter(|n| *n <= LIMIT_SHAPE_BYTES);
        let bytes = bytes.ok_or(Cause::Limit { what: "a single shape", limit: "1 GiB".into() })?;
        // `take` and `read_to_end` grow with what is there, not with what is stated.
        self.content.clear();
        let read = (&mut self.input).take(u64::from(bytes)).read_to_end(&mut self.content)?;
        if read < bytes as usize {
            return Err(Cause::CutOff(format!("the .shp ends at byte {}", self.offset + 8 + read as u64)));
        }
        self.offset += 8 + u64::from(bytes);
        shape(&self.content).map(Some)
    }
}

fn cut_off(error: io::Error, at: u64) -> Cause {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Cause::CutOff(format!("the .shp ends near byte {at}")),
        _ => Cause::Io(error),
    }
}

fn shape(content: &[u8]) -> Result<Option<RawGeometry>, Cause> {
    let kind = u32_at(content, 0)?;
    let geometry = match kind {
        0 => return Ok(None),
        1 | 11 | 21 => RawGeometry::Points(vec![position_at(content, 4)?]),
        8 | 18 | 28 => {
            let count = u32_at(content, 36)? as usize;
            RawGeometry::Points(positions(content, 40, count)?)
        }
        3 | 13 | 23 => RawGeometry::Lines(parts(content)?),
        5 | 15 | 25 => RawGeometry::Polygons(rings::into_polygons(parts(content)?)),
        other => return Err(Cause::Syntax(format!("a shape of type {other}, which is not read"))),
    };
    Ok((!geometry.is_empty()).then_some(geometry))
}

/// The parts of a polyline or polygon: type, box, counts, starts of the parts, points.
fn parts(content: &[u8]) -> Result<Vec<Vec<Position>>, Cause> {
    let count_parts = u32_at(content, 36)? as usize;
    let count_points = u32_at(content, 40)? as usize;
    let stated = count_parts.saturating_mul(4).saturating_add(count_points.saturating_mul(16));
    if stated > content.len() - 44 {
        return Err(Cause::Syntax(format!(
            "a shape states {count_parts} parts and {count_points} points, more than its {} bytes hold",
            content.len()
        )));
    }
    let points = positions(content, 44 + 4 * count_parts, count_points)?;
    let starts = (0..count_parts).map(|i| u32_at(content, 44 + 4 * i).map(|s| s as usize));
    let starts = starts.collect::<Result<Vec<_>, _>>()?;
    let ends = starts.iter().skip(1).copied().chain([count_points]);
    let part = |(&start, end): (&usize, usize)| {
        points
            .get(start..end)
            .map(<[Position]>::to_vec)
            .ok_or_else(|| Cause::Syntax("the parts of a shape overlap".into()))
    };
    let parts = starts.iter().zip(ends).map(part).collect::<Result<Vec<_>, _>>()?;
    Ok(parts.into_iter().filter(|part| !part.is_empty()).collect())
}

fn positions(content: &[u8], from: usize, count: usize) -> Result<Vec<Position>, Cause> {
    if count > content.len().saturating_sub(from) / 16 {
        return Err(Cause::Syntax(format!(
            "a shape states {count} points, more than its {} bytes hold",
            content.len()
        )));
    }
    (0..count).map(|i| position_at(content, from + 16 * i)).collect()
}

fn position_at(content: &[u8], at: usize) -> Result<Position, Cause> {
    let number = |at: usize| content.get(at..).and_then(<[u8]>::first_chunk).map(|b| f64::from_le_bytes(*b));
    match (number(at), number(at + 8)) {
        (Some(x), Some(y)) => Ok([x, y]),
        _ => Err(too_short()),
    }
}

fn u32_at(content: &[u8], at: usize) -> Result<u32, Cause> {
    content.get(at..).and_then(<[u8]>::first_chunk).map(|b| u32::from_le_bytes(*b)).ok_or_else(too_short)
}

fn too_short() -> Cause {
    Cause::Syntax("a shape is shorter than its kind needs".into())
}
