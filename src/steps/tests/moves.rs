//! Which step may follow which.

use super::super::{Asked, Settings, Steps, Taken};
use super::{local, shanghai, shipped};

/// Walks an event along states, a minute each, and says how it went with the last.
fn walk(steps: &Steps, states: &[&str], role: Option<&str>) -> Result<(), super::super::Refused> {
    let time = |ix: usize| local(&format!("2026-03-02 09:{ix:02}"));
    let taken: Vec<Taken<'_>> = states.iter().enumerate().map(|(ix, state)| Taken { state, time: time(ix) }).collect();
    let (last, before) = taken.split_last().unwrap();
    steps.check(before, &Asked { to: last.state, time: last.time, role, note: Some("because") })
}

#[test]
fn the_shipped_ways_are_open_and_others_are_not() {
    let steps = shipped();
    let ways: [(&str, &str); 14] = [
        ("collected filed", ""),
        ("collected filed dispatched handled fed_back closed rated", ""),
        ("collected filed handled", ""),
        ("collected not_accepted", ""),
        ("collected filed dispatched returned dispatched", ""),
        ("collected filed dispatched extended handled", ""),
        ("collected filed dispatched parked dispatched", ""),
        ("collected filed dispatched cancelled", ""),
        ("collected dispatched", "impossible_step"),
        ("collected closed", "impossible_step"),
        ("collected filed dispatched handled fed_back closed rated dispatched", "impossible_step"),
        ("collected cancelled filed", "impossible_step"),
        ("collected filed dispatched extended extended extended", "too_often"),
        ("collected lost", "unknown_state"),
    ];
    for (way, expected) in ways {
        let states: Vec<&str> = way.split(' ').collect();
        let got = walk(&steps, &states, None).err().map_or("", |refused| refused.code);
        assert_eq!(got, expected, "{way}");
    }
}

#[test]
fn a_refusal_says_what_is_possible_for_that_role() {
    let steps = shipped();
    let refused = walk(&steps, &["collected", "closed"], None).unwrap_err();
    let names: Vec<&str> = refused.possible.iter().map(|s| &**s).collect();
    assert_eq!(names, ["filed", "not_accepted", "cancelled"]);
    assert_eq!(refused.reason, "an event that is collected can't become closed");
    let refused = walk(&steps, &["collected", "filed", "dispatched"], Some("part_time")).unwrap_err();
    assert_eq!(refused.code, "wrong_role");
    assert_eq!(refused.possible.iter().map(|s| &**s).collect::<Vec<_>>(), ["handled"]);
    assert_eq!(walk(&steps, &["collected", "filed", "dispatched"], Some("dispatcher")), Ok(()));
}

#[test]
fn a_state_that_an_event_may_enter_twice_is_refused_the_third_time() {
    let steps = shipped();
    let twice = ["collected", "filed", "dispatched", "extended", "returned", "dispatched", "extended", "returned"];
    assert_eq!(walk(&steps, &twice, None), Ok(()));
    let thrice = [&twice[..], &["dispatched", "extended"]].concat();
    assert_eq!(walk(&steps, &thrice, None).unwrap_err().code, "too_often");
}

#[test]
fn a_step_that_must_say_why_and_doesn_t_is_refused() {
    let steps = shipped();
    let before = [Taken { state: "collected", time: local("2026-03-02 09:00") }];
    let asked = |note| Asked { to: "not_accepted", time: local("2026-03-02 09:01"), role: None, note };
    for (note, expected) in [(None, "missing_note"), (Some(" "), "missing_note"), (Some("a test call"), "")] {
        let got = steps.check(&before, &asked(note)).err().map_or("", |refused| refused.code);
        assert_eq!(got, expected, "{note:?}");
    }
}

#[test]
fn a_step_can_t_be_earlier_than_the_last() {
    let before = [Taken { state: "collected", time: local("2026-03-02 09:00") }];
    let asked = |time| Asked { to: "filed", time, role: None, note: None };
    assert_eq!(shipped().check(&before, &asked(local("2026-03-02 09:00"))), Ok(()));
    let refused = shipped().check(&before, &asked(local("2026-03-02 08:59"))).unwrap_err();
    assert_eq!(refused.code, "earlier_than_last");
}

#[test]
fn a_table_of_one_s_own_replaces_the_shipped_one() {
    let text = r#"{"first": "new", "cards": [], "limits": [{"limit": "all", "from": "new", "until": ["done"],
        "within": {"working_hours": 1.5}}], "states": [
        {"state": "new", "to": ["seen", {"to": "done", "by": ["leader"]}]},
        {"state": "seen", "to": ["done"]}, {"state": "done", "ends": true}]}"#;
    let steps = Steps::new(&serde_json::from_str(text).unwrap(), &shanghai()).unwrap();
    assert_eq!(&**steps.first(), "new");
    assert!(steps.ends("done") && !steps.ends("seen") && !steps.knows("filed"));
    assert_eq!(walk(&steps, &["new", "done"], Some("worker")).unwrap_err().code, "wrong_role");
    assert_eq!(walk(&steps, &["new", "seen", "done"], Some("worker")), Ok(()));
}

#[test]
fn settings_that_make_no_sense_are_refused_with_all_their_defects() {
    let text = r#"{"first": "nowhere",
        "states": [{"state": "a", "to": ["b", "c"]}, {"state": "b"}, {"state": "b"}],
        "limits": [{"limit": "x", "from": "a", "until": ["q"], "within": {"working_days": 1}},
                   {"limit": "y", "from": "a", "until": ["a"], "within": {"working_days": 1}},
                   {"limit": "z", "from": "a", "until": ["b"], "within": {"working_hours": 0}},
                   {"limit": "w", "from": "a", "until": ["b"], "within": {"urgent_hours": 1}, "calendar": "lunar"}],
        "calendars": {"office": {"weekly": {"monday": ["12:00-08:00"], "moonday": []}},
                      "two": {"weekly": {"monday": ["08:00-12:00", "11:00-13:00"]}, "holidays": ["2026-10-01"],
                              "workdays": {"2026-10-01": "monday", "2026-10-03": "friday"}}}}"#;
    let settings: Settings = serde_json::from_str(text).unwrap();
    let defects = Steps::new(&settings, &shanghai()).unwrap_err();
    let text: Vec<String> = defects.iter().map(ToString::to_string).collect();
    let expected = [
        "leads to c",
        "given once",
        "nowhere",
        "moonday",
        "such as 08:30-12:00",
        "no weekday has hours",
        "overlap",
        "a holiday and worked",
        "hours of a day without",
        "q is no state",
        "other states than it begins",
        "lasts a while",
        "no calendar lunar",
    ];
    for part in expected {
        assert!(text.iter().any(|defect| defect.contains(part)), "{part} is not in {text:#?}");
    }
    assert_eq!(text.len(), expected.len(), "{text:#?}");
    for span in
        [r#"{"working_hours": -1}"#, r#"{"working_hours": 0.001}"#, r#"{"working_days": 9999}"#, r#"{"weeks": 1}"#]
    {
        assert!(serde_json::from_str::<super::super::Span>(span).is_err(), "{span}");
    }
}
