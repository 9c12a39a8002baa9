//! Who is told, as it is configured.
//!
//! Invariant: a [`Subscription`] can be followed: its URL leads somewhere, its key can sign, its
//! times are times. Everything that is wrong is said at once, with its place.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use http::Uri;
use jiff::SignedDuration;
use serde::Deserialize;

use super::signature::Key;
use super::{Interest, Kind};
use crate::snapshot::DEFAULT_COVERAGE;

/// Attempts before something is given up, unless it is said.
const ATTEMPTS: u32 = 12;
/// No pause while nobody is there is longer, so that they are found soon when they are back.
const MOST_AWAY: Duration = Duration::from_secs(60);
/// The longest that anything may be configured to take: a week.
const MOST_S: f64 = 604_800.0;
/// A hundred years.
const MOST_AGE_S: f64 = 36_500.0 * 86_400.0;

/// One who is told, as in the configuration.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// What the subscription is known by: its place in the log is kept under it.
    pub name: String,
    /// Where messages are sent.
    pub url: String,
    /// What they are signed with: `whsec_` and 24 to 64 bytes as base64.
    pub secret: String,
    /// The secret before this one: while it is there, messages carry both signatures.
    pub old_secret: Option<String>,
    /// Only events that the area of this code, or one below it, owns.
    pub area: Option<String>,
    /// The coverage that it is a code of.
    pub coverage: Option<String>,
    /// Only what happens of these kinds.
    pub changes: Option<Vec<Kind>>,
    /// Of events that are filed only those that happened at most so many days before: not what
    /// is brought in from a file of the last ten years.
    pub filed_within_days: Option<f64>,
    /// Seconds for one attempt.
    pub timeout_s: Option<f64>,
    /// Attempts before it is given up.
    pub attempts: Option<u32>,
    /// Seconds before the second attempt; each further pause is twice as long.
    pub first_retry_s: Option<f64>,
    /// The longest pause.
    pub longest_retry_s: Option<f64>,
    /// Seconds for which a process that is gone keeps others from telling in its place.
    pub lease_s: Option<f64>,
}

// By hand: secrets stay out of logs.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("name", &self.name).field("area", &self.area).finish_non_exhaustive()
    }
}

/// What is wrong with a subscription.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("[{index}].{member}: {reason}")]
pub struct Defect {
    /// Which subscription, from 0.
    pub index: usize,
    /// Which member of it.
    pub member: &'static str,
    /// What is wrong with it.
    pub reason: String,
}

/// One who is told.
#[derive(Clone, Debug)]
pub struct Subscription {
    name: String,
    url: Uri,
    keys: Vec<Key>,
    interest: Interest,
    timeout: Duration,
    attempts: u32,
    first_retry: Duration,
    longest_retry: Duration,
    lease: Duration,
}

impl Subscription {
    /// All that are configured.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with them.
    pub fn all(settings: &[Settings]) -> Result<Vec<Self>, Vec<Defect>> {
        let mut defects = Vec::new();
        let mut names = BTreeSet::new();
        let mut all = Vec::new();
        for (index, one) in settings.iter().enumerate() {
            let mut defect = |member, reason: &str| defects.push(Defect { index, member, reason: reason.to_owned() });
            if !names.insert(one.name.as_str()) {
                defect("name", "another subscription has it");
            }
            if let Some(subscription) = Self::read(one, &mut defect) {
                all.push(subscription);
            }
        }
        if defects.is_empty() { Ok(all) } else { Err(defects) }
    }

    fn read(settings: &Settings, defect: &mut impl FnMut(&'static str, &str)) -> Option<Self> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if settings.name.is_empty() || settings.name.len() > 64 || !settings.name.chars().all(is_plain) {
            defect("name", "it is 1 to 64 letters, digits, - and _");
        }
        let url = settings.url.parse::<Uri>().ok().filter(|url| {
            let host = url.authority().is_some_and(|a| !a.host().is_empty() && !a.as_str().contains('@'));
            matches!(url.scheme_str(), Some("http" | "https")) && host
        });
        if url.is_none() {
            defect("url", "it is an http or https URL without a user in it");
        }
        let mut key = |member, text: &str| {
            let key = Key::read(text);
            if key.is_none() {
                defect(member, "it is whsec_ and 24 to 64 random bytes as base64");
            }
            key
        };
        let newer = key("secret", &settings.secret);
        let older = settings.old_secret.as_deref().map(|text| key("old_secret", text));
        if settings.area.as_deref() == Some("") {
            defect("area", "it is the code of an area");
        }
        let kinds: BTreeSet<Kind> = settings.changes.as_deref().unwrap_or(Kind::ALL).iter().copied().collect();
        if kinds.is_empty() {
            defect("changes", "of none of them nothing is told");
        }
        let filed_within = settings.filed_within_days.and_then(|days| {
            let seconds = Some(days * 86_400.0).filter(|seconds| (0.0..=MOST_AGE_S).contains(seconds));
            if seconds.is_none() {
                defect("filed_within_days", "it is 0 to 36500 days");
            }
            seconds.map(SignedDuration::from_secs_f64)
        });
        let attempts = settings.attempts.unwrap_or(ATTEMPTS);
        if attempts == 0 {
            defect("attempts", "it is told at least once");
        }
        let mut time = |member, said: Option<f64>, unsaid: f64, least: f64| {
            let seconds = said.unwrap_or(unsaid);
            if !(least..=MOST_S).contains(&seconds) {
                defect(member, &format!("it is {least} to {MOST_S} seconds"));
                return Duration::ZERO;
            }
            Duration::from_secs_f64(seconds)
        };
        let timeout = time("timeout_s", settings.timeout_s, 10.0, 0.1);
        let first_retry = time("first_retry_s", settings.first_retry_s, 5.0, 0.01);
        let longest_retry = time("longest_retry_s", settings.longest_retry_s, 3600.0, 0.01);
        // Whoever sends must be done before another may.
        let lease = time("lease_s", settings.lease_s, 30.0, 1.0);
        if lease < 2 * timeout {
            defect("lease_s", "it is at least twice timeout_s");
        }
        let keys = std::iter::once(newer?).chain(older.flatten()).collect();
        Some(Self {
            name: settings.name.clone(),
            url: url?,
            keys,
            interest: Interest {
                area: settings.area.clone(),
                coverage: settings.coverage.clone().unwrap_or_else(|| DEFAULT_COVERAGE.to_owned()),
                kinds,
                filed_within,
            },
            timeout,
            attempts,
            first_retry,
            longest_retry,
            lease,
        })
    }

    /// What it is known by.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where messages are sent.
    pub(super) fn url(&self) -> &Uri {
        &self.url
    }

    /// Where messages are sent, without what may be secret.
    #[must_use]
    pub fn shown_url(&self) -> String {
        let authority = self.url.authority().map_or("", |authority| authority.as_str());
        format!("{}://{authority}{}", self.url.scheme_str().unwrap_or_default(), self.url.path())
    }

    pub(super) fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// What is told.
    #[must_use]
    pub fn interest(&self) -> &Interest {
        &self.interest
    }

    /// How long one attempt may take.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// How long a line is held without a sign of life.
    #[must_use]
    pub fn lease(&self) -> Duration {
        self.lease
    }

    /// How long to wait after so many attempts that were refused; `None` where it is given up.
    #[must_use]
    pub fn pause(&self, attempts: u32, seq: u64) -> Option<Duration> {
        (attempts < self.attempts).then(|| self.doubled(attempts, self.longest_retry, seq))
    }

    /// How long to wait after nobody was there so many times in a row, and said when to come
    /// again or didn't.
    #[must_use]
    pub fn pause_away(&self, times: u32, after: Option<Duration>) -> Duration {
        let pause = self.doubled(times, self.longest_retry.min(MOST_AWAY), u64::from(times));
        pause.max(after.unwrap_or_default().min(self.longest_retry))
    }

    /// The pause after so many attempts, a half of it spread, so that what failed together
    /// isn't tried again together.
    fn doubled(&self, attempts: u32, longest: Duration, seq: u64) -> Duration {
        let factor = f64::from(attempts.saturating_sub(1).min(40)).exp2();
        let whole = (self.first_retry.as_secs_f64() * factor).min(longest.as_secs_f64());
        // The high bits of a product with an odd constant are spread enough for this.
        let mixed = (seq ^ (u64::from(attempts) << 32) ^ self.name.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let share = (mixed >> 40) as f64 / f64::from(1u32 << 24);
        Duration::from_secs_f64(whole * (0.5 + share / 2.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn all(text: &str) -> Result<Vec<Subscription>, Vec<String>> {
        let settings: Vec<Settings> = serde_json::from_str(text).unwrap();
        Subscription::all(&settings).map_err(|defects| defects.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once_with_its_place() {
        let wrong = all(&format!(
            r#"[{{"name": "a", "url": "https://a.example/x?key=1", "secret": "{SECRET}"}},
                {{"name": "a", "url": "ftp://a.example/", "secret": "short", "area": "", "changes": [],
                  "filed_within_days": -1, "attempts": 0, "timeout_s": 0, "lease_s": 0.5}},
                {{"name": "b c", "url": "http://me:secret@b.example/", "secret": "{SECRET}", "old_secret": "whsec_AAAA"}}]"#
        ));
        let places: Vec<String> =
            wrong.unwrap_err().iter().map(|defect| defect.split(':').next().unwrap().to_owned()).collect();
        let expected = [
            "[1].name",
            "[1].url",
            "[1].secret",
            "[1].area",
            "[1].changes",
            "[1].filed_within_days",
            "[1].attempts",
            "[1].timeout_s",
            "[1].lease_s",
            "[2].name",
            "[2].url",
            "[2].old_secret",
        ];
        assert_eq!(places, expected);
    }

    #[test]
    fn secrets_are_not_shown() {
        let text = format!(r#"[{{"name": "a", "url": "https://a.example/x?key=hidden", "secret": "{SECRET}"}}]"#);
        let settings: Vec<Settings> = serde_json::from_str(&text).unwrap();
        let made = Subscription::all(&settings).unwrap();
        assert!(!format!("{settings:?}").contains("MfKQ") && !format!("{:?}", made[0].keys).contains("77"));
        assert_eq!(made[0].shown_url(), "https://a.example/x");
    }

    #[test]
    fn pauses_double_up_to_the_longest_and_end() {
        let text = format!(
            r#"[{{"name": "a", "url": "http://a/", "secret": "{SECRET}", "attempts": 6, "first_retry_s": 2, "longest_retry_s": 10}}]"#
        );
        let made = all(&text).unwrap().remove(0);
        for seq in 0..200 {
            for (attempts, whole) in [(1, 2.0), (2, 4.0), (3, 8.0), (4, 10.0), (5, 10.0)] {
                let pause = made.pause(attempts, seq).unwrap().as_secs_f64();
                assert!((whole / 2.0..=whole).contains(&pause), "{attempts} of {seq}: {pause}");
            }
            assert_eq!(made.pause(6, seq), None);
        }
        let spread: BTreeSet<Duration> = (0..200).filter_map(|seq| made.pause(3, seq)).collect();
        assert!(spread.len() > 190, "{}", spread.len());
        assert!(made.pause_away(1000, None) <= Duration::from_secs(10));
        let after = |seconds| made.pause_away(1, Some(Duration::from_secs(seconds)));
        assert_eq!((after(7), after(7000)), (Duration::from_secs(7), Duration::from_secs(10)));
    }
}
