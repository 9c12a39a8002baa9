//! The calendar: a table of spans that anyone can count on a wall calendar, and a reference
//! that counts minute by minute.

use jiff::civil::{Date, Weekday};
use jiff::{Timestamp, ToSpan};

use super::super::calendar::Calendar;
use super::super::{CalendarSettings, Span};
use super::{autumn, local, shanghai};
use crate::demo::Random;

fn office() -> Calendar {
    Calendar::new("office", &autumn().calendars["office"], &shanghai()).unwrap()
}

#[test]
fn spans_end_where_a_wall_calendar_says() {
    let calendar = office();
    let (hours, days) = (|n: u32| Span::WorkingMinutes(n * 60), Span::WorkingDays);
    // 2026-03-06 is a Friday.
    let table = [
        // Within a morning, over noon, over a weekend.
        ("2026-03-02 09:00", hours(2), "2026-03-02 11:00"),
        ("2026-03-02 11:00", hours(2), "2026-03-02 14:30"),
        ("2026-03-06 17:00", hours(2), "2026-03-09 09:30"),
        // From a time off; to the very end of the morning.
        ("2026-03-07 03:00", hours(1), "2026-03-09 09:30"),
        ("2026-03-02 08:30", Span::WorkingMinutes(210), "2026-03-02 12:00"),
        // Days: the first doesn't count, the last ends with its hours.
        ("2026-03-02 09:00", days(1), "2026-03-03 18:00"),
        ("2026-03-06 09:00", days(1), "2026-03-09 18:00"),
        ("2026-03-07 09:00", days(1), "2026-03-09 18:00"),
        ("2026-03-02 23:00", days(3), "2026-03-05 18:00"),
        // Round the clock.
        ("2026-03-06 23:00", Span::UrgentMinutes(4 * 60), "2026-03-07 03:00"),
        // The holiday of October: the 1st to the 7th off, Saturday the 10th worked.
        ("2026-09-30 17:00", hours(2), "2026-10-08 09:30"),
        ("2026-09-30 09:00", days(1), "2026-10-08 18:00"),
        ("2026-09-30 09:00", days(3), "2026-10-10 18:00"),
        ("2026-10-09 17:30", hours(1), "2026-10-10 09:00"),
        // Sunday the 20th of September is worked for it.
        ("2026-09-19 10:00", hours(1), "2026-09-20 09:30"),
        // Nothing is over at once, whenever.
        ("2026-10-03 10:00", hours(0), "2026-10-03 10:00"),
    ];
    for (from, span, expected) in table {
        let end = calendar.end(local(from).as_millisecond(), span, &[]);
        let end = end.map(|ms| Timestamp::from_millisecond(ms).unwrap());
        assert_eq!(end, Some(local(expected)), "{span:?} from {from}");
    }
}

#[test]
fn a_pause_puts_the_end_off_by_what_would_have_been_counted() {
    let calendar = office();
    let ms = |text: &str| local(text).as_millisecond();
    let table = [
        // An hour of work lost, and a weekend that costs nothing.
        (Span::WorkingMinutes(120), "2026-03-02 09:00", ("2026-03-02 10:00", "2026-03-02 11:00"), "2026-03-02 12:00"),
        (Span::WorkingMinutes(120), "2026-03-06 17:00", ("2026-03-07 00:00", "2026-03-08 12:00"), "2026-03-09 09:30"),
        (Span::UrgentMinutes(60), "2026-03-02 09:00", ("2026-03-02 09:30", "2026-03-03 09:30"), "2026-03-03 10:00"),
        // A day whose end lies in the pause is none; one whose end doesn't is one.
        (Span::WorkingDays(1), "2026-03-02 09:00", ("2026-03-03 10:00", "2026-03-04 09:00"), "2026-03-04 18:00"),
        (Span::WorkingDays(1), "2026-03-02 09:00", ("2026-03-03 10:00", "2026-03-03 17:00"), "2026-03-03 18:00"),
    ];
    for (span, from, (pause, resume), expected) in table {
        let end = calendar.end(ms(from), span, &[(ms(pause), ms(resume))]);
        assert_eq!(end, Some(ms(expected)), "{span:?} from {from}");
    }
    assert_eq!(calendar.end(ms("2026-03-02 09:00"), Span::WorkingDays(1), &[(ms("2026-03-02 10:00"), i64::MAX)]), None);
}

#[test]
fn hours_follow_the_clock_where_a_zone_changes_it() {
    // Berlin, the night of 2026-03-29: 02:00 to 03:00 is left out.
    let zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
    let weekly = [("sunday".to_owned(), vec!["00:00-24:00".to_owned()])].into();
    let settings = CalendarSettings { weekly, ..CalendarSettings::default() };
    let calendar = Calendar::new("always", &settings, &zone).unwrap();
    let at = |text: &str| text.parse::<Timestamp>().unwrap().as_millisecond();
    let end = calendar.end(at("2026-03-29T00:00:00+01:00"), Span::WorkingMinutes(23 * 60), &[]);
    assert_eq!(end, Some(at("2026-03-30T00:00:00+02:00")));
}

/// The hours of a week, as minutes of a day.
type Week = [Vec<(i16, i16)>; 7];

/// What the reference knows: hours by weekday, days off, days in exchange.
struct Naive {
    week: Week,
    off: Vec<Date>,
    exchanged: Vec<(Date, Weekday)>,
}

impl Naive {
    fn hours(&self, date: Date) -> &[(i16, i16)] {
        if self.off.contains(&date) {
            return &[];
        }
        let exchanged = self.exchanged.iter().find(|(other, _)| *other == date).map(|(_, day)| *day);
        let day = exchanged.unwrap_or(date.weekday()).to_monday_zero_offset();
        &self.week[usize::try_from(day).unwrap()]
    }

    /// Counts minute by minute. Minutes are whole, so no clock stands between two of them.
    fn end(&self, from: Timestamp, span: Span, pauses: &[(Timestamp, Timestamp)]) -> Timestamp {
        let is_paused = |at: Timestamp| pauses.iter().any(|(a, b)| (*a..*b).contains(&at));
        let zone = shanghai();
        let (mut at, mut left) = match span {
            Span::WorkingMinutes(n) | Span::UrgentMinutes(n) | Span::WorkingDays(n) => (from, n),
        };
        let first = zone.to_datetime(from).date();
        while left > 0 {
            let civil = zone.to_datetime(at);
            let minute = i16::from(civil.hour()) * 60 + i16::from(civil.minute());
            let works = self.hours(civil.date()).iter().any(|(a, b)| (*a..*b).contains(&minute));
            let next = at + 1.minute();
            match span {
                Span::UrgentMinutes(_) => left -= u32::from(!is_paused(at)),
                Span::WorkingMinutes(_) => left -= u32::from(works && !is_paused(at)),
                Span::WorkingDays(_) => {
                    let last = self.hours(civil.date()).last().is_some_and(|(_, b)| minute + 1 == *b);
                    left -= u32::from(civil.date() > first && last && !is_paused(next));
                }
            }
            at = next;
        }
        at
    }
}

fn some_week(random: &mut Random) -> Week {
    std::array::from_fn(|day| match (day, random.below(3)) {
        (0, _) => vec![(510, 720), (810, 1080)],
        (_, 0) => Vec::new(),
        (_, 1) => {
            let begin = i16::try_from(random.below(600)).unwrap();
            let noon = begin + 1 + i16::try_from(random.below(300)).unwrap();
            let again = noon + i16::try_from(random.below(100)).unwrap();
            vec![(begin, noon), (again, again + 1 + i16::try_from(random.below(300)).unwrap())]
        }
        _ => vec![(i16::try_from(random.below(1000)).unwrap(), 1440)],
    })
}

fn written(week: &Week, off: &[Date], exchanged: &[(Date, Weekday)]) -> CalendarSettings {
    let names = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let clock = |m: i16| format!("{:02}:{:02}", m / 60, m % 60);
    let hours = |spans: &Vec<(i16, i16)>| spans.iter().map(|(a, b)| format!("{}-{}", clock(*a), clock(*b))).collect();
    CalendarSettings {
        weekly: names.iter().zip(week).map(|(name, spans)| ((*name).to_owned(), hours(spans))).collect(),
        holidays: off.iter().copied().collect(),
        workdays: exchanged
            .iter()
            .map(|(date, day)| (*date, names[usize::try_from(day.to_monday_zero_offset()).unwrap()].to_owned()))
            .collect(),
    }
}

#[test]
fn the_calendar_agrees_with_counting_minute_by_minute() {
    let base = local("2026-02-02 00:00");
    for seed in 0..150 {
        let mut random = Random::of(seed, "calendar");
        let week = some_week(&mut random);
        let date =
            |random: &mut Random| jiff::civil::date(2026, 2, 2) + i64::try_from(random.below(40)).unwrap().days();
        let off: Vec<Date> = (0..random.below(6)).map(|_| date(&mut random)).collect();
        let mut exchanged: Vec<(Date, Weekday)> =
            (0..random.below(3)).map(|_| (date(&mut random), Weekday::Monday)).collect();
        exchanged.retain(|(date, _)| !off.contains(date));
        let calendar = Calendar::new("seeded", &written(&week, &off, &exchanged), &shanghai()).unwrap();
        let naive = Naive { week, off, exchanged };
        let minute = |random: &mut Random, n: usize| i64::try_from(random.below(n)).unwrap().minutes();
        let from = base + minute(&mut random, 14 * 1440);
        let mut pauses = Vec::new();
        let mut at = from;
        for _ in 0..random.below(4) {
            let pause = at + minute(&mut random, 3000);
            at = pause + minute(&mut random, 4000) + 1.minute();
            pauses.push((pause, at));
        }
        let n = |random: &mut Random, n: usize| u32::try_from(random.below(n)).unwrap();
        let spans = [
            Span::WorkingMinutes(n(&mut random, 2000)),
            Span::UrgentMinutes(n(&mut random, 5000)),
            Span::WorkingDays(n(&mut random, 6)),
        ];
        let ms: Vec<(i64, i64)> = pauses.iter().map(|(a, b)| (a.as_millisecond(), b.as_millisecond())).collect();
        for span in spans {
            let fast =
                calendar.end(from.as_millisecond(), span, &ms).map(|ms| Timestamp::from_millisecond(ms).unwrap());
            assert_eq!(fast, Some(naive.end(from, span, &pauses)), "seed {seed}: {span:?} from {from}, {pauses:?}");
        }
    }
}
