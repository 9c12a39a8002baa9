//! The shipped table and the calendar of a real year, and what both make of events.

mod counted;
mod late;
mod moves;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::{Settings, Steps};

/// Shanghai, which has kept +08:00 since 1991.
fn shanghai() -> TimeZone {
    TimeZone::get("Asia/Shanghai").unwrap()
}

/// A local time, such as `2026-09-30 16:00`.
fn local(text: &str) -> Timestamp {
    let time: DateTime = text.replace(' ', "T").parse().unwrap();
    shanghai().to_timestamp(time).unwrap()
}

fn shipped() -> Steps {
    Steps::new(&Settings::default(), &shanghai()).unwrap()
}

/// The shipped table, with the holidays of autumn 2026: seven days off in October, paid for
/// with Sunday the 20th of September and Saturday the 10th of October.
fn autumn() -> Settings {
    let mut settings = Settings::default();
    let office = settings.calendars.get_mut("office").unwrap();
    office.holidays = (1..=7).map(|day| jiff::civil::date(2026, 10, day)).collect();
    office.workdays = [(jiff::civil::date(2026, 9, 20), "thursday"), (jiff::civil::date(2026, 10, 10), "friday")]
        .map(|(date, day)| (date, day.to_owned()))
        .into();
    settings
}
