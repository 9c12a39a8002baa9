//! Which state of the past (or future) a reader asks for.

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

/// Which state of the boundaries is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Moment {
    /// What is in force at this time (`at=`).
    At(Timestamp),
    /// What this revision published, in force or not (`rev=`).
    Revision(u64),
}

/// Why a text is no moment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither a date (2026-03-01) nor a time (2026-03-01T08:00:00+08:00)")]
pub struct MomentError(String);

impl Moment {
    /// Reads `at=`: an RFC 3339 time, or a bare date, which is its midnight in `zone`.
    ///
    /// # Errors
    ///
    /// Where the text is neither.
    pub fn parse_at(text: &str, zone: &TimeZone) -> Result<Timestamp, MomentError> {
        let refuse = || MomentError(text.to_owned());
        if let Ok(time) = text.parse::<Timestamp>() {
            return Ok(time);
        }
        let date: Date = text.parse().map_err(|_| refuse())?;
        // `Date` also parses what has a time behind it; that time had no zone and was refused above.
        if text.len() > 10 {
            return Err(refuse());
        }
        zone.to_timestamp(date.to_datetime(Time::midnight())).map_err(|_| refuse())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_date_is_midnight_in_the_city_s_zone() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let cases = [
            ("2026-03-01", Some("2026-02-28T16:00:00Z")),
            ("2026-03-01T00:00:00+08:00", Some("2026-02-28T16:00:00Z")),
            ("2026-03-01T00:00:00Z", Some("2026-03-01T00:00:00Z")),
            ("2026-03-01T00:00:00", None),
            ("2026-02-30", None),
            ("yesterday", None),
            ("", None),
        ];
        for (text, expected) in cases {
            let time = Moment::parse_at(text, &zone).ok().map(|t| t.to_string());
            assert_eq!(time.as_deref(), expected, "{text}");
        }
    }
}
