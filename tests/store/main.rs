//! One story, told to both stores: what is put in comes back, what is derived agrees,
//! and nothing is ever half done.

#![allow(clippy::unwrap_used)]

mod city;
mod places;
mod redrawn;

mod broken_off;
mod counted;
mod events;
mod history;
mod layers;
mod months;
mod numbering;
mod past;
mod planned;
mod publishing;
mod routed;
mod running;
mod spread;
mod times;
mod told;
mod trouble;

mod size;
#[allow(dead_code, unreachable_pub)]
#[path = "../../boundaries/tests/locator/city.rs"]
mod streets;
