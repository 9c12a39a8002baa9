//! What a request chooses of the features of its layers, and in which form.
//!
//! A name is one of a layer: `LAYER.FIELD`, or `FIELD` alone where the list has one layer
//! of features. What is chosen is brought into one order, so that two ways to say the same
//! are one tile in the cache.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use tiles::DEEPEST_CLUSTERS;

use super::error::TilingError;
use super::names::{LayerList, LayerName};
use super::shown::{MAX_FIELDS, open_field, open_fields, usual_fields};
use crate::filter::{AreaFilter, Expr, FilterError, LayerFilter};
use crate::snapshot::{CoverageView, Kind, Layer, Snapshot};

/// What a request says, as it says it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wish<'a> {
    /// Attributes to show, comma-separated.
    pub fields: Option<&'a str>,
    /// A condition that holds for every layer of the list.
    pub filter: Option<&'a str>,
    /// `on`, or the names of the layers whose features are clustered.
    pub cluster: Option<&'a str>,
    /// Attributes to be summed up in clusters.
    pub sum: Option<&'a str>,
    /// `on`, or the names of the layers whose features are drawn as heat.
    pub heat: Option<&'a str>,
    /// The attribute that each of them counts with; one that has none counts for nothing.
    pub weight: Option<&'a str>,
}

/// What is chosen of one layer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Choice {
    /// The attributes that features have in the tile, by name; the usual ones unless said.
    fields: Option<Vec<Arc<str>>>,
    /// What is let through.
    sieve: Option<Sieve>,
    form: Form,
}

/// How features are drawn.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum Form {
    /// As they are.
    #[default]
    Plain,
    /// Clustered, with sums of these attributes.
    Clusters { sums: Vec<Arc<str>> },
    /// As heat; without an attribute to weigh with each counts for one.
    Heat { weight: Option<Arc<str>> },
}

/// Attributes that are summed up, at most.
const MAX_SUMS: usize = 4;

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

    /// Whether everything is let through.
    pub(super) fn is_unfiltered(&self) -> bool {
        self.sieve.is_none()
    }

    pub(super) fn form(&self) -> &Form {
        &self.form
    }

    /// The attributes that clusters sum up.
    pub(super) fn sums(&self) -> &[Arc<str>] {
        if let Form::Clusters { sums } = &self.form { sums } else { &[] }
    }

    /// Whether features are gathered at a zoom.
    pub(super) fn gathers_at(&self, z: u8) -> bool {
        match self.form {
            Form::Plain => false,
            Form::Clusters { .. } => z <= DEEPEST_CLUSTERS,
            Form::Heat { .. } => true,
        }
    }

    /// Whether the same is gathered, whatever is shown of it.
    pub(super) fn gathers_like(&self, other: &Self) -> bool {
        self.form == other.form && self.sieve == other.sieve
    }

    /// Whether a client can make up as many of these as it likes.
    pub(super) fn is_made_up(&self) -> bool {
        let is_plain = match &self.form {
            Form::Plain => true,
            Form::Clusters { sums } => sums.is_empty(),
            Form::Heat { weight } => weight.is_none(),
        };
        self.fields.is_some() || self.sieve.is_some() || !is_plain
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
        self.choose_forms(wish, snapshot)?;
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

    fn choose_forms(&mut self, wish: &Wish<'_>, snapshot: &Snapshot) -> Result<(), TilingError> {
        let bad = |parameter, why: &str| TilingError::BadChoice { parameter, why: why.to_owned(), position: None };
        let clustered = self.layers_named(wish.cluster, "cluster", snapshot)?;
        let warm = self.layers_named(wish.heat, "heat", snapshot)?;
        if clustered.iter().any(|at| warm.contains(at)) {
            return Err(bad("heat", "a layer is clustered or drawn as heat, not both"));
        }
        let sums = self.numbers(wish.sum, "sum", snapshot)?;
        let weights = self.numbers(wish.weight, "weight", snapshot)?;
        if sums.iter().any(|(at, _)| !clustered.contains(at)) {
            return Err(bad("sum", "only what is clustered is summed up: say cluster=on"));
        }
        if weights.iter().any(|(at, _)| !warm.contains(at)) {
            return Err(bad("weight", "only heat is weighed: say heat=on"));
        }
        let of = |all: &[(usize, Arc<str>)], at: usize| -> Vec<Arc<str>> {
            all.iter().filter(|(of, _)| *of == at).map(|(_, name)| name.clone()).collect()
        };
        for at in clustered {
            let sums = of(&sums, at);
            if sums.len() > MAX_SUMS {
                return Err(bad("sum", &format!("a layer is summed up by at most {MAX_SUMS} attributes")));
            }
            self.choice_mut(at).form = Form::Clusters { sums };
        }
        for at in warm {
            let mut weights = of(&weights, at);
            if weights.len() > 1 {
                return Err(bad("weight", "a layer is weighed by one attribute"));
            }
            self.choice_mut(at).form = Form::Heat { weight: weights.pop() };
        }
        Ok(())
    }

    /// The layers of features that a parameter means, by place in the list.
    fn layers_named(
        &self,
        text: Option<&str>,
        parameter: &'static str,
        snapshot: &Snapshot,
    ) -> Result<Vec<usize>, TilingError> {
        let layers = self.feature_layers(snapshot);
        let known = || layers.iter().map(|(_, layer)| layer.name().to_string()).collect::<Vec<_>>().join(", ");
        let bad = |why: String| TilingError::BadChoice { parameter, why, position: None };
        match text {
            None | Some("off") => Ok(Vec::new()),
            Some("on") if layers.is_empty() => Err(bad("the list has no layer of features".to_owned())),
            Some("on") => Ok(layers.iter().map(|(at, _)| *at).collect()),
            Some(names) => names
                .split(',')
                .map(|name| match layers.iter().find(|(_, layer)| **layer.name() == *name) {
                    Some((at, _)) => Ok(*at),
                    None => {
                        let name: String = name.chars().take(64).collect();
                        Err(bad(format!(
                            "{name:?} is neither on, off nor a layer of features in the list: {}",
                            known()
                        )))
                    }
                })
                .collect(),
        }
    }

    /// Attributes that hold numbers, each with the place of its layer in the list.
    fn numbers(
        &self,
        text: Option<&str>,
        parameter: &'static str,
        snapshot: &Snapshot,
    ) -> Result<Vec<(usize, Arc<str>)>, TilingError> {
        let layers = self.feature_layers(snapshot);
        let names = text.unwrap_or_default().split(',').map(str::trim).filter(|name| !name.is_empty());
        let mut found = Vec::new();
        for name in names {
            let (at, place) = self.field(name, parameter, snapshot)?;
            let field = layers.iter().find(|(of, _)| *of == at).map(|(_, layer)| (place, &layer.fields()[place]));
            let Some((place, field)) = field else { continue };
            if !matches!(field.kind, Kind::Integer | Kind::Real) {
                let why = format!("{} holds no numbers", field.name);
                return Err(TilingError::BadChoice { parameter, why, position: None });
            }
            found.push((at, place, field.name.clone()));
        }
        found.sort_unstable();
        found.dedup();
        Ok(found.into_iter().map(|(at, _, name)| (at, name)).collect())
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
