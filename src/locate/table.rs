//! Rows with a place in, the same rows with the owner's columns out: CSV, and JSON
//! lines of any members.
//!
//! The added columns are those of the first coverage of the question: `code`, one for
//! each level, `on_border`, `border_distance_m`, `nearest_code`, `nearest_distance_m`
//! (these two outside only), and `problem` for a row that is no place.

use std::borrow::Cow;
use std::io::{self, BufRead, Read, Write};

use boundaries::{Level, Point};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::batch::Question;
use super::scan::{Asked, Refused, number};
use crate::json::{push_metres, push_text};

/// The longest line of JSON that is read.
const LINE_BYTES: u64 = 1 << 20;

/// Why a table can't be read on, or written.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The input is no table.
    #[error("{0}")]
    NotRead(String),
    /// Reading or writing failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// How many rows there were, and how many of them are no place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// All.
    pub rows: u64,
    /// Those whose column `problem` says why.
    pub refused: u64,
}

/// What is added to a row, in the order of the columns; `None` is an empty cell.
struct Cells(Vec<Option<Cell>>);

enum Cell {
    Text(String),
    Bool(bool),
    Metres(f64),
}

/// The names of the added columns.
fn columns(question: &Question) -> Vec<String> {
    let levels = question.sheets().first().map_or(&[][..], |s| s.view.levels());
    let last = ["on_border", "border_distance_m", "nearest_code", "nearest_distance_m", "problem"];
    std::iter::once("code").chain(levels.iter().map(|l| &**l)).chain(last).map(str::to_owned).collect()
}

impl Cells {
    fn of(question: &Question, place: Result<Point, Refused>) -> Self {
        let Some(sheet) = question.sheets().first() else { return Self(Vec::new()) };
        let (view, coverage) = (&sheet.view, &sheet.view.coverage);
        let levels = view.levels().len();
        let text = |area| coverage.area(area).map(|a| Cell::Text(a.code.to_string()));
        let mut cells: Vec<Option<Cell>> = Vec::with_capacity(levels + 6);
        let p = match place {
            Ok(p) => p,
            Err(refused) => {
                cells.resize_with(levels + 5, || None);
                cells.push(Some(Cell::Text(refused.to_string())));
                return Self(cells);
            }
        };
        let place = view.locator.place(coverage, p);
        cells.push(place.owner.and_then(text));
        for level in 0..levels {
            cells.push(place.owner.and_then(|o| coverage.ancestor_at(o, Level(level as u8))).and_then(text));
        }
        cells.push(Some(Cell::Bool(place.on_border)));
        cells.push(place.border_distance_m.map(Cell::Metres));
        let nearest = if place.owner.is_none() { view.locator.nearest_area(coverage, p) } else { None };
        cells.push(nearest.and_then(|n| text(n.area)));
        cells.push(nearest.map(|n| Cell::Metres(n.distance_m)));
        cells.push(None);
        Self(cells)
    }

    fn is_refused(&self) -> bool {
        self.0.last().is_some_and(Option::is_some)
    }
}

/// Reads CSV with a header that names `lon` and `lat` (or `x` and `y`; `crs` may be
/// there, too) and writes the same rows with the added columns.
///
/// # Errors
///
/// Where the header lacks them, a row is no CSV, or reading or writing fails.
pub fn add_to_csv(question: &Question, input: impl Read, output: impl Write) -> Result<Rows, TableError> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(input);
    let mut writer = csv::Writer::from_writer(output);
    let broken = |e: csv::Error| match e.into_kind() {
        csv::ErrorKind::Io(e) => TableError::Io(e),
        kind => TableError::NotRead(format!("the CSV can not be read: {kind:?}")),
    };
    let mut row = csv::ByteRecord::new();
    let mut counted = Rows::default();
    if !reader.read_byte_record(&mut row).map_err(broken)? {
        return Ok(counted);
    }
    let header: Vec<String> = row.iter().map(|c| clean(&String::from_utf8_lossy(c))).collect();
    let place_of = |names: [&str; 2]| header.iter().position(|h| names.iter().any(|n| h.eq_ignore_ascii_case(n)));
    let (Some(lon), Some(lat)) = (place_of(["lon", "x"]), place_of(["lat", "y"])) else {
        let detail = format!("the first row must name the columns, lon and lat among them; it is {}", header.join(","));
        return Err(TableError::NotRead(detail));
    };
    let crs = place_of(["crs", "crs"]);
    for name in columns(question) {
        let taken = header.contains(&name);
        row.push_field(if taken { format!("{name}_2") } else { name }.as_bytes());
    }
    writer.write_byte_record(&row).map_err(broken)?;
    while reader.read_byte_record(&mut row).map_err(broken)? {
        let cells = Cells::of(question, place_in(&row, question, lon, lat, crs));
        counted.rows += 1;
        counted.refused += u64::from(cells.is_refused());
        for cell in cells.0 {
            match cell {
                None => row.push_field(b""),
                Some(Cell::Text(text)) => row.push_field(text.as_bytes()),
                Some(Cell::Bool(b)) => row.push_field(if b { b"true" } else { b"false" }),
                Some(Cell::Metres(metres)) => {
                    let mut text = Vec::new();
                    push_metres(&mut text, metres);
                    row.push_field(&text);
                }
            }
        }
        writer.write_byte_record(&row).map_err(broken)?;
    }
    writer.flush()?;
    Ok(counted)
}

/// A name of the header without blanks and the mark that some programs begin files with.
fn clean(name: &str) -> String {
    name.trim_start_matches('\u{feff}').trim().to_owned()
}

fn place_in(
    row: &csv::ByteRecord,
    question: &Question,
    lon: usize,
    lat: usize,
    crs: Option<usize>,
) -> Result<Point, Refused> {
    let number = |at: usize, name: &str| {
        let text = std::str::from_utf8(row.get(at).unwrap_or_default()).unwrap_or_default().trim();
        text.parse::<f64>().map_err(|_| Refused::NotRead(format!("{name} is {text:?}, which is no number")))
    };
    let crs = crs.and_then(|at| row.get(at)).map(String::from_utf8_lossy).filter(|c| !c.trim().is_empty());
    Asked { lon: number(lon, "lon")?, lat: number(lat, "lat")?, crs, id: None }.point(question.crs())
}

/// What is read of a row of JSON; the other members pass through.
#[derive(Deserialize)]
struct Row<'a> {
    #[serde(borrow, alias = "x")]
    lon: &'a RawValue,
    #[serde(borrow, alias = "y")]
    lat: &'a RawValue,
    #[serde(borrow)]
    crs: Option<Cow<'a, str>>,
}

/// Reads JSON lines and writes the same objects with the added members.
///
/// # Errors
///
/// Where a line is over the limit, or reading or writing fails.
pub fn add_to_lines(question: &Question, input: impl BufRead, mut output: impl Write) -> Result<Rows, TableError> {
    let names: Vec<Vec<u8>> = columns(question)
        .iter()
        .map(|name| {
            let mut text = Vec::new();
            push_text(&mut text, name);
            text
        })
        .collect();
    let mut counted = Rows::default();
    let mut input = input;
    let mut line = String::new();
    loop {
        line.clear();
        if (&mut input).take(LINE_BYTES).read_line(&mut line)? == 0 {
            return Ok(output.flush().map(|()| counted)?);
        }
        if line.len() as u64 == LINE_BYTES {
            let detail = format!("line {} has more than {LINE_BYTES} bytes", counted.rows + 1);
            return Err(TableError::NotRead(detail));
        }
        let text = line.trim();
        if text.is_empty() {
            continue;
        }
        let row: Result<Row<'_>, _> = serde_json::from_str(text);
        let is_object = row.is_ok() || serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text).is_ok();
        let place = row.map_err(|e| Refused::NotRead(e.to_string())).and_then(|row| {
            let (lon, lat) = (number("lon", row.lon)?, number("lat", row.lat)?);
            Asked { lon, lat, crs: row.crs, id: None }.point(question.crs())
        });
        let cells = Cells::of(question, place);
        counted.rows += 1;
        counted.refused += u64::from(cells.is_refused());
        let mut out = match text.strip_suffix('}').filter(|_| is_object) {
            Some(open) => open.trim_end().as_bytes().to_vec(),
            None => b"{".to_vec(),
        };
        for (name, cell) in names.iter().zip(&cells.0) {
            let is_problem = name == b"\"problem\"";
            if is_problem && cell.is_none() {
                continue;
            }
            if out.last() != Some(&b'{') {
                out.push(b',');
            }
            out.extend_from_slice(name);
            out.push(b':');
            match cell {
                None => out.extend_from_slice(b"null"),
                Some(Cell::Text(text)) => push_text(&mut out, text),
                Some(Cell::Bool(b)) => out.extend_from_slice(if *b { b"true" } else { b"false" }),
                Some(Cell::Metres(metres)) => push_metres(&mut out, *metres),
            }
        }
        out.extend_from_slice(b"}\n");
        output.write_all(&out)?;
    }
}
