//! Names that users give and identifiers that databases take.

use super::Error;

/// Refuses a name of a coverage, level or layer that could be no part of a table's
/// name, a URL or a style: it must be of a-z, 0-9 and _, begin with a letter, and be
/// at most 40 long.
pub(super) fn checked<'a>(what: &str, name: &'a str) -> Result<&'a str, Error> {
    let fits = name.len() <= 40
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if fits {
        Ok(name)
    } else {
        Err(Error::Refused(format!(
            "{name:?} can't be the name of a {what}: it must begin with a letter, hold only a-z, 0-9 and _, and be at most 40 long"
        )))
    }
}

/// Names of tables that are the store's own.
const OWN_TABLES: [&str; 25] = [
    "meta",
    "coverage",
    "revision",
    "area",
    "face",
    "border",
    "layer",
    "layer_field",
    "change",
    "plan",
    "plan_edit",
    "plan_note",
    "lineage",
    "event_identity",
    "event_entry",
    "event_owner",
    "event_area",
    "event_count",
    "event_step",
    "event_ruling",
    "event_log",
    "event_month_detached",
    "event_webhook",
    "event_webhook_wait",
    "spatial_ref_sys",
];

/// How names of tables begin that are the database's own, or months of events.
const OWN_PREFIXES: [&str; 9] =
    ["gpkg_", "rtree_", "sqlite_", "pg_", "geometry_", "geography_", "raster_", "event_entry_", "event_area_"];

/// The table of a layer.
pub(super) fn layer_table(layer: &str) -> String {
    let taken = OWN_TABLES.contains(&layer) || OWN_PREFIXES.iter().any(|p| layer.starts_with(p));
    if taken { format!("layer_{layer}") } else { layer.to_owned() }
}

/// The table of the areas of one level, as GIS programs read them.
pub(super) fn level_table(coverage: &str, level: &str) -> String {
    format!("{coverage}_{level}")
}

/// The column that names a feature's owner in a coverage, and that of its shares.
pub(super) fn owner_columns(coverage: &str) -> [String; 2] {
    if coverage == crate::snapshot::DEFAULT_COVERAGE {
        ["owner".into(), "shares".into()]
    } else {
        [format!("owner_{coverage}"), format!("shares_{coverage}")]
    }
}

/// A column for a field of that name: the name itself where no other column has it
/// (databases don't tell case), and one that is no longer than PostgreSQL takes.
pub(super) fn column(field: &str, taken: &[String]) -> String {
    let mut base: String = field.chars().filter(|c| *c != '\0').collect();
    while base.len() > 55 {
        base.pop();
    }
    let lower = base.to_lowercase();
    let own = [
        "fid", "geom", "id", "owner", "shares", "rowid", "oid", "ctid", "xmin", "xmax", "cmin", "cmax", "tableoid", "",
    ];
    let reserved = own.contains(&lower.as_str()) || lower.starts_with("owner_") || lower.starts_with("shares_");
    let is_free = |name: &str| !taken.iter().any(|t| t.to_lowercase() == name.to_lowercase());
    if !reserved && is_free(&base) {
        return base;
    }
    let mut number = 2u32;
    loop {
        let name = format!("field_{base}_{number}");
        let name = if reserved && number == 2 { format!("field_{base}") } else { name };
        if is_free(&name) {
            return name;
        }
        number += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_gets_a_column_that_is_its_own() {
        let taken = ["Name".to_owned(), "field_owner".to_owned()];
        let cases = [
            ("kind", "kind"),
            ("名称", "名称"),
            ("name", "field_name_2"),
            ("Owner", "field_Owner_3"),
            ("ID", "field_ID"),
            ("owner_cell", "field_owner_cell"),
        ];
        for (field, expected) in cases {
            assert_eq!(column(field, &taken), expected);
        }
        assert!(column(&"格".repeat(40), &[]).len() <= 63);
    }

    #[test]
    fn names_that_no_table_could_have_are_refused() {
        for bad in ["", "1a", "A", "a-b", "a b", "网格", "\"", &"a".repeat(41)] {
            assert!(checked("layer", bad).is_err(), "{bad}");
        }
        assert_eq!(checked("layer", "party_unit").unwrap(), "party_unit");
        assert_eq!(layer_table("area"), "layer_area");
    }
}
