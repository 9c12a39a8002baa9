//! A long history: what a thousand revisions hold in memory against one, and what a place
//! costs on a date of the past against the present.

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use boundaries::edit::{Edit, Fresh, Keep, NewArea, Rules, Suffixes};
use boundaries::{Bounds, Coverage, Point};
use gridatlas::crs::Crs;
use gridatlas::locate::{Detail, Question, Sheets, locate_one};
use gridatlas::snapshot::{Atlas, CoverageView, Moment};
use gridatlas::store::{Publication, Store};
use jiff::Timestamp;

use crate::city::Random;
use crate::store::{held_mb, this};
use crate::table::{Bar, Table, on_processor_s, short};
use crate::work;

/// The buildings of the city, and its revisions.
const BUILDINGS: usize = 300_000;
const REVISIONS: u64 = 1000;
/// Places that are located, each by a request of its own.
const PLACES: usize = 20_000;
/// Times that both are measured, in turn.
const ROUNDS: usize = 7;

/// Adds the rows of the past.
pub fn rows(table: &mut Table) {
    let measured = (|| {
        let one = work::city_store(BUILDINGS)?;
        let many = with_history(&one)?;
        let said = work::run(this("--past", &many)?.env("MIMALLOC_PURGE_DELAY", "0"))?;
        let figures: Vec<f64> = said.split_whitespace().filter_map(|f| f.parse().ok()).collect();
        Ok::<_, String>((held_mb(&one)?, figures))
    })();
    match measured {
        Ok((one_mb, figures)) => {
            let [loaded_mb, asked_mb, states, state_kb, past_ns, now_ns] = figures[..] else {
                return table.missing("past", &format!("it said {figures:?}"));
            };
            let mb = |mb: f64| format!("{} MB", short(mb));
            let what = |what: &str| format!("past: {REVISIONS} revisions, {what}");
            table.ratio(&what("loaded, against one"), mb(loaded_mb), mb(one_mb), loaded_mb / one_mb, Bar::AtMost(2.0));
            table.ratio(&what("each asked for"), mb(asked_mb), mb(one_mb), asked_mb / one_mb, Bar::AtMost(2.0));
            table.value(&what("states held"), states, Bar::None);
            table.value(&what("kB a state beside the present"), state_kb, Bar::None);
            let ns = |ns: f64| format!("{} ns", short(ns));
            let what = "past: locate at a date, against now";
            table.ratio(what, ns(past_ns), ns(now_ns), past_ns / now_ns, Bar::AtMost(1.1));
        }
        Err(why) => table.missing("past", &why),
    }
}

/// A copy of a store with so many revisions that each cuts or mends a grid, made if need be.
fn with_history(one: &Path) -> Result<PathBuf, String> {
    let store = work::folder().join(format!("city-{BUILDINGS}-{REVISIONS}.gpkg"));
    if store.exists() {
        return Ok(store);
    }
    let aside = work::folder().join("making-history.gpkg");
    let runtime = tokio::runtime::Runtime::new().map_err(|e| e.to_string())?;
    runtime.block_on(async {
        // Once opened and closed it is one file.
        Store::open(&one.display().to_string()).await.unwrap().close().await;
        std::fs::copy(one, &aside).map_err(|e| e.to_string())?;
        let store = Store::open(&aside.display().to_string()).await.unwrap();
        redraw(&store).await;
        store.close().await;
        Ok::<_, String>(())
    })?;
    std::fs::rename(&aside, &store).map_err(|e| e.to_string())?;
    Ok(store)
}

async fn redraw(store: &Store) {
    let (head, coverage) = store.head_coverage("responsibility").await.unwrap().unwrap();
    let name: Arc<str> = "responsibility".into();
    let mut view = Arc::new(CoverageView::new(name, coverage, head.number, head.effective));
    let (ids, area) = store.free_ids("responsibility").await.unwrap();
    let (mut fresh, mut random) = (Fresh { ids, area }, Random(11));
    // Every id has its code; nothing else may have been one.
    let codes = Suffixes { used: store.used_codes("responsibility").await.unwrap().into_iter().collect() };
    while view.revision < REVISIONS {
        let edit = split(&view.coverage, &mut random);
        let Ok(edited) = edit.apply(&view.coverage, &Rules::new(&codes, fresh)) else { continue };
        fresh = edited.fresh;
        let publication = Publication {
            coverage: "responsibility".into(),
            expected: Some(view.revision),
            base: Some(view.clone()),
            next: edited.coverage.clone(),
            author: "bench".into(),
            effective: None,
            summary: "one grid cut in two".into(),
            plan: None,
            lineage: Vec::new(),
        };
        let published = store.publish(publication).await.unwrap().revision;
        view = Arc::new(view.updated(edited.coverage, published.number, published.effective));
    }
}

/// A cut through the middle of a grid.
fn split(coverage: &Coverage, random: &mut Random) -> Edit {
    loop {
        let id = boundaries::AreaId(random.below(coverage.area_slots() as u64) as u32);
        let Some(area) = coverage.area(id).filter(|_| !coverage.faces_of(id).is_empty()) else { continue };
        let faces = coverage.faces_of(id).iter().filter_map(|f| coverage.face(*f));
        let Bounds { min, max } = faces.map(|f| f.bounds).fold(Bounds::EMPTY, Bounds::union);
        let x = min.x + (max.x - min.x) / 2;
        let line = vec![Point::new(x, min.y - 100), Point::new(x + 17, max.y + 100)];
        return Edit::Split { codes: vec![area.code.clone()], line, keep: Keep::Largest, new: NewArea::default() };
    }
}

/// Loads a store and prints what is held in MB; the same after every revision was asked for
/// by its date; how many states are held then, and kB of each; what a place takes, as a
/// request asks for it, on a date of the past and now, in ns.
pub fn measure(store: &str) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = Store::open(store).await.unwrap();
        let revisions = store.revisions().await.unwrap();
        let atlas = Atlas::open(store).await.unwrap();
        let sheets = Sheets::default();
        let bounds = atlas.present().coverages[0].coverage.bounds();
        let mut random = Random(3);
        let within = |random: &mut Random, low: i32, high: i32| {
            (i64::from(low) + random.below((i64::from(high) - i64::from(low)) as u64) as i64) as i32
        };
        let places: Vec<Point> = (0..PLACES)
            .map(|_| {
                let x = within(&mut random, bounds.min.x, bounds.max.x);
                Point::new(x, within(&mut random, bounds.min.y, bounds.max.y))
            })
            .collect();
        let now = Timestamp::now();
        locate(&atlas, &sheets, now, &places[..9]).await;
        let loaded_mb = crate::table::held_mb();
        let dates: Vec<Timestamp> = revisions.iter().map(|r| r.effective.unwrap_or(Timestamp::UNIX_EPOCH)).collect();
        // Back and forth, as somebody looks for the day when something changed.
        for at in dates.iter().rev().chain(&dates) {
            locate(&atlas, &sheets, *at, &places[..1]).await;
        }
        let (states, bytes) = atlas.past();
        let asked_mb = crate::table::held_mb();
        let then = dates[dates.len() / 2];
        let mut least = [f64::INFINITY; 2];
        for _ in 0..ROUNDS {
            for (at, least) in [then, now].iter().zip(&mut least) {
                locate(&atlas, &sheets, *at, &places[..9]).await;
                let handle = tokio::runtime::Handle::current();
                let all = tokio::task::block_in_place(|| {
                    on_processor_s(|| handle.block_on(locate(&atlas, &sheets, *at, &places))).0
                });
                *least = least.min(all * 1e9 / PLACES as f64);
            }
        }
        let state_kb = bytes as f64 / states.max(1) as f64 / 1e3;
        println!("{loaded_mb} {asked_mb} {states} {state_kb} {} {}", least[0], least[1]);
    });
}

/// Locates places on a date, each as a request does.
async fn locate(atlas: &Atlas, sheets: &Sheets, at: Timestamp, places: &[Point]) {
    for place in places {
        let snapshot = atlas.at(Moment::At(at)).await.unwrap();
        let question = Question::new(sheets, &snapshot, &snapshot.coverages, Crs::Wgs84, Detail::Full);
        black_box(locate_one(&question, *place));
    }
}
