//! How late events are, by the shipped limits: handle in 3 working days, close in 7; where it
//! is urgent in 4 and 24 hours.

use super::super::{Clock, DueState, Settings, Standing, Steps, Subject, Taken};
use super::{autumn, local, shanghai, shipped};

const USUAL: Subject<'static> = Subject { kind: "road", owner: "370202001001002", urgency: None };

/// How an event stands at a local time; its way is written `2026-03-02 09:00 filed, ..`.
fn stands(steps: &Steps, subject: &Subject<'_>, way: &str, at: &str) -> Standing {
    let taken: Vec<Taken<'_>> =
        way.split(", ").map(|step| Taken { time: local(&step[..16]), state: &step[17..] }).collect();
    steps.standing(subject, &taken, local(at))
}

fn clock<'a>(standing: &'a Standing, limit: &str) -> &'a Clock {
    standing.clocks.iter().rfind(|clock| &*clock.limit == limit).unwrap()
}

const FILED: &str = "2026-03-02 08:40 collected, 2026-03-02 09:00 filed, 2026-03-02 10:00 dispatched";

#[test]
fn an_event_is_normal_then_near_then_late_and_its_card_darkens() {
    // Monday dispatched: to be handled by Thursday 18:00, near it from Wednesday 18:00 on.
    let table = [
        ("2026-03-02 10:00", DueState::Normal, None),
        ("2026-03-03 23:59", DueState::Normal, None),
        ("2026-03-04 00:00", DueState::Near, None),
        ("2026-03-05 18:00", DueState::Near, None),
        ("2026-03-05 18:01", DueState::Late, Some("yellow")),
        ("2026-03-06 18:00", DueState::Late, Some("yellow")),
        ("2026-03-06 18:01", DueState::Late, Some("red")),
        ("2026-03-10 18:00", DueState::Late, Some("red")),
        ("2026-03-10 18:01", DueState::Late, Some("black")),
    ];
    for (at, state, card) in table {
        let standing = stands(&shipped(), &USUAL, FILED, at);
        assert_eq!((standing.state, standing.card.as_deref()), (state, card), "at {at}");
        assert_eq!(standing.due, Some(local("2026-03-05 18:00")), "at {at}");
    }
}

#[test]
fn urgent_events_are_counted_round_the_clock() {
    let urgent = Subject { urgency: Some(3), ..USUAL };
    let way = "2026-03-06 21:00 collected, 2026-03-06 21:05 filed, 2026-03-06 22:00 dispatched";
    let standing = stands(&shipped(), &urgent, way, "2026-03-06 22:10");
    assert_eq!(standing.due, Some(local("2026-03-07 02:00")));
    assert_eq!(clock(&standing, "close").due, Some(local("2026-03-07 21:05")));
}

#[test]
fn a_parked_event_has_no_end_in_sight_and_its_time_does_not_count() {
    let parked = format!("{FILED}, 2026-03-03 10:00 parked");
    let while_parked = stands(&shipped(), &USUAL, &parked, "2026-03-20 10:00");
    assert_eq!((while_parked.due, while_parked.state), (None, DueState::Normal));
    // Tuesday's end lies in the pause; Wednesday, Thursday and Friday count.
    let resumed = format!("{parked}, 2026-03-04 09:00 dispatched");
    let standing = stands(&shipped(), &USUAL, &resumed, "2026-03-04 10:00");
    assert_eq!(clock(&standing, "handle").due, Some(local("2026-03-06 18:00")));
    assert_eq!(clock(&standing, "handle").began, local("2026-03-02 10:00"), "the clock goes on, it is no new one");
}

#[test]
fn an_event_that_was_late_before_it_was_parked_stays_late() {
    let parked = format!("{FILED}, 2026-03-05 18:30 parked");
    let standing = stands(&shipped(), &USUAL, &parked, "2026-03-30 10:00");
    assert_eq!((standing.state, standing.due), (DueState::Late, Some(local("2026-03-05 18:00"))));
}

#[test]
fn an_extension_puts_the_end_off_by_the_limit_or_what_is_configured() {
    let way = format!("{FILED}, 2026-03-04 10:00 extended");
    let standing = stands(&shipped(), &USUAL, &way, "2026-03-04 10:00");
    // Thursday the 5th, and three working days more.
    assert_eq!(clock(&standing, "handle").due, Some(local("2026-03-10 18:00")));
    let mut settings = Settings::default();
    for limit in &mut settings.limits {
        limit.extension = Some(super::super::Span::WorkingMinutes(60));
    }
    let steps = Steps::new(&settings, &shanghai()).unwrap();
    let standing = stands(&steps, &USUAL, &way, "2026-03-04 10:00");
    assert_eq!(clock(&standing, "handle").due, Some(local("2026-03-06 09:30")));
}

#[test]
fn a_clock_that_ended_keeps_how_it_stood() {
    let way = format!("{FILED}, 2026-03-05 18:01 handled, 2026-03-06 09:00 fed_back, 2026-03-06 10:00 closed");
    let standing = stands(&shipped(), &USUAL, &way, "2027-01-01 00:00");
    let handle = clock(&standing, "handle");
    assert_eq!((handle.state, handle.ended), (DueState::Late, Some(local("2026-03-05 18:01"))));
    assert_eq!(handle.card.as_deref(), Some("yellow"));
    // What ended last decides: the event was closed in time.
    assert_eq!((standing.state, standing.due), (DueState::Normal, Some(local("2026-03-11 18:00"))));
}

#[test]
fn an_event_that_comes_back_is_given_its_time_anew() {
    let way = format!("{FILED}, 2026-03-05 09:00 returned, 2026-03-06 09:00 dispatched");
    let standing = stands(&shipped(), &USUAL, &way, "2026-03-06 10:00");
    let handles: Vec<&Clock> = standing.clocks.iter().filter(|c| &*c.limit == "handle").collect();
    assert_eq!(handles.len(), 2);
    assert_eq!(handles[1].due, Some(local("2026-03-11 18:00")));
    assert_eq!(clock(&standing, "close").due, Some(local("2026-03-11 18:00")));
}

#[test]
fn what_happened_later_does_not_change_how_it_stood() {
    let steps = shipped();
    let whole = format!("{FILED}, 2026-03-03 10:00 parked, 2026-03-04 09:00 dispatched, 2026-03-05 10:00 handled");
    for (at, known) in [("2026-03-02 12:00", FILED), ("2026-03-03 09:59", FILED)] {
        assert_eq!(stands(&steps, &USUAL, &whole, at), stands(&steps, &USUAL, known, at), "at {at}");
    }
    let early = stands(&steps, &USUAL, &whole, "2026-03-02 08:50");
    assert_eq!(early.clocks.len(), 1, "only accept ran: {early:?}");
    assert!(stands(&steps, &USUAL, &whole, "2026-03-01 00:00").clocks.is_empty());
}

#[test]
fn the_first_limit_of_a_name_that_fits_holds() {
    let text = r#"[
        {"limit": "handle", "type": "road.", "region": "370202", "from": "dispatched", "until": ["handled"], "within": {"working_hours": 1}},
        {"limit": "handle", "type": "road.", "from": "dispatched", "until": ["handled"], "within": {"working_hours": 2}},
        {"limit": "handle", "from": "dispatched", "until": ["handled"], "within": {"urgent_hours": 3}}]"#;
    let steps = Steps::new(&Settings { limits: serde_json::from_str(text).unwrap(), ..autumn() }, &shanghai()).unwrap();
    let table = [
        ("road.pothole", "370202001", "2026-03-02 11:00"),
        ("road.pothole", "370203001", "2026-03-02 12:00"),
        ("road", "370202001", "2026-03-02 13:00"),
        ("noise", "", "2026-03-02 13:00"),
    ];
    for (kind, owner, due) in table {
        let subject = Subject { kind, owner, urgency: None };
        assert_eq!(stands(&steps, &subject, FILED, "2026-03-02 10:00").due, Some(local(due)), "{kind} in {owner}");
    }
}

#[test]
fn the_holiday_of_october_is_not_counted() {
    let steps = Steps::new(&autumn(), &shanghai()).unwrap();
    let way = "2026-09-30 09:00 collected, 2026-09-30 09:05 filed, 2026-09-30 10:00 dispatched";
    let standing = stands(&steps, &USUAL, way, "2026-10-05 10:00");
    assert_eq!((standing.state, standing.due), (DueState::Normal, Some(local("2026-10-10 18:00"))));
}
