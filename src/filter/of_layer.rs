//! A filter of a layer's features: its properties are the layer's fields, the `id`, and
//! the code of the `owner` in one coverage. A field of one of these names goes before.

use super::error::FilterError;
use super::expr::Expr;
use super::predicate::{Given, Holds, Predicate};
use crate::snapshot::{CoverageView, Kind, Layer, ValueRef};

/// A filter over one state of a layer.
#[derive(Debug)]
pub struct LayerFilter<'a> {
    predicate: Predicate,
    layer: &'a Layer,
    properties: Vec<Property>,
    owners: Option<(usize, &'a CoverageView)>,
}

#[derive(Clone, Copy, Debug)]
enum Property {
    Field(usize),
    Id,
    Owner,
}

/// Of a text that no layer has numbered.
const NO_NUMBER: u32 = u32::MAX;

impl<'a> LayerFilter<'a> {
    /// Makes a filter ready that may ask for these fields, by place in the layer. `owners` is
    /// a coverage and its place in the snapshot.
    ///
    /// # Errors
    ///
    /// As [`Predicate::new`].
    pub fn new(
        expr: &Expr,
        layer: &'a Layer,
        fields: impl IntoIterator<Item = usize>,
        owners: Option<(usize, &'a CoverageView)>,
    ) -> Result<Self, FilterError> {
        let mut properties: Vec<Property> = fields.into_iter().map(Property::Field).collect();
        properties.extend([Property::Id, Property::Owner]);
        let schema: Vec<(&str, Holds)> = properties
            .iter()
            .map(|property| match property {
                Property::Field(field) => {
                    let field = &layer.fields()[*field];
                    let holds = match field.kind {
                        Kind::Text => Holds::Text,
                        Kind::Integer | Kind::Real => Holds::Number,
                        Kind::Bool => Holds::Bool,
                    };
                    (&*field.name, holds)
                }
                Property::Id => ("id", Holds::Text),
                Property::Owner => ("owner", Holds::Text),
            })
            .collect();
        Ok(Self { predicate: Predicate::new(expr, &schema)?, layer, properties, owners })
    }

    /// The same for so many features: where there are fewer texts than these, each text is
    /// judged once, and then known by its number.
    #[must_use]
    pub fn for_many(self, features: usize) -> Self {
        if features < self.layer.texts().len() {
            return self;
        }
        let layer = self.layer;
        Self { predicate: self.predicate.judge(|| layer.texts()), ..self }
    }

    /// Whether a feature is let through.
    #[must_use]
    pub fn passes(&self, ix: usize) -> bool {
        self.predicate.passes(|property| match self.properties[property as usize] {
            Property::Field(field) => match self.layer.value(ix, field) {
                ValueRef::Null => Given::Absent,
                ValueRef::Bool(b) => Given::Bool(b),
                ValueRef::Integer(i) => Given::Integer(i),
                ValueRef::Real(r) => Given::Real(r),
                ValueRef::Text(sym, text) => Given::Text(sym.0, text),
            },
            Property::Id => Given::Text(NO_NUMBER, self.layer.id(ix)),
            Property::Owner => {
                let code = self
                    .owners
                    .and_then(|(place, view)| Some(&*view.coverage.area(self.layer.owner(ix, place)?)?.code));
                code.map_or(Given::Absent, |code| Given::Text(NO_NUMBER, code))
            }
        })
    }
}
