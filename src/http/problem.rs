//! What goes wrong, as clients see it: RFC 9457 `application/problem+json` with a
//! stable `code`.
//!
//! Invariant: the answer holds the public message alone. The cause of a failure of
//! our own (a store's error text, a path, a panic's message) goes to the log, never
//! onto the wire.

use std::fmt;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::store;

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $slug:literal, $status:ident, $title:literal;)+) => {
        /// Every kind of problem that the service answers with.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[doc = $doc])+ $name,)+ }

        impl Code {
            /// All of them, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The stable name on the wire.
            #[must_use]
            pub const fn slug(self) -> &'static str {
                match self { $(Self::$name => $slug,)+ }
            }

            /// The status that it is answered with.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)+ }
            }

            /// What it means, for people; the same for every occurrence.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)+ }
            }
        }
    };
}

codes! {
    /// A parameter of the query that this resource doesn't have.
    UnknownParameter = "unknown_parameter", BAD_REQUEST, "The query has a parameter that this resource does not know";
    /// A parameter that this resource needs.
    MissingParameter = "missing_parameter", BAD_REQUEST, "The query lacks a parameter that this resource needs";
    /// A parameter whose value makes no sense.
    BadParameter = "bad_parameter", BAD_REQUEST, "A parameter has a value that makes no sense";
    /// A longitude or latitude that is no place.
    BadPosition = "bad_position", BAD_REQUEST, "The position is not a place on the globe";
    /// A datum or projection that is not known.
    UnknownCrs = "unknown_crs", BAD_REQUEST, "The coordinate reference system is not known";
    /// A tile address outside its zoom, or a zoom that doesn't exist.
    BadTile = "bad_tile", BAD_REQUEST, "There is no such tile";
    /// A body that is not what its media type says.
    BadBody = "bad_body", BAD_REQUEST, "The body can not be read";
    /// A request that HTTP itself forbids, or a header that makes no sense.
    BadRequest = "bad_request", BAD_REQUEST, "The request makes no sense";
    /// A path that leads nowhere.
    NotFound = "not_found", NOT_FOUND, "There is nothing at this path";
    /// A coverage that doesn't exist.
    UnknownCoverage = "unknown_coverage", NOT_FOUND, "There is no such coverage";
    /// A level that the coverage doesn't have.
    UnknownLevel = "unknown_level", NOT_FOUND, "There is no such level";
    /// A code that no area has.
    UnknownArea = "unknown_area", NOT_FOUND, "No area has this code";
    /// A layer that doesn't exist.
    UnknownLayer = "unknown_layer", NOT_FOUND, "There is no such layer";
    /// An id that nothing in the layer has.
    UnknownFeature = "unknown_feature", NOT_FOUND, "Nothing in this layer has this id";
    /// A style that doesn't exist.
    UnknownStyle = "unknown_style", NOT_FOUND, "There is no such style";
    /// A revision that doesn't exist.
    UnknownRevision = "unknown_revision", NOT_FOUND, "There is no such revision";
    /// A plan that doesn't exist.
    UnknownPlan = "unknown_plan", NOT_FOUND, "There is no such plan";
    /// An id that no event has.
    UnknownEvent = "unknown_event", NOT_FOUND, "There is no such event";
    /// A webhook that isn't configured.
    UnknownWebhook = "unknown_webhook", NOT_FOUND, "There is no such webhook";
    /// Nothing of this id was given up.
    UnknownDelivery = "unknown_delivery", NOT_FOUND, "Nothing of this id was given up";
    /// A method that the path doesn't answer.
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, "The path does not answer this method";
    /// An answer that comes in no form which the client takes.
    NotAcceptable = "not_acceptable", NOT_ACCEPTABLE, "The answer does not come in any form that the client takes";
    /// The client took too long to send its request.
    SlowRequest = "slow_request", REQUEST_TIMEOUT, "The request did not arrive in time";
    /// Two requests want different things.
    Conflict = "conflict", CONFLICT, "The request contradicts what is there";
    /// An event that somebody else has in hand.
    Assigned = "assigned", CONFLICT, "Somebody else has the event in hand";
    /// A plan that is not far enough on its way, or too far.
    WrongState = "wrong_state", CONFLICT, "The plan is in another state";
    /// A plan whose base is no longer the head.
    Behind = "behind", CONFLICT, "Something was published since the plan's base";
    /// Edits that concern what others changed.
    Conflicts = "conflicts", CONFLICT, "Edits of the plan concern what was changed meanwhile";
    /// `If-Match` names another state than the present one.
    PreconditionFailed = "precondition_failed", PRECONDITION_FAILED, "It has changed since it was read";
    /// The body, as sent or once inflated, is over the limit.
    BodyTooLarge = "body_too_large", PAYLOAD_TOO_LARGE, "The body is over the limit";
    /// More items in one request than the limit.
    TooManyItems = "too_many_items", PAYLOAD_TOO_LARGE, "The body holds more items than the limit";
    /// A media type or content coding that the resource doesn't read.
    UnsupportedMediaType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE, "The body has a media type or coding that this resource does not read";
    /// An event that is over a limit, or a part of it.
    EventTooLarge = "event_too_large", PAYLOAD_TOO_LARGE, "The event, or a part of it, is over its limit";
    /// A time that an event or a step can't have.
    BadTime = "bad_time", UNPROCESSABLE_ENTITY, "It can not have happened at this time";
    /// A type that is not in the configured table.
    UnknownType = "unknown_type", UNPROCESSABLE_ENTITY, "There is no such type of events";
    /// A building or area that an event names and that isn't there, or wasn't then.
    UnknownPlace = "unknown_place", UNPROCESSABLE_ENTITY, "The place that is named is not known";
    /// A worker who is not in the register.
    UnknownWorker = "unknown_worker", UNPROCESSABLE_ENTITY, "There is no such worker";
    /// A step that an event can't take.
    StepRefused = "step_refused", UNPROCESSABLE_ENTITY, "The event can not take this step";
    /// A body that can be read and makes no sense.
    Unprocessable = "unprocessable", UNPROCESSABLE_ENTITY, "The body can be read but not followed";
    /// An edit that can't be made.
    EditRefused = "edit_refused", UNPROCESSABLE_ENTITY, "The edit can not be made";
    /// A plan that its author would approve.
    OwnPlan = "own_plan", UNPROCESSABLE_ENTITY, "A plan is approved by somebody else than its author";
    /// A change without `If-Match`.
    PreconditionRequired = "precondition_required", PRECONDITION_REQUIRED, "A change needs the header If-Match";
    /// More of this kind of work at once than the limit.
    TooManyRequests = "too_many_requests", TOO_MANY_REQUESTS, "More of this work is under way than the limit";
    /// A failure of our own.
    Internal = "internal", INTERNAL_SERVER_ERROR, "The service failed";
    /// More requests at once than the limit.
    Overloaded = "overloaded", SERVICE_UNAVAILABLE, "The service is at its limit";
    /// The answer took longer than the limit.
    TookTooLong = "took_too_long", SERVICE_UNAVAILABLE, "The answer took longer than the limit";
    /// The store didn't answer, or refused.
    StoreUnavailable = "store_unavailable", SERVICE_UNAVAILABLE, "The store can not be reached";
}

/// One problem, on its way to a client.
#[derive(Debug)]
pub struct Problem {
    code: Code,
    detail: String,
    cause: Option<String>,
    more: Map<String, Value>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// A problem of that kind, with what is particular to this occurrence.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), cause: None, more: Map::new(), headers: Vec::new() }
    }

    /// A failure of our own: the cause is for the log alone.
    #[must_use]
    pub fn internal(cause: impl fmt::Display) -> Self {
        Self::new(Code::Internal, "the failure is in the log of the service").caused_by(cause)
    }

    /// Names the cause, which the client will not see.
    #[must_use]
    pub fn caused_by(mut self, cause: impl fmt::Display) -> Self {
        self.cause = Some(cause.to_string());
        self
    }

    /// Adds a member to the answer.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.more.insert(name.to_owned(), value.into());
        self
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Says when to come again.
    #[must_use]
    pub fn retry_after_s(self, seconds: u32) -> Self {
        self.header(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// The same problem, of one item of a batch.
    #[must_use]
    pub fn within_item(mut self, index: usize) -> Self {
        self.detail = format!("item {index}: {}", self.detail);
        self.with("item", index)
    }

    /// Its kind.
    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }

    /// What the client may read of it.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The JSON object of the answer.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut object = json!({
            "type": format!("urn:gridatlas:problem:{}", self.code.slug()),
            "title": self.code.title(),
            "status": self.code.status().as_u16(),
            "code": self.code.slug(),
            "detail": self.detail,
        });
        if let Value::Object(object) = &mut object {
            object.extend(self.more.clone());
        }
        object
    }
}

impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Self {
        let unavailable = |detail: &str| Self::new(Code::StoreUnavailable, detail).retry_after_s(2);
        match &error {
            store::Error::Busy => unavailable("somebody else is writing to the store"),
            store::Error::Full => unavailable("the store has no room left"),
            store::Error::Stale(_) => Self::new(Code::PreconditionFailed, error.to_string()),
            store::Error::Refused(why) => Self::new(Code::Unprocessable, why.clone()),
            store::Error::Moved { .. } | store::Error::TooManyRemoved { .. } => {
                Self::new(Code::Conflict, error.to_string())
            }
            store::Error::Missing(_) | store::Error::NotAStore { .. } | store::Error::Database { .. } => {
                unavailable("the store does not answer").caused_by(&error)
            }
            store::Error::Damaged(_) => Self::internal(&error),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.slug(), self.detail)?;
        self.cause.as_ref().map_or(Ok(()), |cause| write!(f, " ({cause})"))
    }
}

impl std::error::Error for Problem {}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        if self.code.status().is_server_error() {
            tracing::error!(problem = self.code.slug(), cause = self.cause.as_deref(), "{}", self.detail);
        } else {
            tracing::debug!(problem = self.code.slug(), cause = self.cause.as_deref(), "{}", self.detail);
        }
        let mut answer = (self.code.status(), self.to_json().to_string()).into_response();
        let headers = answer.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.extend(self.headers);
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_of_a_failure_stays_inside() {
        let problem = Problem::internal("disk /dev/sda1 is full");
        assert!(!problem.to_json().to_string().contains("sda1"));
        assert!(problem.to_string().contains("sda1"));
    }

    #[test]
    fn every_code_has_a_name_of_its_own() {
        let mut slugs: Vec<_> = Code::ALL.iter().map(|c| c.slug()).collect();
        slugs.sort_unstable();
        slugs.dedup();
        assert_eq!(slugs.len(), Code::ALL.len());
    }
}
