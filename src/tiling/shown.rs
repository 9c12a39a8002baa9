//! Which attributes of a layer's features tiles may show: what is in a tile, anybody
//! can read. A request chooses among them, and can't get at others.

use tiles::TagValue;

use super::error::TilingError;
use crate::snapshot::{CoverageView, Layer, ValueRef};

/// What a well-known layer may show of its features; the rest stays with the service.
const SHOWN: [(&str, &[&str]); 4] = [
    ("building", &["name", "address", "kind", "households", "residents", "floors", "height"]),
    ("party_unit", &["name", "tier", "parent", "tied_to", "members"]),
    ("worker", &["name", "role", "on_duty"]),
    ("event", &["source", "type", "state", "time"]),
];

/// Attributes that the features of a layer have in a tile, at most; those of a well-known
/// layer that are there only on request are left out of it.
pub(super) const MAX_FIELDS: usize = 16;
const ON_REQUEST: [(&str, &[&str]); 1] = [("building", &["floors", "height"])];

/// The attributes that every feature has besides its layer's fields.
pub(super) const ID: &str = "id";
pub(super) const OWNER: &str = "owner";
pub(super) const LEFT_OUT: &str = "left_out";

/// The attribute of the feature that stands for all that is too small: how many these are.
pub(super) const MERGED: &str = "merged";

fn listed<'n>(table: &[(&str, &'n [&'n str])], layer: &Layer) -> Option<&'n [&'n str]> {
    table.iter().find(|(name, _)| *name == &**layer.name()).map(|(_, names)| *names)
}

/// The fields of a layer that tiles may show, by place in the layer.
pub(super) fn open_fields(layer: &Layer) -> Vec<usize> {
    match listed(&SHOWN, layer) {
        Some(names) => names.iter().filter_map(|name| layer.field(name)).collect(),
        None => (0..layer.fields().len()).collect(),
    }
}

/// Those that they show unless a request chooses others.
pub(super) fn usual_fields(layer: &Layer) -> Vec<usize> {
    let on_request = listed(&ON_REQUEST, layer).unwrap_or_default();
    let mut fields = open_fields(layer);
    fields.retain(|f| !on_request.contains(&&*layer.fields()[*f].name));
    fields.truncate(MAX_FIELDS);
    fields
}

/// The place of a field that tiles may show.
///
/// # Errors
///
/// Where there is none of that name, or none that may be shown: nobody is told which.
pub(super) fn open_field(layer: &Layer, name: &str, parameter: &'static str) -> Result<usize, TilingError> {
    let open = open_fields(layer);
    open.iter().copied().find(|f| *layer.fields()[*f].name == *name).ok_or_else(|| TilingError::UnknownField {
        parameter,
        layer: layer.name().to_string(),
        name: name.chars().take(64).collect(),
        known: open.iter().map(|f| layer.fields()[*f].name.to_string()).collect(),
    })
}

/// A value as an attribute of a feature.
pub(super) fn tag(value: ValueRef<'_>) -> Option<TagValue<'_>> {
    Some(match value {
        ValueRef::Null => return None,
        ValueRef::Bool(b) => TagValue::Bool(b),
        ValueRef::Integer(i) => TagValue::Integer(i),
        ValueRef::Real(r) => TagValue::Real(r),
        ValueRef::Text(sym, text) => TagValue::Text(sym.0, text),
    })
}

/// The owner of a feature in a coverage, given with its place in the snapshot: the area's slot
/// and its code.
pub(super) fn owner_code<'a>(
    layer: &Layer,
    ix: usize,
    owners: Option<(usize, &'a CoverageView)>,
) -> Option<(usize, &'a str)> {
    let (place, view) = owners?;
    let id = layer.owner(ix, place)?;
    Some((id.0 as usize, &view.coverage.area(id)?.code))
}
