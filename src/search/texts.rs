//! The texts of one coverage or layer, side by side.

use boundaries::AreaId;

use crate::snapshot::{CoverageView, Layer};

/// Characters of a query.
pub const MOST_QUERY_CHARS: usize = 100;

/// Between the fields of a thing, and after each thing: folding leaves neither in a text.
const FIELD: char = '\u{1f}';
const END: char = '\u{1e}';

/// Something that can be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Thing {
    /// An area.
    Area(AreaId),
    /// A feature, by its place in the layer.
    Feature(usize),
}

/// A text as it is compared: small letters, narrow forms of wide ones, one space where there
/// is any, nothing invisible.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.chars() {
        let narrow = match u32::from(c) {
            wide @ 0xff01..=0xff5e => char::from_u32(wide - 0xfee0).unwrap_or(c),
            _ => c,
        };
        if narrow.is_whitespace() {
            if !folded.is_empty() && !folded.ends_with(' ') {
                folded.push(' ');
            }
        } else if !narrow.is_control() {
            folded.extend(narrow.to_lowercase());
        }
    }
    folded.truncate(folded.trim_end().len());
    folded
}

/// The texts of things: code or id, name, address.
#[derive(Debug, Default)]
pub(super) struct Texts {
    /// Each thing's fields, folded, one thing after the other.
    run: String,
    /// Where each thing begins, and what it is.
    begins: Vec<u32>,
    things: Vec<Thing>,
}

impl Texts {
    fn push(&mut self, thing: Thing, fields: [&str; 3]) {
        // A run of 4 GiB is more than any city has; what lies beyond isn't found.
        let Ok(begin) = u32::try_from(self.run.len()) else { return };
        self.begins.push(begin);
        self.things.push(thing);
        for (i, field) in fields.into_iter().enumerate() {
            self.run.push_str(&fold(field));
            self.run.push(if i == 2 { END } else { FIELD });
        }
    }

    /// The texts of the areas of a coverage.
    pub(super) fn of_areas(view: &CoverageView) -> Self {
        let mut texts = Self::default();
        for (id, area) in view.coverage.areas() {
            texts.push(Thing::Area(id), [&area.code, &area.name, ""]);
        }
        texts
    }

    /// The texts of a layer: `name`, and `address`, or `street` and `housenumber`.
    pub(super) fn of_layer(layer: &Layer) -> Self {
        let mut texts = Self::default();
        let [name, address, street, number] = ["name", "address", "street", "housenumber"].map(|f| layer.field(f));
        for ix in layer.iter() {
            let text = |field: Option<usize>| field.and_then(|f| layer.value(ix, f).text()).unwrap_or_default();
            let both;
            let address = match address {
                Some(_) => text(address),
                None => {
                    both = format!("{} {}", text(number), text(street));
                    both.as_str()
                }
            };
            texts.push(Thing::Feature(ix), [layer.id(ix), text(name), address]);
        }
        texts
    }

    /// How many bytes it holds.
    pub(super) fn bytes(&self) -> usize {
        self.run.len() + self.begins.len() * (size_of::<u32>() + size_of::<Thing>())
    }

    /// Hands over each thing that has every term in one of its fields, with its fields.
    pub(super) fn each<'a>(&'a self, terms: &[&str], mut each: impl FnMut(Thing, [&'a str; 3])) {
        // The longest term is the rarest.
        let Some(rarest) = terms.iter().max_by_key(|term| term.len()) else { return };
        let finder = memchr::memmem::Finder::new(rarest.as_bytes());
        let mut at = 0;
        while let Some(found) = self.run.as_bytes().get(at..).and_then(|rest| finder.find(rest)) {
            let place = self.begins.partition_point(|begin| *begin as usize <= at + found) - 1;
            let begin = self.begins[place] as usize;
            let end = self.begins.get(place + 1).map_or(self.run.len(), |begin| *begin as usize);
            let whole = &self.run[begin..end - END.len_utf8()];
            if terms.iter().all(|term| whole.contains(term)) {
                let mut fields = whole.split(FIELD);
                let mut next = || fields.next().unwrap_or_default();
                each(self.things[place], [next(), next(), next()]);
            }
            at = end;
        }
    }
}
