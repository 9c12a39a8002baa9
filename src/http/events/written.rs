//! An event as it is answered.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::super::state::App;
use crate::steps::{Subject, Taken};
use crate::store::{Event, EventLink, EventOwner};

/// An event: what was sent, and what became of it.
pub(in super::super) fn written(app: &App, event: &Event) -> Value {
    let way = app.intake.way();
    let content: Value = serde_json::from_str(&event.content).unwrap_or_default();
    let taken: Vec<Taken<'_>> = std::iter::once(Taken { state: way.first(), time: event.time })
        .chain(event.steps.iter().map(|step| Taken { state: &step.to, time: step.time }))
        .collect();
    let owner = event.owners.first().and_then(|owner| owner.chain().last()).map_or("", |link| &link.code);
    let urgency = content["urgency"].as_u64().and_then(|urgency| u8::try_from(urgency).ok());
    let subject = Subject { kind: &event.kind, owner, urgency };
    // What is over stands as it did when it ended.
    let at = taken.last().filter(|_| !event.is_open).map_or_else(Timestamp::now, |last| last.time);
    let standing = way.standing(&subject, &taken, at);
    let steps = event.steps.iter().map(|step| {
        let mut told =
            json!({ "seq": step.seq, "from": step.from, "to": step.to, "time": step.time, "actor": step.actor });
        if !step.note.is_empty() {
            told["note"] = step.note.as_str().into();
        }
        if let Some(worker) = &step.worker {
            told["worker"] = worker.as_str().into();
        }
        told
    });
    let rulings = event.rulings.iter().map(|ruling| {
        let place = ruling.place.filter(|_| ruling.kind == "place").map(|p| [p.lon(), p.lat()]);
        json!({
            "kind": ruling.kind, "time": ruling.time, "coverage": ruling.coverage, "from": ruling.from, "to": ruling.to,
            "point": place, "reason": ruling.reason, "actor": ruling.actor,
        })
    });
    let mut told = json!({
        "source": event.source, "id": event.id, "number": event.number, "time": event.time, "received": event.received,
        "type": event.kind,
        "point": event.place.map(|p| [p.lon(), p.lat()]),
        "lon": event.place.map(|p| p.lon()), "lat": event.place.map(|p| p.lat()),
        "placed_by": event.placed_by,
        "revision": event.owners.iter().map(|owner| owner.revision).max().unwrap_or(0),
        "owners": event.owners.iter().map(owned).collect::<Vec<_>>(),
        "building": event.building, "party_units": event.party_units,
        "state": event.state, "open": event.is_open, "worker": event.worker,
        "possible": way.possible(&event.state, None),
        "due": { "state": standing.state.name(), "at": standing.due, "card": standing.card },
        "steps": steps.collect::<Vec<_>>(), "rulings": rulings.collect::<Vec<_>>(),
    });
    if let Some(accuracy_m) = event.accuracy_m {
        told["accuracy_m"] = accuracy_m.into();
    }
    if let (Value::Object(told), Value::Object(content)) = (&mut told, content) {
        told.extend(content);
    }
    told
}

/// Who owns it in one coverage now, and whom it was filed under where that is another.
fn owned(owner: &EventOwner) -> Value {
    let mut told = Map::new();
    told.insert("coverage".to_owned(), Value::from(&*owner.coverage));
    told.extend(chain(owner.chain()));
    told.insert("revision".to_owned(), owner.revision.into());
    told.insert("settled".to_owned(), owner.is_settled.into());
    if owner.present.is_some() {
        told.insert("filed".to_owned(), chain(&owner.filed).into());
    }
    let more = owner.told.as_deref().and_then(|told| serde_json::from_str::<Map<String, Value>>(told).ok());
    told.extend(more.unwrap_or_default());
    Value::Object(told)
}

/// Code, level, name and chain, as a locate answers them.
fn chain(links: &[EventLink]) -> Map<String, Value> {
    let link = |link: &EventLink| json!({ "level": link.level, "code": link.code, "name": link.name });
    let last = links.last();
    let members = [
        ("code", last.map(|link| &*link.code).into()),
        ("level", last.map(|link| &*link.level).into()),
        ("name", last.map(|link| &*link.name).into()),
        ("chain", links.iter().map(link).collect::<Vec<_>>().into()),
    ];
    members.into_iter().map(|(name, value): (&str, Value)| (name.to_owned(), value)).collect()
}
