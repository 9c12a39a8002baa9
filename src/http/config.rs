//! How a service is set up: a JSON file and flags over it.
//!
//! Invariant: a member that is not known is an error, so a misspelt limit can't pass
//! for one that is in force. Every limit has a default that suits a small machine.

use std::path::Path;

use axum::http::{HeaderValue, Uri};
use jiff::tz::TimeZone;
use serde::Deserialize;

use crate::intake;
use crate::nats;
use crate::portrait;
use crate::redraw::Settings;
use crate::routing::{Routing, RuleSettings};
use crate::steps;
use crate::webhooks;

/// The configuration of a service. Everything has a default.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The address by which clients reach the service, with the path it lies under
    /// (`https://maps.example.org/atlas`). Without it, URLs follow from each request.
    pub public_url: Option<String>,
    /// Whether `Forwarded` and `X-Forwarded-*` say how clients reach the service.
    /// Only true where a proxy sets them and clients can't.
    pub trust_forwarded: bool,
    /// Origins whose pages may read answers. Tiles and styles may be read by any.
    pub cors_origins: Vec<String>,
    /// The IANA zone in which a bare date is midnight.
    pub time_zone: String,
    /// A map to lie below the city.
    pub base_map: Option<BaseMap>,
    /// How the city plans its boundaries.
    pub plans: Settings,
    /// The way of events: states, limits, calendars.
    pub steps: steps::Settings,
    /// How events are taken in.
    pub events: intake::Rules,
    /// A NATS JetStream that events come from as well.
    pub nats: Option<nats::Settings>,
    /// Rules above the map: who answers for an event first.
    pub routing: Vec<RuleSettings>,
    /// Who is told of what happens to events.
    pub webhooks: Vec<webhooks::Settings>,
    /// What portraits tell.
    pub portraits: portrait::Settings,
    /// What a client may ask for.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            public_url: None,
            trust_forwarded: false,
            cors_origins: Vec::new(),
            time_zone: "Asia/Shanghai".to_owned(),
            base_map: None,
            plans: Settings::default(),
            steps: steps::Settings::default(),
            events: intake::Rules::default(),
            nats: None,
            routing: Vec::new(),
            webhooks: Vec::new(),
            portraits: portrait::Settings::default(),
            limits: Limits::default(),
        }
    }
}

/// A map from elsewhere, drawn below the city.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaseMap {
    /// Whether its tiles are pictures or vectors.
    pub kind: BaseMapKind,
    /// A template with `{z}`, `{x}` and `{y}`, or the URL of a TileJSON.
    pub url: String,
    /// The datum that its tiles are drawn in: `wgs84`, `cgcs2000`, `gcj02` or `bd09`.
    #[serde(default = "wgs84")]
    pub datum: String,
    /// Whom to thank for it, shown on the map.
    #[serde(default)]
    pub attribution: String,
}

fn wgs84() -> String {
    "wgs84".to_owned()
}

/// Whether tiles are pictures or vectors.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum BaseMapKind {
    /// PNG, JPEG or WebP.
    Raster,
    /// Mapbox vector tiles.
    Vector,
}

/// What a client may ask for, and how long it may take.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Connections at once; further ones are told to come again.
    pub connections: usize,
    /// Requests at once; further ones are answered 503. Health is always answered.
    pub requests: usize,
    /// Streams of places to locate at once; further ones are answered 429.
    pub bulk_requests: usize,
    /// Listeners of the feed of changes at once.
    pub listeners: usize,
    /// Seconds for the head of a request to arrive, and for which an idle connection is kept.
    pub header_s: u64,
    /// Seconds until the answer must have begun.
    pub request_s: u64,
    /// Seconds between two pieces of a stream, either way.
    pub idle_s: u64,
    /// Seconds that open requests get to finish when the service is stopped.
    pub stop_s: u64,
    /// Bytes of a body as it is sent.
    pub body_bytes: u64,
    /// Bytes of a body once it is inflated.
    pub inflated_bytes: u64,
    /// Bytes of a stream of places, inflated; it is never held whole.
    pub stream_bytes: u64,
    /// Bytes of a stream that are held while its client has yet to read the answers.
    pub stream_held_bytes: usize,
    /// Items in one array.
    pub items: usize,
    /// Features on one page.
    pub page: usize,
    /// Bytes of tiles that are kept in memory; 0 keeps none.
    pub tile_cache_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            requests: 512,
            bulk_requests: 8,
            listeners: 1024,
            header_s: 15,
            request_s: 30,
            idle_s: 30,
            stop_s: 20,
            body_bytes: 32 << 20,
            inflated_bytes: 64 << 20,
            stream_bytes: 4 << 30,
            stream_held_bytes: 64 << 20,
            items: 100_000,
            page: 1000,
            tile_cache_bytes: 256 << 20,
        }
    }
}

/// Why a configuration can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("{path}: {cause}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        cause: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("{path}: {cause}")]
    Malformed {
        /// The file.
        path: String,
        /// Where and why.
        cause: serde_json::Error,
    },
    /// A value makes no sense.
    #[error("{member}: {reason}")]
    Nonsense {
        /// Which member.
        member: &'static str,
        /// What is wrong with it.
        reason: String,
    },
}

impl Config {
    /// Reads a file and checks it.
    ///
    /// # Errors
    ///
    /// When it can't be read, is not JSON, has a member that is not known, or one
    /// whose value makes no sense.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let name = || path.display().to_string();
        let text = std::fs::read(path).map_err(|cause| ConfigError::Unreadable { path: name(), cause })?;
        let config: Self =
            serde_json::from_slice(&text).map_err(|cause| ConfigError::Malformed { path: name(), cause })?;
        config.check()?;
        Ok(config)
    }

    /// What takes events in by this configuration.
    ///
    /// # Errors
    ///
    /// Where the zone or the table of steps makes no sense.
    pub fn intake(&self) -> Result<intake::Intake, ConfigError> {
        let (zone, way) = self.way()?;
        Ok(intake::Intake::new(self.events.clone(), way, zone).routed(self.routing()?))
    }

    /// The rules above the map.
    fn routing(&self) -> Result<Routing, ConfigError> {
        Routing::new(&self.routing).map_err(|defects| {
            let defects: Vec<String> = defects.iter().map(ToString::to_string).collect();
            ConfigError::Nonsense { member: "routing", reason: defects.join("; ") }
        })
    }

    /// Who is told of what happens to events.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with one of them.
    pub fn subscriptions(&self) -> Result<Vec<webhooks::Subscription>, ConfigError> {
        webhooks::Subscription::all(&self.webhooks).map_err(|defects| {
            let defects: Vec<String> = defects.iter().map(ToString::to_string).collect();
            ConfigError::Nonsense { member: "webhooks", reason: defects.join("; ") }
        })
    }

    /// The city's zone, and the way of its events.
    fn way(&self) -> Result<(TimeZone, steps::Steps), ConfigError> {
        let nonsense = |member, reason: String| ConfigError::Nonsense { member, reason };
        let unknown = || format!("{} is not a time zone that this machine knows", self.time_zone);
        let zone = TimeZone::get(&self.time_zone).map_err(|_| nonsense("time_zone", unknown()))?;
        let way = steps::Steps::new(&self.steps, &zone).map_err(|defects| {
            let defects: Vec<String> = defects.iter().map(ToString::to_string).collect();
            nonsense("steps", defects.join("; "))
        })?;
        Ok((zone, way))
    }

    /// Says what in it makes no sense.
    ///
    /// # Errors
    ///
    /// The first such member.
    pub fn check(&self) -> Result<(), ConfigError> {
        let nonsense = |member, reason: String| Err(ConfigError::Nonsense { member, reason });
        if let Some(url) = &self.public_url {
            match url.parse::<Uri>() {
                Ok(uri) if matches!(uri.scheme_str(), Some("http" | "https")) && uri.query().is_none() => {}
                _ => return nonsense("public_url", format!("{url} is not an http or https URL")),
            }
        }
        self.way()?;
        self.routing()?;
        self.subscriptions()?;
        for origin in &self.cors_origins {
            let has_path = origin.split_once("://").is_none_or(|(_, host)| host.is_empty() || host.contains('/'));
            if has_path || HeaderValue::from_str(origin).is_err() {
                return nonsense("cors_origins", format!("{origin} is not an origin such as https://example.org"));
            }
        }
        if let Some(map) = &self.base_map
            && !matches!(map.datum.as_str(), "wgs84" | "cgcs2000" | "gcj02" | "bd09")
        {
            return nonsense("base_map.datum", format!("{} is none of wgs84, cgcs2000, gcj02, bd09", map.datum));
        }
        if let Some(Err(defect)) = self.nats.as_ref().map(nats::Settings::check) {
            return nonsense("nats", defect.to_string());
        }
        let l = &self.limits;
        let all = [l.connections, l.requests, l.bulk_requests, l.listeners, l.stream_held_bytes, l.items, l.page];
        let times = [l.header_s, l.request_s, l.idle_s, l.body_bytes, l.inflated_bytes, l.stream_bytes];
        if all.contains(&0) || times.contains(&0) {
            return nonsense("limits", "a limit of 0 lets nothing through".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config, ConfigError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Config::read(file.path())
    }

    #[test]
    fn a_member_that_is_not_known_is_an_error_that_names_it() {
        let error = read(r#"{"limits": {"requsts": 3}}"#).unwrap_err().to_string();
        assert!(error.contains("requsts") && error.contains("requests"), "{error}");
    }

    #[test]
    fn what_is_not_said_has_its_default() {
        let config = read(r#"{"limits": {"requests": 3}, "base_map": {"kind": "raster", "url": "/b/{z}/{x}/{y}"}}"#);
        let config = config.unwrap();
        assert_eq!(config.limits.requests, 3);
        assert_eq!(config.limits.page, Limits::default().page);
        assert_eq!(config.base_map.unwrap().datum, "wgs84");
    }

    #[test]
    fn values_that_make_no_sense_are_refused() {
        for text in [
            r#"{"public_url": "maps.example.org"}"#,
            r#"{"time_zone": "Mars/Olympus"}"#,
            r#"{"cors_origins": ["https://a.example/path"]}"#,
            r#"{"limits": {"requests": 0}}"#,
            r#"{"nats": {"url": "nats://127.0.0.1", "stream": "a.b", "rejected": "c"}}"#,
            r#"{"steps": {"first": "nowhere"}}"#,
            r#"{"routing": [{"rule": "a", "to": {"body": ""}}]}"#,
            r#"{"base_map": {"kind": "raster", "url": "x", "datum": "nad27"}}"#,
            r#"{"webhooks": [{"name": "a", "url": "nowhere", "secret": "whsec_"}]}"#,
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
