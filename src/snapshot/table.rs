//! The rows of a layer in columns: ids, geometries and attributes without a heap
//! object a feature. A table is filled once and then only read.

use std::sync::Arc;

use boundaries::{Bounds, Point};
use rayon::prelude::*;

use crate::feature::{Feature, Geometry, Properties, Value};

use super::shapes::{GeometryRef, Shapes};
use super::strings::{Interner, StringIndex, Strings, Sym};

/// What all values of a field are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Text.
    Text,
    /// Whole numbers.
    Integer,
    /// Numbers.
    Real,
    /// True or false.
    Bool,
}

impl Kind {
    /// The kind of one value; `None` for null.
    #[must_use]
    pub fn of(value: &Value) -> Option<Self> {
        Some(match value {
            Value::Null => return None,
            Value::Bool(_) => Self::Bool,
            Value::Integer(_) => Self::Integer,
            Value::Real(_) => Self::Real,
            Value::Text(_) => Self::Text,
        })
    }

    /// The narrowest kind that holds the values of both.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        match (self, other) {
            (a, b) if a == b => a,
            (Self::Integer, Self::Real) | (Self::Real, Self::Integer) => Self::Real,
            _ => Self::Text,
        }
    }
}

/// One attribute of a layer.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Field {
    /// As in the file that it came from.
    pub name: Arc<str>,
    /// What its values are.
    pub kind: Kind,
}

/// A value in the pool of its layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ValueRef<'a> {
    /// Absent.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A finite number.
    Real(f64),
    /// Text, and the symbol it has in this layer: two values of equal symbol are equal.
    Text(Sym, &'a str),
}

impl<'a> ValueRef<'a> {
    /// A copy that stands on its own.
    #[must_use]
    pub fn to_value(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(b) => Value::Bool(b),
            Self::Integer(i) => Value::Integer(i),
            Self::Real(r) => Value::Real(r),
            Self::Text(_, text) => Value::Text(text.into()),
        }
    }

    /// The text, if it is one.
    #[must_use]
    pub fn text(self) -> Option<&'a str> {
        if let Self::Text(_, text) = self { Some(text) } else { None }
    }

    /// The number, if it is whole.
    #[must_use]
    pub fn integer(self) -> Option<i64> {
        if let Self::Integer(i) = self { Some(i) } else { None }
    }
}

/// A value on its way into a table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    /// Absent.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A finite number.
    Real(f64),
    /// Text.
    Text(&'a str),
}

impl<'a> From<&'a Value> for Cell<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(b) => Self::Bool(*b),
            Value::Integer(i) => Self::Integer(*i),
            Value::Real(r) => Self::Real(*r),
            Value::Text(text) => Self::Text(text),
        }
    }
}

/// The value as `kind` can hold it; `None` where it can't.
#[must_use]
pub(crate) fn fitted(value: &Value, kind: Kind) -> Option<Value> {
    Some(match (value, kind) {
        (Value::Integer(i), Kind::Real) => Value::Real(*i as f64),
        (Value::Integer(i), Kind::Text) => Value::Text(i.to_string().into()),
        (Value::Real(r), Kind::Text) => Value::Text(r.to_string().into()),
        (Value::Bool(b), Kind::Text) => Value::Text(b.to_string().into()),
        (value, kind) if Kind::of(value).is_none_or(|k| k == kind) => value.clone(),
        _ => return None,
    })
}

/// The values of one field. What is absent has a stand-in that no value can be.
#[derive(Clone, Debug)]
enum Column {
    Text(Vec<u32>),
    Integer(Vec<i64>, Vec<u64>),
    Real(Vec<f64>),
    Bool(Vec<u8>),
}

/// The symbol of no text.
const NO_TEXT: u32 = u32::MAX;

impl Column {
    fn new(kind: Kind, nulls: usize) -> Self {
        match kind {
            Kind::Text => Self::Text(vec![NO_TEXT; nulls]),
            Kind::Integer => Self::Integer(vec![0; nulls], vec![0; nulls.div_ceil(64)]),
            Kind::Real => Self::Real(vec![f64::NAN; nulls]),
            Kind::Bool => Self::Bool(vec![2; nulls]),
        }
    }

    /// Pushes a value of this column's kind.
    fn push(&mut self, value: Cell<'_>, pool: &mut Interner) {
        match self {
            Self::Text(all) => {
                all.push(if let Cell::Text(t) = value { pool.intern(t).0 } else { NO_TEXT });
            }
            Self::Integer(all, known) => {
                if all.len().is_multiple_of(64) {
                    known.push(0);
                }
                if let Cell::Integer(i) = value {
                    known[all.len() / 64] |= 1 << (all.len() % 64);
                    all.push(i);
                } else {
                    all.push(0);
                }
            }
            Self::Real(all) => all.push(if let Cell::Real(r) = value { r } else { f64::NAN }),
            Self::Bool(all) => all.push(if let Cell::Bool(b) = value { u8::from(b) } else { 2 }),
        }
    }

    #[inline]
    fn get<'a>(&self, ix: usize, pool: &'a Strings) -> ValueRef<'a> {
        match self {
            Self::Text(all) => match all.get(ix) {
                Some(&sym) if sym != NO_TEXT => {
                    pool.get(sym as usize).map_or(ValueRef::Null, |t| ValueRef::Text(Sym(sym), t))
                }
                _ => ValueRef::Null,
            },
            Self::Integer(all, known) => match all.get(ix) {
                Some(i) if known[ix / 64] >> (ix % 64) & 1 == 1 => ValueRef::Integer(*i),
                _ => ValueRef::Null,
            },
            Self::Real(all) => all.get(ix).filter(|r| !r.is_nan()).map_or(ValueRef::Null, |r| ValueRef::Real(*r)),
            Self::Bool(all) => all.get(ix).filter(|b| **b < 2).map_or(ValueRef::Null, |b| ValueRef::Bool(*b == 1)),
        }
    }

    /// The same values in another order; `texts` gives each text its new symbol.
    fn arranged(&self, order: &[u32], texts: &[u32]) -> Self {
        fn each<T: Copy>(all: &[T], order: &[u32]) -> Vec<T> {
            order.iter().map(|ix| all[*ix as usize]).collect()
        }
        match self {
            Self::Text(all) => {
                let renamed = |sym: u32| texts.get(sym as usize).copied().unwrap_or(NO_TEXT);
                Self::Text(order.iter().map(|ix| renamed(all[*ix as usize])).collect())
            }
            Self::Integer(all, known) => {
                let mut bits = vec![0; order.len().div_ceil(64)];
                for (at, ix) in order.iter().map(|ix| *ix as usize).enumerate() {
                    bits[at / 64] |= (known[ix / 64] >> (ix % 64) & 1) << (at % 64);
                }
                Self::Integer(each(all, order), bits)
            }
            Self::Real(all) => Self::Real(each(all, order)),
            Self::Bool(all) => Self::Bool(each(all, order)),
        }
    }

    fn shrink(&mut self) {
        match self {
            Self::Text(all) => all.shrink_to_fit(),
            Self::Integer(all, _) => all.shrink_to_fit(),
            Self::Real(all) => all.shrink_to_fit(),
            Self::Bool(all) => all.shrink_to_fit(),
        }
    }
}

/// Rows of a layer: what a store fills and a [`Layer`](super::Layer) reads.
#[derive(Clone, Debug, Default)]
pub struct Table {
    pub(super) fields: Vec<Field>,
    columns: Vec<Column>,
    pool: Interner,
    pub(super) numbers: Vec<u32>,
    pub(super) ids: Strings,
    pub(super) shapes: Shapes,
}

impl Table {
    /// A table without rows.
    #[must_use]
    pub fn new(fields: Vec<Field>) -> Self {
        let columns = fields.iter().map(|f| Column::new(f.kind, 0)).collect();
        Self { fields, columns, ..Self::default() }
    }

    /// The fields that hold all properties of some features, in the order in which
    /// these first name them.
    #[must_use]
    pub fn fields_of<'a>(all: impl IntoIterator<Item = &'a Properties>) -> Vec<Field> {
        let mut fields: Vec<(Arc<str>, Option<Kind>)> = Vec::new();
        for properties in all {
            for (at, (name, value)) in properties.iter().enumerate() {
                let kind = Kind::of(value);
                // Features of one file name their fields in one order, as a rule.
                let place = match fields.get(at) {
                    Some((known, _)) if known == name => Some(at),
                    _ => fields.iter().position(|(known, _)| known == name),
                };
                match place {
                    Some(i) => {
                        let known = &mut fields[i].1;
                        *known = known.map_or(kind, |k| Some(kind.map_or(k, |other| k.with(other))));
                    }
                    None => fields.push((name.clone(), kind)),
                }
            }
        }
        fields.into_iter().map(|(name, kind)| Field { name, kind: kind.unwrap_or(Kind::Text) }).collect()
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// Adds a row. `number` is the integer that stands for it in tiles. Properties
    /// that are no field of the table, or no value that their field can hold, are
    /// left out: who makes the fields answers for that.
    ///
    /// Returns `false`, and adds nothing, once the table holds 2³¹ vertices.
    pub fn push(&mut self, number: u32, feature: &Feature) -> bool {
        let mut values = vec![Value::Null; self.fields.len()];
        for (at, (name, value)) in feature.properties.iter().enumerate() {
            let place = match self.fields.get(at) {
                Some(field) if field.name == *name => Some(at),
                _ => self.fields.iter().position(|f| f.name == *name),
            };
            if let Some(i) = place {
                values[i] = fitted(value, self.fields[i].kind).unwrap_or(Value::Null);
            }
        }
        self.push_row(number, &feature.id, &feature.geometry, values.iter().map(Cell::from))
    }

    /// Adds a row of values that are in the order of the fields and of their kinds;
    /// those that are not given are absent.
    pub fn push_row<'v>(
        &mut self,
        number: u32,
        id: &str,
        geometry: &Geometry,
        values: impl IntoIterator<Item = Cell<'v>>,
    ) -> bool {
        if self.shapes.is_full(geometry.vertices()) {
            return false;
        }
        self.numbers.push(number);
        self.ids.push(id);
        self.shapes.push(geometry);
        let values = values.into_iter().chain(std::iter::repeat(Cell::Null));
        for (column, value) in self.columns.iter_mut().zip(values) {
            column.push(value, &mut self.pool);
        }
        true
    }

    /// Takes over the rows of another table of the same fields, behind its own.
    pub fn append(&mut self, other: &Self) {
        let syms: Vec<u32> = other.pool.strings.iter().map(|t| self.pool.intern(t).0).collect();
        self.numbers.extend_from_slice(&other.numbers);
        other.ids.iter().for_each(|id| {
            self.ids.push(id);
        });
        self.shapes.append(&other.shapes);
        for (mine, theirs) in self.columns.iter_mut().zip(&other.columns) {
            match (mine, theirs) {
                (Column::Text(a), Column::Text(b)) => {
                    a.extend(b.iter().map(|s| syms.get(*s as usize).copied().unwrap_or(NO_TEXT)));
                }
                (Column::Real(a), Column::Real(b)) => a.extend_from_slice(b),
                (Column::Bool(a), Column::Bool(b)) => a.extend_from_slice(b),
                (mine, theirs) => {
                    for ix in 0..other.numbers.len() {
                        mine.push(Cell::from(&theirs.get(ix, &other.pool.strings).to_value()), &mut self.pool);
                    }
                }
            }
        }
    }

    /// Gives back what it took beyond its rows, and forgets how to find strings.
    pub(super) fn freeze(&mut self) {
        self.pool.freeze();
        self.ids.shrink();
        self.shapes.shrink();
        self.numbers.shrink_to_fit();
        self.columns.iter_mut().for_each(Column::shrink);
    }

    /// The same rows in the order of a curve through the middles of their boxes, its texts in
    /// the order in which these rows have them: who reads what lies near each other, as a tile
    /// or an area does, reads memory that lies near each other.
    pub(crate) fn along_curve(mut self) -> Self {
        let curve = |row: u32| {
            let bounds = self.geometry(row as usize).map_or(Bounds::EMPTY, GeometryRef::bounds);
            let middle = |a: i32, b: i32| ((i64::from(a) + i64::from(b)) >> 1) as i32;
            let middle = Point::new(middle(bounds.min.x, bounds.max.x), middle(bounds.min.y, bounds.max.y));
            (middle.curve(), row)
        };
        let mut places: Vec<(u64, u32)> = (0..self.len() as u32).into_par_iter().map(curve).collect();
        if places.is_sorted() {
            return self;
        }
        places.par_sort_unstable();
        let order: Vec<u32> = places.into_iter().map(|(_, row)| row).collect();

        let mut texts = vec![NO_TEXT; self.pool.strings.len()];
        let mut strings = Strings::default();
        let symbols = |ix: u32| {
            let of = move |column: &Column| {
                if let Column::Text(all) = column { all.get(ix as usize).copied() } else { None }
            };
            self.columns.iter().filter_map(of).filter(|sym| *sym != NO_TEXT)
        };
        for sym in order.iter().flat_map(|ix| symbols(*ix)) {
            if texts[sym as usize] == NO_TEXT
                && let Some(text) = self.pool.strings.get(sym as usize)
            {
                texts[sym as usize] = strings.push(text) as u32;
            }
        }
        strings.shrink();
        self.pool = Interner::of(strings);
        // One after the other, so that no more than one of them is there twice.
        self.shapes = self.shapes.arranged(&order);
        self.ids = self.ids.arranged(&order);
        self.columns.iter_mut().for_each(|column| *column = column.arranged(&order, &texts));
        self.numbers = order.iter().map(|ix| self.numbers[*ix as usize]).collect();
        self
    }

    pub(super) fn index_of_ids(&self) -> StringIndex {
        StringIndex::of(&self.ids)
    }

    /// One past the highest symbol of its strings.
    pub(super) fn symbols(&self) -> usize {
        self.pool.strings.len()
    }

    /// Its strings by symbol.
    pub(super) fn texts(&self) -> impl ExactSizeIterator<Item = &str> {
        (0..self.pool.strings.len()).map(|sym| self.pool.strings.get(sym).unwrap_or_default())
    }

    /// The row of a number, where the rows are in the order of their numbers or few.
    pub(crate) fn row_of(&self, number: u32) -> Option<usize> {
        match self.numbers.binary_search(&number) {
            Ok(row) => Some(row),
            Err(_) => self.numbers.iter().position(|n| *n == number),
        }
    }

    /// The fields.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The id of a row.
    #[inline]
    #[must_use]
    pub fn id(&self, row: usize) -> Option<&str> {
        self.ids.get(row)
    }

    /// The integer that stands for a row.
    #[must_use]
    pub fn number(&self, row: usize) -> Option<u32> {
        self.numbers.get(row).copied()
    }

    /// Where a row lies.
    #[inline]
    #[must_use]
    pub fn geometry(&self, row: usize) -> Option<GeometryRef<'_>> {
        self.shapes.get(row)
    }

    /// A value by row and place of its field.
    #[inline]
    #[must_use]
    pub fn value(&self, row: usize, field: usize) -> ValueRef<'_> {
        self.columns.get(field).map_or(ValueRef::Null, |c| c.get(row, &self.pool.strings))
    }

    /// A row as a feature that stands on its own; absent values are left out.
    #[must_use]
    pub fn feature(&self, row: usize) -> Option<Feature> {
        let properties = self
            .fields
            .iter()
            .enumerate()
            .map(|(i, f)| (f.name.clone(), self.value(row, i).to_value()))
            .filter(|(_, value)| *value != Value::Null)
            .collect();
        Some(Feature { id: self.id(row)?.into(), geometry: self.geometry(row)?.to_geometry(), properties })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feature(i: i64) -> Feature {
        let mut properties: Properties = vec![
            ("name".into(), Value::Text(format!("no. {}", i % 10).into())),
            ("floors".into(), Value::Integer(i)),
            ("height".into(), Value::Real(i as f64 / 2.0)),
            ("empty".into(), Value::Bool(i % 2 == 0)),
        ];
        properties.remove((i % 4) as usize);
        Feature { id: i.to_string().into(), geometry: Geometry::Point(Point::new(i as i32, 1)), properties }
    }

    #[test]
    fn rows_come_back_as_they_went_in_also_from_appended_tables() {
        let all: Vec<Feature> = (0..300).map(feature).collect();
        let mut fields = Table::fields_of(all.iter().map(|f| &f.properties));
        fields.sort_by(|a, b| b.name.cmp(&a.name));
        let mut whole = Table::new(fields.clone());
        for part in all.chunks(70) {
            let mut table = Table::new(fields.clone());
            part.iter().for_each(|f| assert!(table.push(7, f)));
            whole.append(&table);
        }
        whole.freeze();
        assert_eq!(whole.len(), 300);
        for (i, f) in all.iter().enumerate() {
            let mut sorted = f.clone();
            sorted.properties.sort_by(|a, b| b.0.cmp(&a.0));
            assert_eq!(whole.feature(i).unwrap(), sorted);
        }
        assert_eq!(whole.index_of_ids().find(&whole.ids, "250"), Some(250));
    }

    #[test]
    fn rows_along_the_curve_are_the_same_rows_and_near_ones_are_neighbours() {
        let place = |i: i64| Point::new((i * 7919 % 1000) as i32, (i * 104_729 % 1000) as i32);
        let all: Vec<Feature> =
            (0..300).map(|i| Feature { geometry: Geometry::Point(place(i)), ..feature(i) }).collect();
        let mut table = Table::new(Table::fields_of(all.iter().map(|f| &f.properties)));
        for (i, f) in all.iter().enumerate() {
            assert!(table.push(i as u32, f));
        }
        table.freeze();
        let rows = |table: &Table| {
            let mut rows: Vec<_> = (0..table.len()).map(|r| (table.number(r), table.feature(r).unwrap())).collect();
            rows.sort_by_key(|(number, _)| *number);
            rows
        };
        let curve = table.clone().along_curve();
        assert_eq!((rows(&curve), curve.symbols()), (rows(&table), table.symbols()));
        let middles = |table: &Table| -> Vec<u64> {
            (0..table.len()).map(|r| table.geometry(r).unwrap().bounds().min.curve()).collect()
        };
        assert!(middles(&curve).is_sorted() && !middles(&table).is_sorted());
        // Texts are numbered in the order in which the rows have them.
        let symbols = (0..curve.len()).flat_map(|r| (0..4).map(move |f| (r, f)));
        let mut next = 0;
        for (row, field) in symbols {
            if let ValueRef::Text(sym, _) = curve.value(row, field) {
                assert!(sym.0 <= next, "row {row}");
                next = next.max(sym.0 + 1);
            }
        }
        assert!(next > 1);
    }

    #[test]
    fn a_field_is_as_wide_as_the_widest_of_its_values() {
        let all: Vec<Properties> = vec![
            vec![("a".into(), Value::Integer(1)), ("b".into(), Value::Integer(1)), ("c".into(), Value::Null)],
            vec![("b".into(), Value::Text("x".into())), ("a".into(), Value::Real(0.5))],
        ];
        let kinds: Vec<_> = Table::fields_of(&all).into_iter().map(|f| f.kind).collect();
        assert_eq!(kinds, [Kind::Real, Kind::Text, Kind::Text]);
        assert_eq!(fitted(&Value::Integer(3), Kind::Text), Some(Value::Text("3".into())));
        assert_eq!(fitted(&Value::Text("x".into()), Kind::Integer), None);
    }
}
