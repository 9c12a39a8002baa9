//! What happened in an area in a period: events by type, state, source, day and hour.
//!
//! Invariant: every event of the counts is in each of the breakdowns once, so each of them
//! adds up to the total (types beyond the most are added up in `other_types`).

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::store::EventCount;

/// Types that are told one by one.
const MOST_TYPES: usize = 500;

/// From a time up to another, without that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// The first instant.
    pub from: Timestamp,
    /// The first instant after it.
    pub to: Timestamp,
}

impl Period {
    /// The period of the same length that ends where this one begins.
    #[must_use]
    pub fn before(self) -> Option<Self> {
        let from = self.from.checked_sub(self.to.duration_since(self.from)).ok()?;
        Some(Self { from, to: self.from })
    }
}

/// How many events, and how many of them nobody has anything to do with any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Totals {
    /// All.
    pub total: u64,
    /// Those that are open.
    pub open: u64,
    /// Those that are not.
    pub closed: u64,
    /// Closed ones of all; `None` where there are none.
    pub closing_rate: Option<f64>,
}

impl Totals {
    /// Adds events.
    pub fn add(&mut self, count: u64, is_closed: bool) {
        self.total += count;
        *(if is_closed { &mut self.closed } else { &mut self.open }) += count;
        self.closing_rate = Some((self.closed as f64 / self.total.max(1) as f64 * 1e6).round() / 1e6);
    }
}

/// The events of one day of the city.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Day {
    /// Which.
    pub day: Date,
    /// Events.
    pub total: u64,
    /// Those of them that are closed by now.
    pub closed: u64,
}

/// What happened.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Happened {
    /// All of them.
    #[serde(flatten)]
    pub totals: Totals,
    /// By type.
    pub by_type: BTreeMap<String, u64>,
    /// Of types beyond the most frequent ones.
    #[serde(skip_serializing_if = "is_none")]
    pub other_types: u64,
    /// By the state they are in.
    pub by_state: BTreeMap<String, u64>,
    /// By who reported them.
    pub by_source: BTreeMap<String, u64>,
    /// By day of the city, every day of the period.
    pub series: Vec<Day>,
    /// By hour of the day, 0 to 23.
    pub by_hour: [u64; 24],
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_none(n: &u64) -> bool {
    *n == 0
}

/// A share of sorted values, between two of them where it falls there.
#[must_use]
pub fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let place = share * sorted.len().checked_sub(1)? as f64;
    // Below the length, by the line above.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let low = place.floor() as usize;
    let (a, b) = (*sorted.get(low)?, *sorted.get(low + 1).unwrap_or(sorted.get(low)?));
    Some(a + (b - a) * place.fract())
}

impl Happened {
    /// Adds counts up. `ends` says of a state whether events in it are done with.
    #[must_use]
    pub fn of(counts: &[EventCount], period: Period, zone: &TimeZone, ends: impl Fn(&str) -> bool) -> Self {
        let mut all = Self::default();
        let mut days: BTreeMap<Date, (u64, u64)> = BTreeMap::new();
        let last = period.to.checked_sub(jiff::SignedDuration::from_nanos(1)).unwrap_or(period.to);
        let end = zone.to_datetime(last).date();
        let mut day = zone.to_datetime(period.from).date();
        while day <= end {
            days.insert(day, (0, 0));
            match day.tomorrow() {
                Ok(next) => day = next,
                Err(_) => break,
            }
        }
        for count in counts {
            let (n, is_closed) = (count.count, ends(&count.state));
            all.totals.add(n, is_closed);
            for (by, name) in [
                (&mut all.by_type, &count.kind),
                (&mut all.by_state, &count.state),
                (&mut all.by_source, &count.source),
            ] {
                match by.get_mut(name) {
                    Some(sum) => *sum += n,
                    None => drop(by.insert(name.clone(), n)),
                }
            }
            let local = zone.to_datetime(Timestamp::from_second(count.hour * 3600).unwrap_or(period.from));
            all.by_hour[usize::from(local.hour().unsigned_abs()).min(23)] += n;
            let of_day = days.entry(local.date()).or_default();
            of_day.0 += n;
            of_day.1 += if is_closed { n } else { 0 };
        }
        all.series = days.into_iter().map(|(day, (total, closed))| Day { day, total, closed }).collect();
        if all.by_type.len() > MOST_TYPES {
            let mut types: Vec<(String, u64)> = std::mem::take(&mut all.by_type).into_iter().collect();
            types.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
            all.other_types = types.drain(MOST_TYPES..).map(|(_, n)| n).sum();
            all.by_type = types.into_iter().collect();
        }
        all
    }
}
