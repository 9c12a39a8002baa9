//! The codes of new areas, by the layout that the city configures.
//!
//! Invariant: a code that an area ever had, in any published revision, is never given to
//! another. A code that was given is kept with its edit, so that it is the same whenever
//! the edit is made again. It must not know edits.

use std::sync::Arc;

use boundaries::edit::{Codes, Wanted};
use boundaries::{AreaId, Coverage};
use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};

/// How codes are laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "layout", deny_unknown_fields)]
pub enum Layout {
    /// The code that is kept, and -2, -3 ...
    #[default]
    Suffix,
    /// The code of the parent and the next number that was never used below it.
    Numbered {
        /// Digits of the number.
        digits: u8,
    },
}

/// Who gives codes in one coverage.
#[derive(Clone, Debug, Default)]
pub struct CodeBook {
    layout: Layout,
    /// Every code that an area had in a published revision.
    used: Arc<FxHashSet<Arc<str>>>,
    /// Codes that others came to use later are no matter.
    is_replay: bool,
}

impl CodeBook {
    /// A book over the codes that were ever published.
    #[must_use]
    pub fn new(layout: Layout, used: FxHashSet<Arc<str>>) -> Self {
        Self { layout, used: Arc::new(used), is_replay: false }
    }

    /// The same for edits that are made again where they were made before: what they were
    /// given was free then, whoever uses it since.
    #[must_use]
    pub fn replay(&self) -> Self {
        Self { is_replay: true, ..self.clone() }
    }

    /// Whether no area ever had a code in a published revision.
    pub(super) fn is_new(&self, code: &str) -> bool {
        !self.used.contains(code)
    }

    /// Whether a code can't be given, for an edit that may have been made before.
    pub(super) fn is_taken(&self, code: &str) -> bool {
        !self.is_replay && self.used.contains(code)
    }

    /// What the code of an area begins with, where the layout gave it.
    pub(super) fn stem(&self, coverage: &Coverage, id: AreaId) -> Option<String> {
        let area = coverage.area(id)?;
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        match self.layout {
            Layout::Suffix => {
                let (stem, number) = area.code.rsplit_once('-')?;
                is_number(number).then(|| stem.to_owned())
            }
            Layout::Numbered { digits } => {
                let parent = coverage.area(area.parent?)?;
                let number = area.code.strip_prefix(&*parent.code)?;
                (is_number(number) && number.len() == usize::from(digits.min(9))).then(|| parent.code.to_string())
            }
        }
    }

    /// The codes with a beginning, in order.
    pub(super) fn codes(&self, stem: &str) -> impl Iterator<Item = String> {
        let (first, end, digits) = match self.layout {
            Layout::Suffix => (2, u32::MAX, None),
            Layout::Numbered { digits } => (1, 10u32.pow(u32::from(digits.min(9))), Some(usize::from(digits.min(9)))),
        };
        (first..end).map(move |n| match digits {
            None => format!("{stem}-{n}"),
            Some(digits) => format!("{stem}{n:0digits$}"),
        })
    }

    fn is_free(&self, wanted: &Wanted<'_>, code: &str) -> bool {
        self.is_new(code)
            && wanted.coverage.area_by_code(code).is_none()
            && wanted.given.iter().all(|given| **given != *code)
    }
}

impl Codes for CodeBook {
    fn next(&self, wanted: &Wanted<'_>) -> Option<Arc<str>> {
        let of = match self.layout {
            Layout::Suffix => wanted.from.or(wanted.parent),
            Layout::Numbered { .. } => wanted.parent,
        };
        let stem = wanted.coverage.area(of?)?;
        self.codes(&stem.code).find(|code| self.is_free(wanted, code)).map(Into::into)
    }

    fn was_used(&self, code: &str) -> bool {
        self.is_taken(code)
    }
}

/// A book for an edit that was given codes before: it gets the same.
pub(super) struct Given<'a> {
    /// The codes, in the order in which they are wanted.
    pub(super) codes: &'a [Arc<str>],
    /// Who gives them where there are none.
    pub(super) book: &'a CodeBook,
}

impl Codes for Given<'_> {
    fn next(&self, wanted: &Wanted<'_>) -> Option<Arc<str>> {
        self.codes.get(wanted.given.len()).cloned().or_else(|| self.book.next(wanted))
    }

    fn was_used(&self, code: &str) -> bool {
        self.book.was_used(code)
    }
}
