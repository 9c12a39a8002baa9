//! Which stream is followed, and how.

use std::path::PathBuf;

use serde::Deserialize;

/// Most events of one transaction.
const MOST_IN_BATCH: usize = 2000;

/// A stream that events come from.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The servers, parted by commas: `nats://host:4222`, `tls://host:4222`.
    pub url: String,
    /// The name of the stream. It must be there.
    pub stream: String,
    /// The subjects of it that are events; all where it is not said.
    #[serde(default)]
    pub subject: Option<String>,
    /// The name of the durable consumer. Services that share it share the work.
    #[serde(default = "consumer")]
    pub consumer: String,
    /// The subject under which messages that are no events go, with the reason. A stream
    /// must keep it, and it must be none of the subjects that are followed.
    pub rejected: String,
    /// A file of credentials.
    #[serde(default)]
    pub credentials: Option<PathBuf>,
    /// A file of certificates in PEM that the servers' are held against.
    #[serde(default)]
    pub certificates: Option<PathBuf>,
    /// Most events in one transaction.
    #[serde(default = "batch")]
    pub batch: usize,
}

fn consumer() -> String {
    "gridatlas".to_owned()
}

fn batch() -> usize {
    1000
}

/// What in the settings makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{member}: {reason}")]
pub struct Nonsense {
    /// Which member.
    pub member: &'static str,
    /// What is wrong with it.
    pub reason: String,
}

impl Settings {
    /// Says what in it makes no sense.
    ///
    /// # Errors
    ///
    /// The first such member.
    pub fn check(&self) -> Result<(), Nonsense> {
        let nonsense = |member, reason: String| Err(Nonsense { member, reason });
        if let Err(error) = self.servers() {
            return nonsense("url", error);
        }
        let is_name = |name: &str| {
            !name.is_empty() && name.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '.' | '*' | '>' | '/' | '\\'))
        };
        for (member, name) in [("stream", &self.stream), ("consumer", &self.consumer)] {
            if !is_name(name) {
                return nonsense(member, format!("{name:?} is no name: letters, digits, - and _"));
            }
        }
        let is_subject = |subject: &str, wild: bool| {
            subject.split('.').enumerate().all(|(i, token)| {
                let last = i + 1 == subject.split('.').count();
                let plain = !token.is_empty() && token.chars().all(|c| c.is_ascii_graphic() && c != '*' && c != '>');
                plain || wild && (token == "*" || token == ">" && last)
            })
        };
        if let Some(subject) = self.subject.as_ref().filter(|subject| !is_subject(subject, true)) {
            return nonsense("subject", format!("{subject:?} is no subject"));
        }
        if !is_subject(&self.rejected, false) {
            return nonsense("rejected", format!("{:?} is no subject without wildcards", self.rejected));
        }
        if self.subject.as_ref().is_some_and(|subject| covers(subject, &self.rejected)) {
            let reason = format!("{} is one of the subjects that are followed: it would come in again", self.rejected);
            return nonsense("rejected", reason);
        }
        if !(1..=MOST_IN_BATCH).contains(&self.batch) {
            return nonsense("batch", format!("{} is not 1 to {MOST_IN_BATCH}", self.batch));
        }
        Ok(())
    }

    /// The addresses of the servers.
    pub(super) fn servers(&self) -> Result<Vec<async_nats::ServerAddr>, String> {
        let one = |url: &str| url.trim().parse().map_err(|error| format!("{} can't be read: {error}", told(url)));
        self.url.split(',').map(one).collect()
    }

    /// The address, without what is secret in it.
    pub(super) fn place(&self) -> String {
        self.url.split(',').map(|url| told(url.trim())).collect::<Vec<_>>().join(",")
    }
}

/// A URL without its user and password.
fn told(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => format!("{scheme}://{}", rest.rsplit_once('@').map_or(rest, |(_, host)| host)),
        None => url.rsplit_once('@').map_or(url, |(_, host)| host).to_owned(),
    }
}

/// Whether a subject with wildcards covers one without.
pub(super) fn covers(wild: &str, subject: &str) -> bool {
    let mut tokens = subject.split('.');
    for wanted in wild.split('.') {
        match (wanted, tokens.next()) {
            (">", Some(_)) => return true,
            ("*", Some(_)) => {}
            (wanted, Some(token)) if wanted == token => {}
            _ => return false,
        }
    }
    tokens.next().is_none()
}
