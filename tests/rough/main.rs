//! The built program handled roughly, over both stores: killed in the middle, without
//! room on the disk, two at once, with files that lack half of what they should have.
//! Whatever happens, a store holds one whole state or the next, and says what went wrong.

#![allow(clippy::unwrap_used)] // A test may stop where anything fails.

#[path = "../support/mod.rs"]
mod support;

mod city;
mod places;
mod planned;

mod as_plan;
mod both;
mod events;
mod full;
mod killed;
mod refused;
mod stopped;
mod together;
mod unplaced;
