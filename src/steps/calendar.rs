//! Working time: the hours of each day of a city, and where a span of them ends.
//!
//! ```text
//!      Friday         Saturday  Sunday   Monday
//!     ─┤████├─┤████├───────────────────┤████├─┤████├─
//!            ^ begins                    ^ two working hours later
//! ```
//!
//! Three ways of counting, as cities set limits: *working hours* run while work is done,
//! *urgent hours* run always, and *working days* count days: the day on which a span begins
//! is not one of them, and it ends with the hours of its last (Civil Code, articles 201 and
//! 203). Time in a pause doesn't run, and a working day whose end lies in a pause is none.
//!
//! Invariant: a [`Calendar`] has hours in each week, and a span is bounded, so that every walk ends:
//! [`MOST_DAYS`] at the latest.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::Deserialize;

use super::settings::{CalendarSettings, Defect};

/// Days that are looked at for the end of a span, at most.
pub(super) const MOST_DAYS: usize = 4000;
/// The longest span.
const MOST_WORKING_DAYS: u32 = 750;
/// The longest span in minutes: 750 days of 24 hours.
const MOST_MINUTES: u32 = 750 * 24 * 60;
/// Holidays and days in exchange for them, at most.
const MOST_DATES: usize = 5000;
/// Milliseconds of a minute.
const MINUTE_MS: i64 = 60_000;

/// A length of time, counted as a limit says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "SpanForm")]
pub enum Span {
    /// Minutes of working time.
    WorkingMinutes(u32),
    /// Working days.
    WorkingDays(u32),
    /// Minutes round the clock.
    UrgentMinutes(u32),
}

/// A span as it is written: `{"working_hours": 4}`.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum SpanForm {
    WorkingHours(f64),
    WorkingDays(u32),
    UrgentHours(f64),
}

impl TryFrom<SpanForm> for Span {
    type Error = String;

    fn try_from(form: SpanForm) -> Result<Self, String> {
        let minutes = |hours: f64| {
            let minutes = (hours * 60.0).round();
            let is_whole = (minutes - hours * 60.0).abs() < 1e-6;
            let is_fitting = (0.0..=f64::from(MOST_MINUTES)).contains(&minutes);
            // In range: checked in the line above.
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let whole = minutes as u32;
            (is_whole && is_fitting).then_some(whole).ok_or(format!("{hours} hours are no span of whole minutes"))
        };
        match form {
            SpanForm::WorkingHours(hours) => Ok(Self::WorkingMinutes(minutes(hours)?)),
            SpanForm::UrgentHours(hours) => Ok(Self::UrgentMinutes(minutes(hours)?)),
            SpanForm::WorkingDays(days) if days <= MOST_WORKING_DAYS => Ok(Self::WorkingDays(days)),
            SpanForm::WorkingDays(days) => Err(format!("{days} working days are more than {MOST_WORKING_DAYS}")),
        }
    }
}

impl Span {
    pub(super) const fn hours(hours: u32) -> Self {
        Self::WorkingMinutes(hours * 60)
    }

    /// How long before the end of such a span an event is near it, where it is not said.
    pub(super) const fn quarter(self) -> Self {
        match self {
            Self::WorkingMinutes(minutes) => Self::WorkingMinutes(minutes / 4),
            Self::UrgentMinutes(minutes) => Self::UrgentMinutes(minutes / 4),
            Self::WorkingDays(_) => Self::WorkingDays(1),
        }
    }

    pub(super) const fn is_nothing(self) -> bool {
        matches!(self, Self::WorkingMinutes(0) | Self::WorkingDays(0) | Self::UrgentMinutes(0))
    }
}

/// Times in which nothing runs, in milliseconds since 1970: from, up to but without the
/// other; in order, apart from each other.
pub(super) type Pauses = [(i64, i64)];

/// When work is done.
#[derive(Clone, Debug)]
pub(super) struct Calendar {
    zone: TimeZone,
    /// The hours of Monday to Sunday.
    weekly: [Vec<(Time, Closing)>; 7],
    holidays: BTreeSet<Date>,
    workdays: BTreeMap<Date, Weekday>,
}

/// When hours end: at a time, or with the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Closing {
    At(Time),
    Midnight,
}

const WEEKDAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
];

fn weekday(name: &str) -> Option<Weekday> {
    WEEKDAYS.iter().find(|(n, _)| *n == name).map(|(_, day)| *day)
}

fn place(day: Weekday) -> usize {
    usize::from(day.to_monday_zero_offset().unsigned_abs())
}

/// Reads `08:30-12:00`.
fn hours(text: &str) -> Option<(Time, Closing)> {
    let time = |text: &str| {
        let (hour, minute) = text.trim().split_once(':')?;
        Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
    };
    let (from, to) = text.split_once('-')?;
    let closing = if to.trim() == "24:00" { Closing::Midnight } else { Closing::At(time(to)?) };
    let from = time(from)?;
    (closing > Closing::At(from)).then_some((from, closing))
}

impl Calendar {
    /// A calendar, or everything in its settings that makes no sense.
    pub(super) fn new(name: &str, settings: &CalendarSettings, zone: &TimeZone) -> Result<Self, Vec<Defect>> {
        let mut defects = Vec::new();
        let mut defect = |text: String| defects.push(Defect(format!("calendar {name}: {text}")));
        let mut weekly: [Vec<(Time, Closing)>; 7] = Default::default();
        for (day, spans) in &settings.weekly {
            let Some(day) = weekday(day) else {
                defect(format!("{day} is no weekday: monday, tuesday .."));
                continue;
            };
            let mut read: Vec<_> = spans.iter().filter_map(|text| hours(text)).collect();
            read.sort_unstable();
            if read.len() < spans.len() {
                defect(format!("of the hours {spans:?} some are not such as 08:30-12:00"));
            }
            if read.windows(2).any(|pair| pair[0].1 > Closing::At(pair[1].0)) {
                defect(format!("the hours {spans:?} overlap"));
            }
            weekly[place(day)] = read;
        }
        if weekly.iter().all(Vec::is_empty) {
            defect("no weekday has hours".to_owned());
        }
        let mut workdays = BTreeMap::new();
        for (date, day) in &settings.workdays {
            match weekday(day) {
                Some(day) if weekly[place(day)].is_empty() => defect(format!("{date} has the hours of a day without")),
                Some(day) => drop(workdays.insert(*date, day)),
                None => defect(format!("{day} is no weekday: monday, tuesday ..")),
            }
            if settings.holidays.contains(date) {
                defect(format!("{date} is a holiday and worked in exchange for one"));
            }
        }
        if settings.holidays.len() + settings.workdays.len() > MOST_DATES {
            defect(format!("it has more than {MOST_DATES} dates"));
        }
        if !defects.is_empty() {
            return Err(defects);
        }
        Ok(Self { zone: zone.clone(), weekly, holidays: settings.holidays.clone(), workdays })
    }

    /// The hours of a date, in milliseconds since 1970.
    fn hours_of(&self, date: Date) -> impl Iterator<Item = (i64, i64)> {
        let day = self.workdays.get(&date).copied().unwrap_or(date.weekday());
        let spans = if self.holidays.contains(&date) { &[] } else { self.weekly[place(day)].as_slice() };
        let instant = |date: Date, time: Time| self.zone.to_timestamp(date.to_datetime(time)).ok();
        spans.iter().filter_map(move |(from, closing)| {
            let end = match closing {
                Closing::At(time) => instant(date, *time)?,
                Closing::Midnight => instant(date.tomorrow().ok()?, Time::midnight())?,
            };
            Some((instant(date, *from)?.as_millisecond(), end.as_millisecond()))
        })
    }

    /// The dates from that of an instant on.
    fn dates(&self, from_ms: i64) -> impl Iterator<Item = Date> {
        let first = Timestamp::from_millisecond(from_ms).ok().map(|t| self.zone.to_datetime(t).date());
        std::iter::successors(first, |date| date.checked_add(1.day()).ok()).take(MOST_DAYS)
    }

    /// When a span that begins at an instant is over; `None` where a pause goes on for ever.
    pub(super) fn end(&self, from_ms: i64, span: Span, pauses: &Pauses) -> Option<i64> {
        match span {
            _ if span.is_nothing() => Some(from_ms),
            Span::UrgentMinutes(minutes) => {
                run(i64::from(minutes) * MINUTE_MS, std::iter::once((from_ms, i64::MAX)), pauses)
            }
            Span::WorkingMinutes(minutes) => {
                let hours = self.dates(from_ms).flat_map(|date| self.hours_of(date));
                let left = hours.map(|(from, to)| (from.max(from_ms), to)).filter(|(from, to)| from < to);
                run(i64::from(minutes) * MINUTE_MS, left, pauses)
            }
            Span::WorkingDays(days) => {
                let ends =
                    self.dates(from_ms).skip(1).filter_map(|date| self.hours_of(date).last()).map(|(_, end)| end);
                let is_paused = |at: i64| pauses.iter().any(|(from, to)| (*from..*to).contains(&at));
                ends.filter(|end| !is_paused(*end)).nth(usize::try_from(days).ok()?.checked_sub(1)?)
            }
        }
    }
}

/// Where so much time has run, through hours less pauses.
fn run(mut left_ms: i64, hours: impl Iterator<Item = (i64, i64)>, pauses: &Pauses) -> Option<i64> {
    for (from, to) in hours {
        let mut at = from;
        let within = pauses.iter().filter(|(a, b)| *b > from && *a < to);
        for (pause, resume) in within.chain(std::iter::once(&(to, to))) {
            let free = (*pause).max(at) - at;
            if left_ms <= free {
                return Some(at + left_ms);
            }
            left_ms -= free;
            at = at.max(*resume);
        }
    }
    None
}
