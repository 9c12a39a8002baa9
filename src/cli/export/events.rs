//! `gridatlas export events`: events with their owners of then and now, page by page.

use std::sync::Arc;

use super::{Where, failed, progress};
use crate::cli::{CITY_ZONE, Failure, Outcome};
use crate::exchange::write::{ShapeKind, Table, Writer};
use crate::feature::{Feature, Geometry, Value};
use crate::snapshot::{DEFAULT_COVERAGE, Field, Kind};
use crate::store::{Event, EventOwner, EventQuery, Owned, Store};

/// Events that are read together.
const PAGE: usize = 1000;

/// Arguments of `export events`.
#[derive(Debug, clap::Args)]
pub(super) struct Events {
    /// Those of the area of this code, and of all below it
    #[arg(long, value_name = "CODE")]
    within: Option<String>,
    /// The coverage that --within is a code of
    #[arg(long, default_value = DEFAULT_COVERAGE)]
    coverage: String,
    /// By the owner as the ground is now, or by the one that they were filed under
    #[arg(long, default_value = "now", value_parser = ["now", "then"])]
    owned: String,
    /// From this date or time on (a bare date is midnight in Asia/Shanghai)
    #[arg(long)]
    from: Option<String>,
    /// Before this date or time
    #[arg(long)]
    to: Option<String>,
    #[command(flatten)]
    place: Where,
}

const FIELDS: [(&str, Kind); 18] = [
    ("source", Kind::Text),
    ("id", Kind::Text),
    ("time", Kind::Text),
    ("type", Kind::Text),
    ("state", Kind::Text),
    ("state_time", Kind::Text),
    ("open", Kind::Bool),
    ("owner", Kind::Text),
    ("filed_owner", Kind::Text),
    ("revision", Kind::Integer),
    ("owners", Kind::Text),
    ("building", Kind::Text),
    ("accuracy_m", Kind::Real),
    ("description", Kind::Text),
    ("address", Kind::Text),
    ("urgency", Kind::Integer),
    ("worker", Kind::Text),
    ("attributes", Kind::Text),
];

pub(super) fn events(args: &Events) -> Outcome {
    let time = |text: &Option<String>| text.as_deref().map(|text| crate::cli::moment(text, CITY_ZONE)).transpose();
    let mut query = EventQuery {
        within: args.within.clone().map(|code| (args.coverage.clone(), code)),
        owned: if args.owned == "then" { Owned::Then } else { Owned::Now },
        from: time(&args.from)?,
        to: time(&args.to)?,
        limit: PAGE,
        ..EventQuery::default()
    };
    let columns = FIELDS.map(|(name, kind)| Field { name: name.into(), kind }).to_vec();
    let names: Vec<Arc<str>> = columns.iter().map(|c| c.name.clone()).collect();
    let table = Table { name: "event".into(), shape: ShapeKind::Point, columns };
    let (written, unplaced) = crate::cli::block_on(async {
        let store = Store::open(&args.place.store).await?;
        let mut writer = Writer::create(&args.place.out, table).map_err(failed)?;
        let progress = progress(0, "events");
        let mut unplaced = 0u64;
        loop {
            let page = store.events(&query).await?.ok_or_else(|| {
                let code = args.within.as_deref().unwrap_or_default();
                Failure::Usage(format!("no area of {} ever had the code {code}", args.coverage))
            })?;
            for event in &page.events {
                match feature(event, &args.coverage, &names) {
                    Some(feature) => writer.write(&feature).map_err(failed)?,
                    None => unplaced += 1,
                }
            }
            progress.inc(page.events.len() as u64);
            query.after = page.next;
            if query.after.is_none() {
                break;
            }
        }
        progress.finish_and_clear();
        store.close().await;
        Ok::<_, Failure>((writer.finish().map_err(failed)?, unplaced))
    })??;
    eprintln!("{written} events to {}", args.place.out.display());
    if unplaced > 0 {
        eprintln!("{unplaced} have no place and are left out");
    }
    Ok(())
}

/// An event as a row; `None` where it has no place.
fn feature(event: &Event, coverage: &str, names: &[Arc<str>]) -> Option<Feature> {
    let place = event.place?;
    let content: serde_json::Value = serde_json::from_str(&event.content).unwrap_or_default();
    let text = |text: &str| Value::Text(text.into());
    let maybe = |text: Option<&str>| text.map_or(Value::Null, |text| Value::Text(text.into()));
    let owner = event.owners.iter().find(|owner| *owner.coverage == *coverage);
    let last = |chain: Option<&[crate::store::EventLink]>| maybe(chain.and_then(|c| c.last()).map(|link| &*link.code));
    let all: serde_json::Map<String, serde_json::Value> = event.owners.iter().map(code).collect();
    let state_time = event.steps.last().map(|step| step.time.to_string());
    let values = [
        text(&event.source),
        text(&event.id),
        text(&event.time.to_string()),
        text(&event.kind),
        text(&event.state),
        maybe(state_time.as_deref()),
        Value::Bool(event.is_open),
        last(owner.map(EventOwner::chain)),
        last(owner.map(|owner| &owner.filed[..])),
        owner.map_or(Value::Null, |owner| Value::Integer(owner.revision as i64)),
        text(&serde_json::Value::Object(all).to_string()),
        maybe(event.building.as_deref()),
        event.accuracy_m.map_or(Value::Null, Value::Real),
        maybe(content["description"].as_str()),
        maybe(content["address"].as_str()),
        content["urgency"].as_i64().map_or(Value::Null, Value::Integer),
        maybe(event.worker.as_deref()),
        content.get("attributes").map_or(Value::Null, |attributes| text(&attributes.to_string())),
    ];
    let properties = names.iter().cloned().zip(values).collect();
    Some(Feature { id: event.id.as_str().into(), geometry: Geometry::Point(place), properties })
}

/// The present owner in a coverage, by code.
fn code(owner: &EventOwner) -> (String, serde_json::Value) {
    (owner.coverage.to_string(), owner.chain().last().map(|link| &*link.code).into())
}
