//! Gridatlas: which grid owns every place of a city, what lies in it, who is near.
//!
//! The rooms, in the order in which data flows through them:
//!
//! - [`crs`]: datums and projections to the lattice and back
//! - [`feature`]: one thing of a layer as it travels between files, stores and the wire
//! - `json`: JSON text written straight from the lattice
//! - [`exchange`]: files in and out; knows formats, not what they are for
//! - [`store`]: the durable truth, and the only room with SQL
//! - [`import`]: from files to a published state: assemble, compare, publish
//! - [`snapshot`]: what a request reads, at one revision; swapped whole
//! - [`filter`]: a condition on attributes, as a client writes it
//! - [`tiling`]: a snapshot read as vector tiles
//! - [`locate`]: places in, owners out, one at a time or by the million
//! - [`dispatch`]: live workers and who is nearest
//! - [`steps`]: the way of an event: who may move it on, and how late it is
//! - [`intake`]: events in, each filed once, under the owners of its time
//! - [`nats`]: events from a stream, by the same rules
//! - [`routing`]: rules above the map: who answers for an event first
//! - [`redraw`]: plans: drafts of changes to the boundaries, seen before they are published
//! - [`search`]: things by what people know of them, places by their numbers
//! - [`portrait`]: what there is to say of an area: people, place, party, workers, events
//! - [`webhooks`]: whom to tell what happens to events, signed and sent
//! - [`demo`]: a seeded city that takes the same way in as a file
//! - [`http`]: one file a resource; the only room that knows axum and wire JSON
//! - [`cli`]: one file a command

pub mod crs;
pub mod feature;
mod json;

pub mod exchange;
pub mod store;

pub mod import;
pub mod snapshot;

pub mod filter;

pub mod dispatch;
pub mod intake;
pub mod locate;
pub mod nats;
pub mod redraw;
pub mod routing;
pub mod steps;
pub mod tiling;

pub mod portrait;
pub mod search;

pub mod webhooks;

pub mod demo;

pub mod cli;
pub mod http;
