//! The attributes of a Shapefile: dBASE III, with the few types that GIS programs write.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use encoding_rs::Encoding;

use crate::exchange::encoding::{self, Guess};
use crate::exchange::error::Cause;
use crate::feature::{Properties, Value};

/// What a column holds.
struct Column {
    name: Arc<str>,
    kind: u8,
    from: usize,
    to: usize,
    decimals: u8,
}

/// The rows of a `.dbf`, in order.
pub(super) struct Table<R> {
    input: R,
    columns: Vec<Column>,
    encoding: &'static Encoding,
    row: Vec<u8>,
    rows_left: u32,
}

struct Header {
    rows: u32,
    bytes: u16,
    row_bytes: u16,
    language: u8,
    /// Name, kind, width and decimals.
    columns: Vec<(Vec<u8>, u8, u8, u8)>,
}

impl Table<BufReader<File>> {
    /// Opens a table; `stated` is what the `.cpg` says.
    pub(super) fn open(path: &Path, stated: Option<&'static Encoding>) -> Result<Self, Cause> {
        let mut input = BufReader::with_capacity(1 << 18, File::open(path)?);
        let header = header(&mut input)?;
        let encoding = match stated.or_else(|| of_language(header.language)) {
            Some(encoding) => encoding,
            None => guess(&mut input, &header)?,
        };
        input.seek(SeekFrom::Start(u64::from(header.bytes)))?;
        let mut from = 1;
        let mut columns = Vec::with_capacity(header.columns.len());
        for (name, kind, width, decimals) in &header.columns {
            let to = from + usize::from(*width);
            let name = encoding::decode_cut(name, encoding).unwrap_or_else(|| String::from_utf8_lossy(name));
            columns.push(Column { name: name.trim().into(), kind: *kind, from, to, decimals: *decimals });
            from = to;
        }
        if from > usize::from(header.row_bytes) {
            return Err(Cause::Syntax("the columns of the .dbf are wider than its rows".into()));
        }
        let row = vec![0; usize::from(header.row_bytes)];
        Ok(Self { input, columns, encoding, row, rows_left: header.rows })
    }
}

impl<R: Read> Table<R> {
    /// The next row (deleted ones are `Some(None)`), or `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Option<Properties>>, Cause> {
        if self.rows_left == 0 {
            return Ok(None);
        }
        self.rows_left -= 1;
        self.input.read_exact(&mut self.row).map_err(|_| Cause::CutOff("the .dbf ends before its last row".into()))?;
        if self.row[0] == b'*' {
            return Ok(Some(None));
        }
        let value = |column: &Column| Ok((Arc::clone(&column.name), self.value(column)?));
        self.columns.iter().map(value).collect::<Result<Properties, Cause>>().map(|row| Some(Some(row)))
    }

    fn value(&self, column: &Column) -> Result<Value, Cause> {
        let field = &self.row[column.from..column.to];
        let trimmed = field.trim_ascii();
        Ok(match column.kind {
            b'N' | b'F' => number(trimmed, column.decimals),
            b'L' => match trimmed {
                b"T" | b"t" | b"Y" | b"y" => Value::Bool(true),
                b"F" | b"f" | b"N" | b"n" => Value::Bool(false),
                _ => Value::Null,
            },
            b'D' => match std::str::from_utf8(trimmed) {
                Ok(day) if day.len() == 8 && day.is_ascii() => {
                    Value::Text(format!("{}-{}-{}", &day[..4], &day[4..6], &day[6..]).into())
                }
                _ => Value::Null,
            },
            b'I' | b'+' => field.first_chunk().map_or(Value::Null, |b| Value::Integer(i32::from_le_bytes(*b).into())),
            b'O' => field.first_chunk().map_or(Value::Null, |b| real(f64::from_le_bytes(*b))),
            // Memos, pictures and other things that are kept elsewhere.
            b'M' | b'B' | b'G' | b'P' => Value::Null,
            _ => self.text(column, field)?,
        })
    }

    fn text(&self, column: &Column, field: &[u8]) -> Result<Value, Cause> {
        let end = field.iter().rposition(|b| !matches!(b, b' ' | 0)).map_or(0, |last| last + 1);
        if end == 0 {
            return Ok(Value::Null);
        }
        let text = encoding::decode_cut(&field[..end], self.encoding).ok_or_else(|| {
            Cause::Syntax(format!(
                "column {} is not {}: put a .cpg with the name of its encoding beside it",
                column.name,
                self.encoding.name()
            ))
        })?;
        Ok(Value::Text(text.trim_start().into()))
    }
}

fn number(field: &[u8], decimals: u8) -> Value {
    let Ok(text) = std::str::from_utf8(field) else { return Value::Null };
    // Stars are written where a number did not fit.
    if text.is_empty() || text.starts_with('*') {
        return Value::Null;
    }
    match (decimals, text.parse::<i64>()) {
        (0, Ok(whole)) => Value::Integer(whole),
        _ => text.parse().map_or(Value::Null, real),
    }
}

fn real(x: f64) -> Value {
    if x.is_finite() { Value::Real(x) } else { Value::Null }
}

fn header(input: &mut impl Read) -> Result<Header, Cause> {
    let cut_off = |_| Cause::CutOff("the .dbf ends in its header".into());
    let mut fixed = [0; 32];
    input.read_exact(&mut fixed).map_err(cut_off)?;
    let bytes = u16::from_le_bytes([fixed[8], fixed[9]]);
    let row_bytes = u16::from_le_bytes([fixed[10], fixed[11]]);
    if bytes < 33 || row_bytes == 0 {
        return Err(Cause::Syntax("the .dbf is no dBASE table".into()));
    }
    let mut described = vec![0; usize::from(bytes) - 32];
    input.read_exact(&mut described).map_err(cut_off)?;
    let fields = described.chunks_exact(32).take_while(|field| field[0] != 0x0d);
    let columns = fields
        .map(|field| {
            let name = field[..11].split(|b| *b == 0).next().unwrap_or_default().to_vec();
            (name, field[11], field[16], field[17])
        })
        .collect();
    Ok(Header {
        rows: u32::from_le_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]),
        bytes,
        row_bytes,
        language: fixed[29],
        columns,
    })
}

/// The encodings that the language byte proves. The bytes for "ANSI" and for the DOS and
/// Windows pages of the West are what programs in China write too, whatever the text is.
fn of_language(byte: u8) -> Option<&'static Encoding> {
    match byte {
        0x4d | 0x7a => Some(encoding_rs::GB18030),
        0x4f | 0x78 => Some(encoding_rs::BIG5),
        0x13 | 0x7b => Some(encoding_rs::SHIFT_JIS),
        0x4e | 0x79 => Some(encoding_rs::EUC_KR),
        _ => None,
    }
}

/// Looks at every text of the table once.
fn guess(input: &mut (impl Read + Seek), header: &Header) -> Result<&'static Encoding, Cause> {
    let mut guess = Guess::default();
    header.columns.iter().for_each(|(name, ..)| guess.see(name, true));
    input.seek(SeekFrom::Start(u64::from(header.bytes)))?;
    let mut row = vec![0; usize::from(header.row_bytes)];
    for _ in 0..header.rows {
        if input.read_exact(&mut row).is_err() {
            break;
        }
        let mut from = 1;
        for (_, kind, width, _) in &header.columns {
            let to = (from + usize::from(*width)).min(row.len());
            if *kind == b'C' {
                guess.see(row[from.min(to)..to].trim_ascii_end(), true);
            }
            from = to;
        }
    }
    Ok(guess.conclude())
}
