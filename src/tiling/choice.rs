//! What a request chooses of the features of its layers, and in which form.
//!
//! A name is one of a layer: `LAYER.FIELD`, or `FIELD` alone where the list has one layer
//! of features. What is chosen is brought into one order, so that two ways to say the same
//! are one tile in the cache.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::error::TilingError;
use super::names::{LayerList, LayerName};
use super::shown::{MAX_FIELDS, open_field, open_fields, usual_fields};
use crate::filter::{AreaFilter, Expr, FilterError, LayerFilter};
use crate::snapshot::{CoverageView, Layer, Snapshot};

/// What a request says, as it says it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wish<'a> {
    /// Attributes to show, comma-separated.
    pub fields: Option<&'a str>,
    /// A condition that holds for every layer of the list.
    pub filter: Option<&'a str>,
}

/// What is chosen of one layer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Choice {
    /// The attributes that features have in the tile, by name; the usual ones unless said.
    fields: Option<Vec<Arc<str>>>,
    /// What is let through.
    sieve: Option<Sieve>,
}

/// A condition, known by the one way to write it.
#[derive(Clone, Debug)]
struct Sieve {
    text: Arc<str>,
    expr: Arc<Expr>,
}

impl PartialEq for Sieve {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Sieve {}

impl Hash for Sieve {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl Choice {
    /// The fields of a layer that its tiles show, by place in the layer.
    pub(super) fn shown_fields(&self, layer: &Layer) -> Vec<usize> {
        match &self.fields {
            Some(names) => names.iter().filter_map(|name| layer.field(name)).collect(),
            None => usual_fields(layer),
        }
    }

    /// The condition on a layer's features, if there is one.
    ///
    /// # Errors
    ///
    /// A condition that is none for this layer.
    pub(super) fn of_features<'l>(
        &self,
        layer: &'l Layer,
        owners: Option<(usize, &'l CoverageView)>,
    ) -> Result<Option<LayerFilter<'l>>, FilterError> {
        let sieve = self.sieve.as_ref();
        sieve.map(|sieve| LayerFilter::new(&sieve.expr, layer, open_fields(layer), owners)).transpose()
    }

    /// The condition on areas, if there is one.
    ///
    /// # Errors
    ///
    /// A condition that is none for areas.
    pub(super) fn of_areas(&self) -> Result<Option<AreaFilter>, FilterError> {
        self.sieve.as_ref().map(|sieve| AreaFilter::new(&sieve.expr)).transpose()
    }

    /// Whether a client can make up as many of these as it likes.
    pub(super) fn is_made_up(&self) -> bool {
        self.fields.is_some() || self.sieve.is_some()
    }

    /// About what it takes in memory.
    pub(super) fn weight(&self) -> usize {
        // The tree of a condition is some times as large as its text.
        let sieve = self.sieve.as_ref().map_or(0, |sieve| sieve.text.len() * 8);
        self.fields.iter().flatten().map(|name| name.len() + 24).sum::<usize>() + sieve
    }
}

impl LayerList {
    /// The same layers with what a request chooses of them.
    ///
    /// # Errors
    ///
    /// A field that no tile of the layer may show, and whatever can't be done.
    pub fn choosing(mut self, wish: &Wish<'_>, snapshot: &Snapshot) -> Result<Self, TilingError> {
        if let Some(text) = wish.fields {
            self.choose_fields(text, snapshot)?;
        }
        if let Some(text) = wish.filter {
            self.choose_filter(text, snapshot)?;
        }
        Ok(self)
    }

    fn choose_fields(&mut self, text: &str, snapshot: &Snapshot) -> Result<(), TilingError> {
        let mut chosen: Vec<(usize, usize)> = Vec::new();
        let names: Vec<&str> = text.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
        for name in &names {
            chosen.push(self.field(name, "fields", snapshot)?);
        }
        chosen.sort_unstable();
        chosen.dedup();
        for (at, layer) in self.feature_layers(snapshot) {
            let of_layer = chosen.iter().filter(|(of, _)| *of == at);
            let fields: Vec<Arc<str>> = of_layer.map(|(_, f)| layer.fields()[*f].name.clone()).collect();
            if fields.len() > MAX_FIELDS {
                let why = format!("a layer shows at most {MAX_FIELDS} attributes");
                return Err(TilingError::BadChoice { parameter: "fields", why, position: None });
            }
            // Where others are spoken of, a layer of which nothing is said stays as it is.
            if !fields.is_empty() || names.is_empty() {
                self.choice_mut(at).fields = Some(fields);
            }
        }
        Ok(())
    }

    fn choose_filter(&mut self, text: &str, snapshot: &Snapshot) -> Result<(), TilingError> {
        let refused = |name: &str, error: FilterError| TilingError::BadChoice {
            parameter: "filter",
            why: format!("{name}at character {}: {}", error.position, error.why),
            position: Some(error.position),
        };
        let expr: Expr = text.parse().map_err(|error| refused("", error))?;
        let sieve = Sieve { text: expr.to_string().into(), expr: Arc::new(expr) };
        for at in 0..self.choices().count() {
            self.choice_mut(at).sieve = Some(sieve.clone());
        }
        for ((name, kind), choice) in self.iter().zip(self.choices()) {
            let fits = match (kind, snapshot.layer(name)) {
                (LayerName::Features(_), Some(layer)) => choice.of_features(layer, None).map(drop),
                _ => choice.of_areas().map(drop),
            };
            fits.map_err(|error| refused(&format!("{name}, "), error))?;
        }
        Ok(())
    }

    /// The layers of features, each with its place in the list.
    fn feature_layers<'s>(&self, snapshot: &'s Snapshot) -> Vec<(usize, &'s Layer)> {
        let found = self.iter().enumerate().filter_map(|(at, (_, kind))| match kind {
            LayerName::Features(name) => Some((at, &**snapshot.layer(name)?)),
            LayerName::Areas(_) | LayerName::Labels(_) => None,
        });
        found.collect()
    }

    /// Which layer of the list, and which of its fields, a name means.
    fn field(&self, name: &str, parameter: &'static str, snapshot: &Snapshot) -> Result<(usize, usize), TilingError> {
        let layers = self.feature_layers(snapshot);
        let below = |layer: &Layer| name.strip_prefix(&**layer.name())?.strip_prefix('.');
        match (layers.iter().find_map(|(at, layer)| Some((*at, *layer, below(layer)?))), layers.as_slice()) {
            (Some((at, layer, field)), _) => Ok((at, open_field(layer, field, parameter)?)),
            (None, [(at, layer)]) => Ok((*at, open_field(layer, name, parameter)?)),
            (None, []) => {
                let why = "areas have their code, name, parent and kind, always".to_owned();
                Err(TilingError::BadChoice { parameter, why, position: None })
            }
            (None, _) => {
                let known: Vec<_> = layers.iter().map(|(_, layer)| layer.name().to_string()).collect();
                let name: String = name.chars().take(64).collect();
                let why = format!("say of which layer {name} is, as LAYER.{name}: there are {}", known.join(", "));
                Err(TilingError::BadChoice { parameter, why, position: None })
            }
        }
    }
}
