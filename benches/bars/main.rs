//! The bars, measured in one run and printed as one table: what is fast here, and how
//! fast what anyone would use instead is on the same machine at the same time.
//!
//! Run by `make bench`. What needs the built program runs it as its users do; cities and
//! stores are made once and kept under the target folder. README.md beside the benches
//! says what each row means.
#![allow(clippy::unwrap_used, unreachable_pub, reason = "a measurement that fails may say so and stop")]
#![allow(clippy::duplicate_mod, reason = "the measurement of edits stands by itself, too, with the city it needs")]

#[path = "../../boundaries/tests/locator/city.rs"]
mod city;
#[path = "../../boundaries/benches/edits.rs"]
mod edits;
#[path = "../../tiles/benches/encode.rs"]
mod encode;
#[path = "../../tests/areas/grounds.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod grounds;

mod changed;
mod http;
mod import;
mod intake;
mod kaohsiung;
mod locator;
mod moving;
mod nearest;
mod past;
mod redraw;
mod store;
mod table;
mod work;

use table::{Bar, Table, short};

// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    // One run of its own for each store, so that its peak of memory is its own.
    if let Some(at) = arguments.iter().position(|a| a == "--load") {
        return store::load(&arguments[at + 1]);
    }
    if let Some(at) = arguments.iter().position(|a| a == "--answers") {
        return store::answer(&arguments[at + 1]);
    }
    if let Some(at) = arguments.iter().position(|a| a == "--past") {
        return past::measure(&arguments[at + 1]);
    }
    let wanted = arguments.iter().skip(1).find(|a| !a.starts_with('-'));
    let is_wanted = |name: &str| wanted.is_none_or(|w| name.contains(w.as_str()));
    let mut table = Table::default();
    if is_wanted("locator") {
        locator::rows(&mut table);
    }
    if is_wanted("tile") {
        let (ours_ms, reference_ms) = encode::measured_ms();
        let ms = |ms: f64| format!("{} ms", short(ms));
        let ratio = reference_ms / ours_ms;
        table.ratio("tile writer, against mvt", ms(ours_ms), ms(reference_ms), ratio, Bar::AtLeast(4.0));
    }
    if is_wanted("edit") {
        let (times, rebuilt_ms) = edits::measured();
        for t in times {
            let ms = |ms: f64| format!("{} ms", short(ms));
            let what = format!("edit: {}, against the graph anew", t.what);
            table.ratio(&what, ms(t.middle_ms), ms(rebuilt_ms), rebuilt_ms / t.middle_ms, Bar::None);
            table.value(&format!("edit: {}, p99 in ms", t.what), t.p99_ms, Bar::AtMost(5.0));
        }
    }
    if is_wanted("changed") {
        changed::rows(&mut table);
    }
    if is_wanted("nearest") {
        nearest::rows(&mut table);
    }
    if is_wanted("kaohsiung") {
        kaohsiung::rows(&mut table);
    }
    if is_wanted("store") {
        store::rows(&mut table);
    }
    if is_wanted("past") {
        past::rows(&mut table);
    }
    if is_wanted("import") {
        import::rows(&mut table);
    }
    if is_wanted("http") {
        http::rows(&mut table);
    }
    if is_wanted("moving") {
        moving::rows(&mut table);
    }
    if is_wanted("intake") {
        intake::rows(&mut table);
    }
    if is_wanted("redraw") {
        redraw::rows(&mut table);
    }
    if !table.print() {
        eprintln!("a bar was missed; other work on the machine shows in every figure");
    }
}
