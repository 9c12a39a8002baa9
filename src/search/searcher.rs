//! What a query finds, best first.
//!
//! Better is: a whole code or name, then its beginning, then a part of a code or name, then
//! an address; after that areas, the upper first, then party units, buildings, addresses;
//! then the shorter text, then the lower code.

use std::collections::BinaryHeap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::texts::{Texts, Thing, fold};
use crate::snapshot::{CoverageView, Layer, Snapshot};

/// The layers that are searched, in the order in which what is found equally well is told.
const LAYERS: [&str; 3] = ["party_unit", "building", "address"];
/// Words of a query.
const MOST_TERMS: usize = 8;

/// How a thing was found, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Matched {
    /// Its code or id, whole.
    Code,
    /// Its name, whole.
    Name,
    /// The beginning of its code or id.
    CodeBegins,
    /// The beginning of its name.
    NameBegins,
    /// Within its code or name.
    Within,
    /// In its address, or in several of these.
    Address,
}

impl Matched {
    /// Its name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Name => "name",
            Self::CodeBegins => "code_begins",
            Self::NameBegins => "name_begins",
            Self::Within => "within",
            Self::Address => "address",
        }
    }

    fn of(query: &str, [code, name, _]: [&str; 3]) -> Self {
        if code == query {
            Self::Code
        } else if name == query {
            Self::Name
        } else if code.starts_with(query) {
            Self::CodeBegins
        } else if name.starts_with(query) {
            Self::NameBegins
        } else if code.contains(query) || name.contains(query) {
            Self::Within
        } else {
            Self::Address
        }
    }
}

/// Something that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The name of its coverage or layer.
    pub of: Arc<str>,
    /// What it is there.
    pub thing: Thing,
    /// How it was found.
    pub matched: Matched,
}

/// What a query found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The best, best first.
    pub hits: Vec<Hit>,
    /// How many there are in all.
    pub total: usize,
}

/// By what hits are sorted: how found, kind of thing, length, code, number of the part.
type Rank<'a> = (Matched, usize, usize, &'a str, usize, Thing);

/// The texts of what a snapshot holds, made when first searched and kept while it is there.
#[derive(Debug, Default)]
pub struct Searcher {
    areas: Kept<CoverageView>,
    layers: Kept<Layer>,
}

/// Texts, with what they are of.
type Kept<T> = Mutex<Vec<(Weak<T>, Arc<Texts>)>>;

/// The texts of a part, from those that are kept or made now.
fn texts<T>(kept: &Kept<T>, of: &Arc<T>, make: impl FnOnce(&T) -> Texts) -> Arc<Texts> {
    let find = |kept: &[(Weak<T>, Arc<Texts>)]| {
        kept.iter().find(|(other, _)| std::ptr::eq(other.as_ptr(), Arc::as_ptr(of))).map(|(_, texts)| texts.clone())
    };
    if let Some(texts) = find(&kept.lock().unwrap_or_else(PoisonError::into_inner)) {
        return texts;
    }
    let made = Arc::new(make(of));
    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    // What nobody holds any more isn't asked for again.
    kept.retain(|(other, _)| other.strong_count() > 0);
    if find(&kept).is_none() {
        kept.push((Arc::downgrade(of), made.clone()));
    }
    made
}

impl Searcher {
    /// Finds what has all words of a query, in the coverages of a snapshot (all, or one) and
    /// in its layers. Blocks while texts are read.
    #[must_use]
    pub fn search(&self, snapshot: &Snapshot, coverage: Option<&str>, query: &str, limit: usize) -> Answer {
        let query = fold(query);
        let terms: Vec<&str> = query.split(' ').filter(|term| !term.is_empty()).take(MOST_TERMS).collect();
        let mut answer = Answer { hits: Vec::new(), total: 0 };
        let views: Vec<&Arc<CoverageView>> =
            snapshot.coverages.iter().filter(|view| coverage.is_none_or(|name| *view.name == *name)).collect();
        let mut parts: Vec<(Arc<str>, usize, Arc<Texts>)> = Vec::new();
        for view in &views {
            parts.push((view.name.clone(), 0, texts(&self.areas, view, Texts::of_areas)));
        }
        for (i, name) in LAYERS.into_iter().enumerate() {
            if let Some(layer) = snapshot.layer(name) {
                parts.push((name.into(), usize::from(u8::MAX) + 1 + i, texts(&self.layers, layer, Texts::of_layer)));
            }
        }
        // The worst of those kept is on top.
        let mut best: BinaryHeap<Rank<'_>> = BinaryHeap::with_capacity(limit + 1);
        for (part, (_, kind, texts)) in parts.iter().enumerate() {
            let view = views.get(part);
            texts.each(&terms, |thing, fields| {
                answer.total += 1;
                let level = match (thing, view) {
                    (Thing::Area(id), Some(view)) => view.coverage.area(id).map_or(0, |area| usize::from(area.level.0)),
                    _ => 0,
                };
                let length = fields[0].len() + fields[1].len();
                best.push((Matched::of(&query, fields), kind + level, length, fields[0], part, thing));
                if best.len() > limit {
                    best.pop();
                }
            });
        }
        for (matched, _, _, _, part, thing) in best.into_sorted_vec() {
            answer.hits.push(Hit { of: parts[part].0.clone(), thing, matched });
        }
        answer
    }

    /// How many bytes the texts hold.
    #[must_use]
    pub fn bytes(&self) -> usize {
        fn sum<T>(kept: &Kept<T>) -> usize {
            kept.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|(_, texts)| texts.bytes()).sum()
        }
        sum(&self.areas) + sum(&self.layers)
    }
}
