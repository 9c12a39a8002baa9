//! The layers that a request names.

use std::fmt;
use std::sync::Arc;

use boundaries::Level;

use super::choice::Choice;
use super::error::TilingError;

/// Layers in one tile.
const MAX_LAYERS: usize = 16;

/// What a name in a request stands for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LayerName {
    /// The areas of a level.
    Areas(Level),
    /// A point in each area of a level, to write its name at.
    Labels(Level),
    /// The things of a layer.
    Features(Arc<str>),
}

/// The layers of a request, as it names them, in its order. Each stands once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LayerList {
    layers: Vec<(Arc<str>, LayerName)>,
    /// What is chosen of each; as many as layers.
    choices: Vec<Arc<Choice>>,
}

impl LayerList {
    /// Reads `grid,label_grid,building` where `levels` are the names of a coverage's
    /// levels and `features` those of the other layers. A level goes before a layer
    /// of the same name.
    ///
    /// # Errors
    ///
    /// No name, too many, one twice, or one that stands for nothing.
    pub fn parse<'a>(
        text: &str,
        levels: &[Arc<str>],
        features: impl IntoIterator<Item = &'a Arc<str>>,
    ) -> Result<Self, TilingError> {
        let features: Vec<_> = features.into_iter().collect();
        let mut layers: Vec<(Arc<str>, LayerName)> = Vec::new();
        for name in text.split(',').filter(|name| !name.is_empty()) {
            let level = |name: &str| levels.iter().position(|l| **l == *name).map(|i| Level(i as u8));
            let found = level(name)
                .map(LayerName::Areas)
                .or_else(|| level(name.strip_prefix("label_")?).map(LayerName::Labels))
                .or_else(|| features.iter().find(|f| ****f == *name).map(|f| LayerName::Features((*f).clone())));
            let Some(found) = found else {
                let labels = levels.iter().map(|l| format!("label_{l}"));
                let known = levels.iter().chain(features).map(|n| n.to_string()).chain(labels).collect();
                return Err(TilingError::UnknownLayer { name: name.chars().take(64).collect(), known });
            };
            if layers.iter().any(|(n, _)| **n == *name) {
                return Err(TilingError::RepeatedLayer { name: name.to_owned() });
            }
            if layers.len() == MAX_LAYERS {
                return Err(TilingError::TooManyLayers { limit: MAX_LAYERS });
            }
            layers.push((name.into(), found));
        }
        if layers.is_empty() {
            return Err(TilingError::NoLayers);
        }
        Ok(Self::of(layers))
    }

    /// A list of layers that are known to be there.
    pub(super) fn of(layers: impl IntoIterator<Item = (Arc<str>, LayerName)>) -> Self {
        let layers: Vec<_> = layers.into_iter().collect();
        let usual = Arc::<Choice>::default();
        Self { choices: vec![usual; layers.len()], layers }
    }

    /// The names and what they stand for.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &LayerName)> {
        self.layers.iter().map(|(name, layer)| (name, layer))
    }

    /// What is chosen of each layer, in the same order.
    pub(super) fn choices(&self) -> impl Iterator<Item = &Arc<Choice>> {
        self.choices.iter()
    }

    pub(super) fn choice_mut(&mut self, at: usize) -> &mut Choice {
        Arc::make_mut(&mut self.choices[at])
    }
}

impl fmt::Display for LayerList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (name, _)) in self.iter().enumerate() {
            write!(f, "{}{name}", if i == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<LayerList, TilingError> {
        let levels = ["street", "grid"].map(Arc::from);
        let features = ["building"].map(Arc::from);
        LayerList::parse(text, &levels, &features)
    }

    #[test]
    fn names_stand_for_levels_their_labels_and_layers() {
        let list = parse("grid,label_street,building").unwrap();
        let kinds: Vec<_> = list.iter().map(|(_, kind)| kind.clone()).collect();
        let building = LayerName::Features("building".into());
        assert_eq!(kinds, [LayerName::Areas(Level(1)), LayerName::Labels(Level(0)), building]);
        assert_eq!(list.to_string(), "grid,label_street,building");
    }

    #[test]
    fn what_stands_for_nothing_is_refused_with_what_there_is() {
        assert_eq!(parse(""), Err(TilingError::NoLayers));
        assert_eq!(parse("grid,grid").unwrap_err().code(), "repeated_layer");
        let unknown = parse("grid,nope").unwrap_err().to_string();
        assert_eq!(unknown, "there is no layer nope; there are street, grid, building, label_street, label_grid");
        let many: Vec<_> = (0..20).map(|i| Arc::from(format!("l{i}"))).collect();
        let text = many.iter().map(|n: &Arc<str>| n.to_string()).collect::<Vec<_>>().join(",");
        assert_eq!(LayerList::parse(&text, &[], &many).unwrap_err().code(), "too_many_layers");
    }
}
