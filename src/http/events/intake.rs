//! `POST /events`: one event answers for itself; an array or a stream of JSON lines is filed
//! batch by batch and answered one by one.
//!
//! Invariant: nothing is answered before it is durable. No more is held of a stream than one
//! batch, one line up to the limit of an event, and answers that its client has yet to read.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::super::body::{Bounds, Inbound, whole};
use super::super::layers::Nothing;
use super::super::locate::{Form, items, media_type};
use super::super::params::Params;
use super::super::problem::{Code, Problem};
use super::super::reading::Reading;
use super::super::state::App;
use super::{find, private, shown};
use crate::intake::{Answer, Fault, Rejected, Report};

/// Events that are filed in one transaction.
const BATCH: usize = 2000;
/// Bytes of events that wait to be filed in one.
const BATCH_BYTES: usize = 4 << 20;
/// Answers that wait for a client who has yet to read them, in batches.
const WAITING: usize = 512;

/// Takes events: one, an array, or JSON lines (streamed). What is sent again has no effect.
#[utoipa::path(post, path = "/events", tag = "events",
    request_body(description = "`{source, id, time, type, lon, lat, crs?, accuracy_m?, description?, address?, reporter?, urgency?, \
        attributes?, steps? | state?, state_time?}`, or the place as `building` or `area` (with `coverage`), or an `address` alone",
        content((String = "application/json"), (String = "application/x-ndjson"))),
    responses((status = 201, description = "One event, filed: as `GET /events/{id}`"),
        (status = 200, description = "One event that was filed before; for many `{results: [{source, id, status, problem?}], revision, \
            accepted, duplicate, conflict, rejected}`", content_type = "application/json"),
        (status = 409, description = "One event, with other content than was filed under its id")))]
pub(in super::super) async fn post(
    State(app): State<App>,
    reading: Reading,
    Params(Nothing {}): Params<Nothing>,
    request: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let form = media_type(&request)?;
    app.store()?;
    if form == Form::Lines {
        return stream(app, reading.snapshot.revision, &request, body).await;
    }
    if form == Form::Csv {
        let detail = "send application/json or application/x-ndjson";
        return Err(Problem::new(Code::UnsupportedMediaType, detail));
    }
    let limits = &app.config.limits;
    let text = whole(limits, &request, body).await?;
    if text.trim_ascii_start().first() != Some(&b'[') {
        return one_sent(&app, &text).await;
    }
    let mut tally = Tally::default();
    let mut out = b"{\"results\":[".to_vec();
    for some in items(&text, limits.items)?.chunks(BATCH) {
        let lines: Vec<&[u8]> = some.iter().map(|item: &&RawValue| item.get().as_bytes()).collect();
        filed(&app, &lines, &mut tally, &mut out).await?;
    }
    tally.end(reading.snapshot.revision, None, &mut out);
    Ok(private(([(header::CONTENT_TYPE, "application/json")], out).into_response()))
}

async fn one_sent(app: &App, text: &[u8]) -> Result<Response, Problem> {
    let report = Report::read(text, &app.intake.rules().limits)?;
    let (source, id) = (report.source.clone(), report.id.clone());
    let answer = app.intake.file(&app.atlas, app.store()?, vec![Ok(report)]).await?.pop();
    let status = match answer {
        Some(Answer::Accepted) => StatusCode::CREATED,
        Some(Answer::Duplicate) => StatusCode::OK,
        Some(Answer::Rejected(rejected)) => return Err(rejected.into()),
        None => return Err(Problem::internal("an event was not answered")),
    };
    let event = find(app, &id, Some(&source)).await?;
    let mut answer = shown(app, &HeaderMap::new(), &event);
    *answer.status_mut() = status;
    let place = format!("/events/{}?source={}", encoded(&id), encoded(&source));
    if let Ok(place) = HeaderValue::from_str(&place) {
        answer.headers_mut().insert(header::LOCATION, place);
    }
    Ok(answer)
}

/// A text as a part of a URL.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(byte.into()),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

/// How many of a batch became what.
#[derive(Debug, Default)]
struct Tally {
    accepted: usize,
    duplicate: usize,
    conflict: usize,
    rejected: usize,
}

impl Tally {
    fn count(&mut self, answer: &Answer) -> &'static str {
        let (count, status) = match answer {
            Answer::Accepted => (&mut self.accepted, "accepted"),
            Answer::Duplicate => (&mut self.duplicate, "duplicate"),
            Answer::Rejected(rejected) if rejected.fault == Fault::Conflict => (&mut self.conflict, "conflict"),
            Answer::Rejected(_) => (&mut self.rejected, "rejected"),
        };
        *count += 1;
        status
    }

    fn total(&self) -> usize {
        self.accepted + self.duplicate + self.conflict + self.rejected
    }

    fn end(&self, revision: u64, problem: Option<&Problem>, out: &mut Vec<u8>) {
        let Self { accepted, duplicate, conflict, rejected } = self;
        let counts = format!(
            "],\"revision\":{revision},\"accepted\":{accepted},\"duplicate\":{duplicate},\"conflict\":{conflict},\"rejected\":{rejected}"
        );
        out.extend_from_slice(counts.as_bytes());
        if let Some(problem) = problem {
            out.extend_from_slice(format!(",\"problem\":{}", problem.to_json()).as_bytes());
        }
        out.push(b'}');
    }
}

/// Files some events and writes what became of each.
async fn filed(app: &App, lines: &[&[u8]], tally: &mut Tally, out: &mut Vec<u8>) -> Result<(), Problem> {
    let limits = &app.intake.rules().limits;
    let reports: Vec<Result<Report, Rejected>> = lines.iter().map(|line| Report::read(line, limits)).collect();
    let names: Vec<(Value, Value)> = reports
        .iter()
        .zip(lines)
        .map(|(report, line)| match report {
            Ok(report) => (report.source.as_str().into(), report.id.as_str().into()),
            Err(_) => named(line),
        })
        .collect();
    let answers = app.intake.file(&app.atlas, app.store()?, reports).await?;
    for ((source, id), answer) in names.into_iter().zip(answers) {
        if tally.total() > 0 {
            out.push(b',');
        }
        let mut result = json!({ "source": source, "id": id, "status": tally.count(&answer) });
        if let Answer::Rejected(rejected) = answer {
            result["problem"] = Problem::from(rejected).to_json();
        }
        out.extend_from_slice(result.to_string().as_bytes());
    }
    Ok(())
}

/// What an event that can't be taken calls itself, where that can be read.
fn named(line: &[u8]) -> (Value, Value) {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Named {
        source: Value,
        id: Value,
    }
    let is_object = line.trim_ascii_start().first() == Some(&b'{');
    let named: Named = if is_object { serde_json::from_slice(line).unwrap_or_default() } else { Named::default() };
    let short = |value: Value| match value {
        Value::String(text) => text.chars().take(200).collect::<String>().into(),
        Value::Number(number) => number.to_string().into(),
        _ => Value::Null,
    };
    (short(named.source), short(named.id))
}

/// Reads JSON lines from a body, a batch at a time.
struct Lines {
    inbound: Inbound,
    rest: Vec<u8>,
    /// A line so long that its event is too large is only counted on.
    longest: usize,
    skipping: bool,
    ended: bool,
}

impl Lines {
    /// Whole lines of the next batch; none at the end.
    async fn next(&mut self) -> Result<Vec<Vec<u8>>, Problem> {
        let mut lines: Vec<Vec<u8>> = Vec::new();
        let mut bytes = 0;
        while lines.len() < BATCH && bytes < BATCH_BYTES {
            if let Some(end) = self.rest.iter().position(|b| *b == b'\n') {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                bytes += line.len();
                if !std::mem::take(&mut self.skipping) && !line.trim_ascii().is_empty() {
                    lines.push(line);
                }
                continue;
            }
            if self.rest.len() > self.longest {
                // Its beginning is told that it is too large; the remainder is passed over.
                if !std::mem::replace(&mut self.skipping, true) {
                    lines.push(self.rest.clone());
                }
                self.rest.clear();
            }
            if self.ended {
                let last = std::mem::take(&mut self.rest);
                if !std::mem::take(&mut self.skipping) && !last.trim_ascii().is_empty() {
                    lines.push(last);
                }
                break;
            }
            match self.inbound.next().await? {
                Some(piece) => self.rest.extend_from_slice(&piece),
                None => self.ended = true,
            }
        }
        Ok(lines)
    }
}

async fn stream(app: App, revision: u64, request: &HeaderMap, body: Body) -> Result<Response, Problem> {
    let slot = app.bulk.clone().try_acquire_owned().map_err(|_| {
        Problem::new(Code::TooManyRequests, "as many batches as the limit allows are under way").retry_after_s(2)
    })?;
    let limits = &app.config.limits;
    let idle = Duration::from_secs(limits.idle_s);
    let bounds = Bounds { sent: limits.stream_bytes, inflated: limits.stream_bytes, idle };
    let longest = app.intake.rules().limits.event_bytes;
    let inbound = Inbound::new(request, body, bounds)?;
    let mut lines = Lines { inbound, rest: Vec::new(), longest, skipping: false, ended: false };
    // What is wrong with the first batch decides the status.
    let mut tally = Tally::default();
    let mut out = b"{\"results\":[".to_vec();
    file_lines(&app, &lines.next().await?, &mut tally, &mut out).await?;
    let (answers, body) = mpsc::channel::<Result<Bytes, Problem>>(WAITING);
    tokio::spawn(async move {
        let _slot = slot;
        let mut out = Some(out);
        loop {
            let send = answers.send(Ok(Bytes::from(out.take().unwrap_or_default())));
            // A client that stops reading gives up its slot.
            if !matches!(tokio::time::timeout(idle, send).await, Ok(Ok(()))) {
                return;
            }
            let mut piece = Vec::new();
            let next = lines.next().await;
            let (ends, problem) = match next {
                Ok(lines) if lines.is_empty() => (true, None),
                Ok(lines) => match file_lines(&app, &lines, &mut tally, &mut piece).await {
                    Ok(()) => (false, None),
                    Err(problem) => (true, Some(problem)),
                },
                Err(problem) => (true, Some(problem)),
            };
            if ends {
                tally.end(revision, problem.as_ref(), &mut piece);
                // Nobody is left to answer where this fails.
                let _ = tokio::time::timeout(idle, answers.send(Ok(Bytes::from(piece)))).await;
                return;
            }
            out = Some(piece);
        }
    });
    let mut answer = Response::new(Body::from_stream(ReceiverStream::new(body)));
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(private(answer))
}

async fn file_lines(app: &App, lines: &[Vec<u8>], tally: &mut Tally, out: &mut Vec<u8>) -> Result<(), Problem> {
    let lines: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
    if lines.is_empty() { Ok(()) } else { filed(app, &lines, tally, out).await }
}
