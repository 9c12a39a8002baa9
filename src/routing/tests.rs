use boundaries::Point;
use serde_json::{Value, json};

use super::{Case, Owner, Routing};

/// Two squares, the second with a hole.
const RULES: &str = r#"[
    {"rule": "the park", "within": [[[120, 36], [120.01, 36], [120.01, 36.01], [120, 36.01], [120, 36]],
        [[120.004, 36.004], [120.006, 36.004], [120.006, 36.006], [120.004, 36.006], [120.004, 36.004]]],
        "to": {"body": "parks office"}},
    {"rule": "parts to their owner", "type": "part.",
        "to": {"asset_owner": {"layer": "facility", "named_by": "facility", "owner": "keeper"}}},
    {"rule": "gas", "attributes": {"network": ["gas", "heat"], "pressure": ["4"]}, "to": {"body": "gas company"}},
    {"rule": "reported owner", "type": "part.", "to": {"attribute": "owner"}},
    {"rule": "parts", "type": "part.", "to": {"area": "370202"}}]"#;

fn routed(kind: &str, at: Option<(f64, f64)>, attributes: Value) -> Option<(String, Owner)> {
    let routing = Routing::new(&serde_json::from_str::<Vec<_>>(RULES).unwrap()).unwrap();
    let place = at.map(|(lon, lat)| Point::from_degrees(lon, lat).unwrap());
    let attributes = attributes.as_object().unwrap();
    let find = |layer: &str, id: &str, field: &str| match (layer, id, field) {
        ("facility", "L1", "keeper") => Some("lighting company".into()),
        ("facility", "17", "keeper") => Some("370202001".into()),
        ("facility", "L2", "keeper") => Some("".into()),
        _ => None,
    };
    let case = Case { kind, place, attributes };
    let routed = routing.route(&case, find, |code| code.starts_with("3702"))?;
    Some((routed.rule.to_string(), routed.owner))
}

#[test]
fn the_first_rule_that_fits_decides_and_is_named() {
    let body = |rule: &str, name: &str| Some((rule.to_owned(), Owner::Body(name.into())));
    let area = |rule: &str, code: &str| Some((rule.to_owned(), Owner::Area(code.into())));
    let outside = Some((120.5, 36.5));
    let table = [
        // By place; its hole, its west rim and its east rim; an event without a place.
        ("noise", Some((120.002, 36.002)), json!({}), body("the park", "parks office")),
        ("part.lamp", Some((120.002, 36.002)), json!({"facility": "L1"}), body("the park", "parks office")),
        ("noise", Some((120.005, 36.005)), json!({}), None),
        ("noise", Some((120.0, 36.002)), json!({}), body("the park", "parks office")),
        ("noise", Some((120.01, 36.002)), json!({}), None),
        ("noise", None, json!({}), None),
        // Parts go to who keeps them: a company, or an area; an id may be a number.
        ("part.lamp", outside, json!({"facility": "L1"}), body("parts to their owner", "lighting company")),
        ("part.lamp", None, json!({"facility": 17}), area("parts to their owner", "370202001")),
        // A thing that isn't known, or has no keeper, is left to the rules behind.
        ("part.lamp", outside, json!({"facility": "L9"}), area("parts", "370202")),
        ("part.lamp", outside, json!({"facility": "L2"}), area("parts", "370202")),
        ("part.lamp", outside, json!({"owner": " street office "}), body("reported owner", "street office")),
        ("part.lamp", outside, json!({"owner": ["x"]}), area("parts", "370202")),
        ("part", outside, json!({}), None),
        // Every attribute must fit.
        ("noise", outside, json!({"network": "heat", "pressure": 4}), body("gas", "gas company")),
        ("noise", outside, json!({"network": "gas", "pressure": 5}), None),
        ("noise", outside, json!({"network": "gas"}), None),
    ];
    for (kind, at, attributes, expected) in table {
        assert_eq!(routed(kind, at, attributes.clone()), expected, "{kind} at {at:?} with {attributes}");
    }
}

#[test]
fn rules_that_make_no_sense_are_refused_with_all_their_defects() {
    let text = r#"[{"rule": "", "to": {"body": "x"}}, {"rule": "a", "to": {"body": "x"}}, {"rule": "a", "to": {"area": ""}},
        {"rule": "b", "within": [[[120, 36], [121, 36], [121, 37]]], "to": {"body": "x"}},
        {"rule": "c", "within": [[[220, 36], [121, 36], [121, 37], [220, 36]]], "to": {"body": "x"}}]"#;
    let defects = Routing::new(&serde_json::from_str::<Vec<_>>(text).unwrap()).unwrap_err();
    let rules: Vec<&str> = defects.iter().map(|defect| &*defect.rule).collect();
    assert_eq!(rules, ["", "a", "a", "b", "c"]);
    assert!(serde_json::from_str::<super::RuleSettings>(r#"{"rule": "a", "typ": "x", "to": {"body": "x"}}"#).is_err());
}
