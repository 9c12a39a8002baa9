//! From a store to a snapshot that answers: time, and the most memory on the way.

use gridatlas::snapshot::Atlas;
use gridatlas::store::Store;

use crate::table::{Bar, Table, median, once_s, peak_mb};
use crate::work;

/// Adds the store's rows.
pub fn rows(table: &mut Table) {
    let mut sizes = vec![(300_000, Bar::AtMost(2.0), Bar::AtMost(1_500.0))];
    if std::env::var_os("GRIDATLAS_PROOF").is_some() {
        sizes.push((2_000_000, Bar::None, Bar::AtMost(4_000.0)));
    }
    for (buildings, time, memory) in sizes {
        let what = format!("store to snapshot, {buildings} buildings");
        let loaded: Result<Vec<_>, _> = (0..3).map(|_| in_its_own_run(buildings)).collect();
        match loaded {
            Ok(runs) => {
                table.value(&format!("{what}, s"), median(runs.iter().map(|r| r.0).collect()), time);
                table.value(&format!("{what}, peak MB"), median(runs.iter().map(|r| r.1).collect()), memory);
            }
            Err(why) => table.missing(&what, &why),
        }
    }
}

fn in_its_own_run(buildings: usize) -> Result<(f64, f64), String> {
    let store = work::city_store(buildings)?;
    let this = std::env::current_exe().map_err(|e| e.to_string())?;
    let said = work::run(std::process::Command::new(this).arg("--load").arg(store))?;
    let figures: Vec<f64> = said.split_whitespace().filter_map(|f| f.parse().ok()).collect();
    let [seconds, mb] = figures[..] else { return Err(format!("it said {said}")) };
    Ok((seconds, mb))
}

/// Loads a store and prints the seconds until it answered and the peak in MB.
pub fn load(store: &str) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (seconds, atlas) = once_s(|| {
        runtime.block_on(async {
            let atlas = Atlas::open(Store::open(store).await.unwrap()).await.unwrap();
            let snapshot = atlas.present();
            let view = &snapshot.coverages[0];
            let middle = view.coverage.bounds();
            let half = |a: i32, b: i32| ((i64::from(a) + i64::from(b)) / 2) as i32;
            let p = boundaries::Point::new(half(middle.min.x, middle.max.x), half(middle.min.y, middle.max.y));
            std::hint::black_box(view.locator.place(&view.coverage, p));
            atlas
        })
    });
    println!("{seconds} {}", peak_mb());
    drop(atlas);
}
