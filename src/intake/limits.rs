//! What an event may be.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use serde::Deserialize;

/// How a city takes events in.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    /// The types that there are; any, where none are named.
    pub types: BTreeSet<String>,
    /// The first day on which an event may have happened.
    pub oldest: Date,
    /// How many seconds the clocks of sources may be ahead.
    pub ahead_s: i64,
    /// How large parts of an event may be.
    pub limits: Limits,
}

/// How large parts of an event may be.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Bytes of one event as JSON.
    pub event_bytes: usize,
    /// Bytes of its description.
    pub description_bytes: usize,
    /// Bytes of its address, and of a note, reason or actor.
    pub line_bytes: usize,
    /// Attributes that it may have, those within others counted too.
    pub attributes: usize,
    /// Steps that it may bring along.
    pub steps: usize,
}

impl Default for Rules {
    fn default() -> Self {
        Self { types: BTreeSet::new(), oldest: Date::constant(2000, 1, 1), ahead_s: 300, limits: Limits::default() }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { event_bytes: 64 << 10, description_bytes: 10_000, line_bytes: 1000, attributes: 200, steps: 100 }
    }
}

impl Rules {
    /// When the first event may have happened.
    pub(super) fn begin(&self, zone: &TimeZone) -> Timestamp {
        zone.to_timestamp(self.oldest.to_datetime(Time::midnight())).unwrap_or(Timestamp::MIN)
    }
}
