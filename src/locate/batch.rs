//! From places to answers, block by block.

use std::sync::Arc;

use boundaries::{FaceId, Point};
use serde_json::value::RawValue;

use super::building;
use super::scan::{Asked, Refused};
use super::sheet::{Sheet, Sheets};
use crate::crs::Crs;
use crate::json::{push_degrees, push_metres, push_text};
use crate::snapshot::{CoverageView, Layer, Snapshot};

/// How much is answered about a place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// The code of the owner alone.
    Owner,
    /// The chain, who touches the place, and the distances.
    #[default]
    Full,
}

/// What is asked about every place of a batch.
#[derive(Clone, Debug)]
pub struct Question {
    sheets: Vec<Arc<Sheet>>,
    buildings: Option<Arc<Layer>>,
    /// `"revision":7`.
    revision: Vec<u8>,
    crs: Crs,
    detail: Detail,
}

impl Question {
    /// Asks some coverages of a snapshot. `crs` holds for places that don't say one.
    #[must_use]
    pub fn new<'a>(
        sheets: &Sheets,
        snapshot: &Snapshot,
        coverages: impl IntoIterator<Item = &'a Arc<CoverageView>>,
        crs: Crs,
        detail: Detail,
    ) -> Self {
        let buildings = snapshot.layer(building::LAYER).filter(|l| !l.is_empty() && detail == Detail::Full).cloned();
        Self {
            sheets: coverages.into_iter().map(|view| sheets.of(view)).collect(),
            buildings,
            revision: format!("\"revision\":{}", snapshot.revision).into_bytes(),
            crs,
            detail,
        }
    }

    /// The coverages that are asked, in their order.
    #[must_use]
    pub fn sheets(&self) -> &[Arc<Sheet>] {
        &self.sheets
    }

    /// The CRS of places that don't say one.
    #[must_use]
    pub fn crs(&self) -> Crs {
        self.crs
    }
}

/// The answer about one place.
#[must_use]
pub fn locate_one(question: &Question, p: Point) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    let owners: Vec<_> = question.sheets.iter().map(|s| s.view.locator.face_at(p)).collect();
    push_answer(&mut out, question, None, p, |i| owners[i]);
    out
}

/// Answers a block of JSON lines, line by line; empty lines are passed over. A line
/// that is no place is answered by `{"problem":{...}}` in its stead. `first_line` is
/// the number of the block's first line. Returns how many were answered.
pub fn locate_lines(question: &Question, block: &[u8], first_line: u64, out: &mut Vec<u8>) -> usize {
    let mut batch = Batch::default();
    // Checked at once where it can be: most blocks are whole text.
    let text = std::str::from_utf8(block).ok();
    let mut at = 0;
    let mut number = first_line;
    while at < block.len() {
        let end = memchr_newline(&block[at..]).map_or(block.len(), |n| at + n);
        let line = &block[at..end];
        if !line.iter().all(u8::is_ascii_whitespace) {
            // A line begins and ends at ASCII, so it is text where the block is.
            let line = match text {
                Some(text) => text.get(at..end),
                None => std::str::from_utf8(line).ok(),
            };
            batch.take(question, number, line);
        }
        number += 1;
        at = end + 1;
    }
    batch.answer(question, out, b"", b"\n");
    batch.items.len()
}

/// Answers the items of an array.
///
/// # Errors
///
/// The first item that is no place, by its index.
pub fn locate_items(question: &Question, items: &[&RawValue], out: &mut Vec<u8>) -> Result<(), (usize, Refused)> {
    let mut batch = Batch::default();
    for (i, item) in items.iter().enumerate() {
        batch.take(question, i as u64, Some(item.get()));
        if let Some(Item { refused: Some(refused), .. }) = batch.items.last_mut() {
            return Err((i, refused.clone()));
        }
    }
    out.push(b'[');
    batch.answer(question, out, b",", b"");
    out.push(b']');
    Ok(())
}

/// Where the line ends.
#[inline]
fn memchr_newline(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|b| *b == b'\n')
}

struct Item<'a> {
    id: Option<&'a str>,
    line: u64,
    refused: Option<Refused>,
}

/// Places that are located together, so that their reads of memory overlap.
#[derive(Default)]
struct Batch<'a> {
    items: Vec<Item<'a>>,
    points: Vec<Point>,
}

impl<'a> Batch<'a> {
    fn take(&mut self, question: &Question, line: u64, text: Option<&'a str>) {
        let asked = text.ok_or_else(|| Refused::NotRead("the line is not UTF-8".to_owned())).and_then(Asked::read);
        let (id, point) = match asked {
            Ok(asked) => (asked.id, asked.point(question.crs)),
            Err(refused) => (None, Err(refused)),
        };
        // One that is refused keeps its place, so that the answers stay in order.
        self.points.push(*point.as_ref().unwrap_or(&Point::default()));
        self.items.push(Item { id, line, refused: point.err() });
    }

    fn answer(&self, question: &Question, out: &mut Vec<u8>, between: &[u8], after: &[u8]) {
        let count = self.points.len();
        let mut faces = vec![FaceId::OUTSIDE; count * question.sheets.len()];
        for (sheet, faces) in question.sheets.iter().zip(faces.chunks_mut(count.max(1))) {
            sheet.view.locator.face_at_many(&self.points, faces);
        }
        let length = if question.detail == Detail::Owner { 128 } else { 640 };
        out.reserve(count * length);
        for (i, (item, p)) in self.items.iter().zip(&self.points).enumerate() {
            if i > 0 {
                out.extend_from_slice(between);
            }
            match &item.refused {
                None => push_answer(out, question, item.id, *p, |sheet| faces[sheet * count + i]),
                Some(refused) => push_refusal(out, item, refused),
            }
            out.extend_from_slice(after);
        }
    }
}

fn push_refusal(out: &mut Vec<u8>, item: &Item<'_>, refused: &Refused) {
    out.push(b'{');
    push_id(out, item.id);
    out.extend_from_slice(b"\"problem\":{\"code\":\"");
    out.extend_from_slice(refused.code().as_bytes());
    out.extend_from_slice(b"\",\"line\":");
    out.extend_from_slice(itoa::Buffer::new().format(item.line).as_bytes());
    out.extend_from_slice(b",\"detail\":");
    push_text(out, &refused.to_string());
    out.extend_from_slice(b"}}");
}

fn push_id(out: &mut Vec<u8>, id: Option<&str>) {
    if let Some(id) = id {
        out.extend_from_slice(b"\"id\":");
        out.extend_from_slice(id.as_bytes());
        out.push(b',');
    }
}

impl Refused {
    /// The stable name of the kind of refusal: the same as in the service's problems.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotRead(_) => "bad_body",
            Self::UnknownCrs(_) => "unknown_crs",
            Self::NoPlace(_) => "bad_position",
        }
    }
}

fn push_answer(out: &mut Vec<u8>, question: &Question, id: Option<&str>, p: Point, face: impl Fn(usize) -> FaceId) {
    out.push(b'{');
    push_id(out, id);
    if question.detail == Detail::Full {
        out.extend_from_slice(&question.revision);
        out.push(b',');
    }
    out.extend_from_slice(b"\"point\":[");
    push_degrees(out, p.x);
    out.push(b',');
    push_degrees(out, p.y);
    out.push(b']');
    if question.detail == Detail::Owner {
        // The first coverage's owner also stands on top, for those who ask but one.
        let code = |i: usize| question.sheets[i].owner(face(i)).map_or(&b"null"[..], |o| question.sheets[i].code(o));
        out.extend_from_slice(b",\"code\":");
        out.extend_from_slice(if question.sheets.is_empty() { b"null" } else { code(0) });
        out.extend_from_slice(b",\"owners\":[");
        for (i, sheet) in question.sheets.iter().enumerate() {
            out.extend_from_slice(if i > 0 { b",{" } else { b"{" });
            out.extend_from_slice(sheet.coverage());
            out.extend_from_slice(b",\"code\":");
            out.extend_from_slice(code(i));
            out.push(b'}');
        }
        out.extend_from_slice(b"]}");
        return;
    }
    out.extend_from_slice(b",\"owners\":[");
    for (i, sheet) in question.sheets.iter().enumerate() {
        out.extend_from_slice(if i > 0 { b",{" } else { b"{" });
        push_place(out, sheet, p);
        out.push(b'}');
    }
    out.push(b']');
    if let Some(layer) = &question.buildings
        && let Some(ix) = building::at(layer, p)
    {
        out.extend_from_slice(b",\"building\":");
        building::push(out, layer, ix);
    }
    out.push(b'}');
}

fn push_place(out: &mut Vec<u8>, sheet: &Sheet, p: Point) {
    let view = &sheet.view;
    let place = view.locator.place(&view.coverage, p);
    out.extend_from_slice(sheet.coverage());
    out.push(b',');
    match place.owner {
        Some(owner) => out.extend_from_slice(sheet.members(owner)),
        None => out.extend_from_slice(b"\"code\":null,\"level\":null,\"name\":null,\"chain\":[]"),
    }
    out.extend_from_slice(if place.on_border { b",\"on_border\":true" } else { b",\"on_border\":false" });
    out.extend_from_slice(b",\"border_distance_m\":");
    push_metres(out, place.border_distance_m.unwrap_or(f64::NAN));
    out.extend_from_slice(b",\"touching\":[");
    for (i, area) in place.touching.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        out.extend_from_slice(sheet.code(*area));
    }
    out.push(b']');
    if place.owner.is_none() {
        out.extend_from_slice(b",\"nearest\":");
        match view.locator.nearest_area(&view.coverage, p) {
            Some(nearest) => {
                out.extend_from_slice(b"{\"code\":");
                out.extend_from_slice(sheet.code(nearest.area));
                out.extend_from_slice(b",\"name\":");
                push_text(out, view.coverage.area(nearest.area).map_or("", |a| &a.name));
                out.extend_from_slice(b",\"distance_m\":");
                push_metres(out, nearest.distance_m);
                out.push(b'}');
            }
            None => out.extend_from_slice(b"null"),
        }
    }
}
