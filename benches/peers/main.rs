//! The service beside what anyone would use instead, on the same city in the same run:
//! PostGIS making tiles, martin serving them, nginx serving a file, tippecanoe making an
//! archive. Printed as one table.
//!
//! Run by `make bench-peers`, which gets the peers. README.md beside the benches says what
//! each row means.
#![allow(clippy::unwrap_used, unreachable_pub, reason = "a measurement that fails may say so and stop")]
#![allow(dead_code, reason = "the other measurements use more of what they share")]

#[path = "../../boundaries/tests/locator/city.rs"]
mod city;
#[path = "../bars/table.rs"]
mod table;
#[path = "../bars/work.rs"]
mod work;

mod archive;
mod database;
mod made;
mod served;
mod wrk;

use table::Table;

// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Buildings of the city.
const BUILDINGS: usize = 300_000;

fn main() {
    let wanted = std::env::args().skip(1).find(|a| !a.starts_with('-'));
    let is_wanted = |name: &str| wanted.as_ref().is_none_or(|w| name.contains(w.as_str()));
    let mut table = Table::default();
    type Rows = fn(&mut Table) -> Result<(), String>;
    let all: [(&str, Rows); 4] =
        [("made", made::rows), ("nginx", served::nginx), ("martin", served::martin), ("archive", archive::rows)];
    for (name, rows) in all {
        if is_wanted(name)
            && let Err(why) = rows(&mut table)
        {
            table.missing(name, &why);
        }
    }
    if !table.print() {
        eprintln!("a bar was missed; other work on the machine shows in every figure");
    }
}

/// The folder that the peers were put into: `.local/peers` of the project.
fn peers() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(".local/peers")
}
