//! `/openapi.json` and `/docs`: what the service answers, for programs and people.
//!
//! The page is made from the document when the service starts. It needs no script
//! and nothing from elsewhere, so it also works in a closed network.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;

use super::problem::Code;
use super::state::App;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Gridatlas",
        description = "Which grid owns every place of a city, what lies in it, and who is near. Positions are \
            longitude then latitude in degrees, distances metres, times RFC 3339. Every answer carries the header \
            Gridatlas-Revision. Errors are application/problem+json with a stable `code`."
    ),
    tags(
        (name = "places", description = "Who owns a place"),
        (name = "areas", description = "Areas, their neighbours and their history"),
        (name = "maps", description = "Tiles and styles"),
        (name = "layers", description = "Buildings, party units, workers, events and other layers"),
        (name = "workers", description = "Live positions, and who is nearest"),
        (name = "events", description = "What was reported, who owns it, what is done with it"),
        (name = "portraits", description = "What there is to say of an area, and figures for a whole map"),
        (name = "revisions", description = "What was published"),
        (name = "plans", description = "Drafts of the boundaries, and their way into them"),
        (name = "health", description = "Health, figures and this document"),
    )
)]
struct Head;

/// The document without its paths.
pub(super) fn head() -> OpenApi {
    Head::openapi()
}

/// The document and its page.
#[derive(Clone, Debug)]
pub(super) struct Docs {
    json: Bytes,
    html: Arc<str>,
}

impl Docs {
    /// Adds to each operation how it fails, and makes the page.
    pub(super) fn new(api: OpenApi) -> Self {
        let mut document = serde_json::to_value(&api).unwrap_or_default();
        add_problems(&mut document);
        let html = render(&document);
        Self { json: document.to_string().into(), html: html.into() }
    }
}

/// The OpenAPI document.
#[utoipa::path(get, path = "/openapi.json", tag = "health",
    responses((status = 200, description = "OpenAPI 3.1", content_type = "application/json")))]
pub(super) async fn openapi(Extension(docs): Extension<Docs>, request: HeaderMap) -> Response {
    super::tags::answer(&request, &super::tags::of(&docs.json), "application/json", "no-cache", docs.json.to_vec())
}

/// The same as a page.
#[utoipa::path(get, path = "/docs", tag = "health",
    responses((status = 200, description = "A page for people", content_type = "text/html", body = String)))]
pub(super) async fn page(State(app): State<App>, Extension(docs): Extension<Docs>) -> impl IntoResponse {
    let mut answer = super::front::page(&app.config, docs.html.as_bytes().to_vec());
    answer.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-cache"));
    answer
}

/// The schema of problems with every code, and the answer `default` of each operation.
fn add_problems(document: &mut Value) {
    let codes: Vec<_> = Code::ALL.iter().map(|c| c.slug()).collect();
    let meaning: String = Code::ALL.iter().fold(String::new(), |mut text, c| {
        let _ = writeln!(text, "- `{}` ({}): {}", c.slug(), c.status().as_u16(), c.title());
        text
    });
    document["components"]["schemas"]["Problem"] = serde_json::json!({
        "type": "object",
        "description": format!("What went wrong (RFC 9457).\n\n{meaning}"),
        "required": ["type", "title", "status", "code", "detail"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "code": {"type": "string", "enum": codes},
            "detail": {"type": "string"},
        },
    });
    let Some(paths) = document["paths"].as_object_mut() else { return };
    for operation in paths.values_mut().filter_map(Value::as_object_mut).flat_map(|p| p.values_mut()) {
        if operation.get("responses").is_some() {
            operation["responses"]["default"] = serde_json::json!({
                "description": "What went wrong",
                "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
            });
        }
    }
}

fn render(document: &Value) -> String {
    let mut html = String::from(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Gridatlas: the interface</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><style>\
         body{font:16px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#1b2733}\
         code,pre{font:14px/1.4 ui-monospace,monospace}h2{border-bottom:1px solid #cdd5dd}section{margin:1.5em 0}\
         h3 b{display:inline-block;min-width:4.5em;color:#0b6a4f}table{border-collapse:collapse}\
         td,th{text-align:left;vertical-align:top;padding:.2em 1em .2em 0}.p{white-space:pre-line}</style>",
    );
    let text = |v: &Value| escape(v.as_str().unwrap_or_default());
    let _ = write!(
        html,
        "<h1>{}</h1><p>{}</p><p>For programs: <a href=\"openapi.json\">openapi.json</a></p>",
        text(&document["info"]["title"]),
        text(&document["info"]["description"])
    );
    for tag in document["tags"].as_array().into_iter().flatten() {
        let _ = write!(html, "<h2>{}</h2>", text(&tag["description"]));
        for (path, operations) in document["paths"].as_object().into_iter().flatten() {
            for (method, operation) in operations.as_object().into_iter().flatten() {
                if operation["tags"].as_array().is_some_and(|tags| tags.contains(&tag["name"])) {
                    render_operation(&mut html, method, path, operation);
                }
            }
        }
    }
    let problem = &document["components"]["schemas"]["Problem"]["description"];
    let _ = write!(html, "<h2>Problems</h2><p class=\"p\">{}</p></html>", text(problem).replace('`', ""));
    html
}

fn render_operation(html: &mut String, method: &str, path: &str, operation: &Value) {
    let text = |v: &Value| escape(v.as_str().unwrap_or_default());
    let _ = write!(html, "<section><h3><b>{}</b> <code>{}</code></h3>", method.to_uppercase(), escape(path));
    let _ = write!(html, "<p>{} {}</p>", text(&operation["summary"]), text(&operation["description"]));
    html.push_str("<table>");
    for p in operation["parameters"].as_array().into_iter().flatten() {
        let needed = if p["required"] == true { "needed" } else { "" };
        let _ = write!(
            html,
            "<tr><td><code>{}</code><td>{}<td>{needed}<td>{}",
            text(&p["name"]),
            text(&p["in"]),
            text(&p["description"])
        );
    }
    for (status, answer) in operation["responses"].as_object().into_iter().flatten() {
        if status != "default" {
            let _ = write!(html, "<tr><td>{}<td>answer<td><td>{}", escape(status), text(&answer["description"]));
        }
    }
    html.push_str("</table></section>");
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
