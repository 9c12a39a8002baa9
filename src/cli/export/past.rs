//! `gridatlas export lineage|crosswalk|changes`: what became of areas, for those who carry
//! figures from one date to another and for those who file what was changed.
//!
//! A file of text holds rows alone; other formats hold the ground that each row is about.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use boundaries::{BuildError, Coverage, Polygon};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::super::{CITY_ZONE, Failure, Outcome};
use super::{Where, failed, there_are};
use crate::exchange::write::{ShapeKind, Table, Writer};
use crate::feature::{Feature, Geometry, Value};
use crate::redraw::{Common, Crossing, Entry, crosswalk, register};
use crate::snapshot::{Field, Kind, Moment, Snapshot};
use crate::store::{Descent, Revision, Store};

/// Arguments of `export lineage`.
#[derive(Debug, clap::Args)]
pub(super) struct Lineage {
    /// The coverage
    #[arg(long, default_value = "responsibility")]
    coverage: String,
    #[command(flatten)]
    place: Where,
    /// Only count what would be written
    #[arg(long)]
    dry_run: bool,
}

/// Arguments of `export crosswalk`.
#[derive(Debug, clap::Args)]
pub(super) struct Crosswalk {
    /// The coverage
    #[arg(long, default_value = "responsibility")]
    coverage: String,
    /// The level; the finest one where none is named
    #[arg(long)]
    level: Option<String>,
    /// From the boundaries in force then: a date (midnight in Asia/Shanghai) or a time
    #[arg(long)]
    from: String,
    /// To those in force then
    #[arg(long)]
    to: String,
    #[command(flatten)]
    place: Where,
    /// Only count what would be written
    #[arg(long)]
    dry_run: bool,
}

/// Arguments of `export changes`.
#[derive(Debug, clap::Args)]
pub(super) struct Changes {
    /// The coverage
    #[arg(long, default_value = "responsibility")]
    coverage: String,
    /// What came into force then or later: a date (midnight in Asia/Shanghai) or a time;
    /// without it all, beginning with the first revision
    #[arg(long)]
    from: Option<String>,
    /// What came into force before then
    #[arg(long)]
    to: Option<String>,
    /// Changes of areas of this level alone
    #[arg(long)]
    level: Option<String>,
    #[command(flatten)]
    place: Where,
    /// Only count what would be written
    #[arg(long)]
    dry_run: bool,
}

/// A file on its way, or a count of what it would hold.
struct Out {
    path: PathBuf,
    columns: Vec<Arc<str>>,
    writer: Option<Writer>,
    has_ground: bool,
    count: u64,
}

impl Out {
    fn create(path: &Path, name: &str, columns: &[(&str, Kind)], dry_run: bool) -> Result<Self, Failure> {
        let ending = path.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase);
        let has_ground = match ending.as_deref() {
            Some("csv") => false,
            Some("geojson" | "json" | "geojsonl" | "ndjson" | "jsonl" | "gpkg") => true,
            _ => return Err(Failure::Usage(format!("{name} are written as .csv, .geojson, .geojsonl or .gpkg"))),
        };
        let fields: Vec<Field> =
            columns.iter().map(|(name, kind)| Field { name: (*name).into(), kind: *kind }).collect();
        let columns = fields.iter().map(|f| f.name.clone()).collect();
        let shape = if has_ground { ShapeKind::Polygons } else { ShapeKind::Rows };
        let table = Table { name: name.to_owned(), shape, columns: fields };
        let writer = if dry_run { None } else { Some(Writer::create(path, table).map_err(failed)?) };
        Ok(Self { path: path.into(), columns, writer, has_ground, count: 0 })
    }

    fn write(&mut self, id: String, values: Vec<Value>, ground: Vec<Polygon>) -> Outcome {
        self.count += 1;
        let Some(writer) = &mut self.writer else { return Ok(()) };
        let properties = self.columns.iter().cloned().zip(values).collect();
        let feature = Feature { id: id.into(), geometry: Geometry::Polygons(ground), properties };
        writer.write(&feature).map_err(failed)
    }

    fn finish(self, what: &str) -> Outcome {
        let Self { path, writer, count, .. } = self;
        match writer {
            None => eprintln!("{count} {what} would be written to {}", path.display()),
            Some(writer) => {
                writer.finish().map_err(failed)?;
                eprintln!("{count} {what} to {}", path.display());
            }
        }
        Ok(())
    }
}

/// Writes every row of the lineage of a coverage.
pub(super) fn lineage(args: &Lineage) -> Outcome {
    let columns = [
        ("revision", Kind::Integer),
        ("effective", Kind::Text),
        ("author", Kind::Text),
        ("kind", Kind::Text),
        ("from", Kind::Text),
        ("to", Kind::Text),
        ("area_m2", Kind::Real),
        ("area_share", Kind::Real),
        ("building_share", Kind::Real),
        ("household_share", Kind::Real),
    ];
    let mut out = Out::create(&args.place.out, "lineage", &columns, args.dry_run)?;
    super::super::block_on(async {
        let store = Store::open(&args.place.store).await?;
        let revisions = of_coverage(&store, &args.coverage).await?;
        let mut all: BTreeMap<u64, Vec<Descent>> = BTreeMap::new();
        for descent in store.lineage(&args.coverage).await? {
            all.entry(descent.revision).or_default().push(descent);
        }
        let mut walk = Walk::default();
        for (at, revision) in revisions.iter().enumerate() {
            let Some(descents) = all.get(&revision.number) else { continue };
            let mut grounds = BTreeMap::new();
            if out.has_ground && out.writer.is_some() {
                let (before, after) = walk.step(&store, &revisions, at).await?;
                let wanted: BTreeSet<_> = descents.iter().map(|d| (d.from.clone(), d.to.clone())).collect();
                grounds = ground_of(before.as_ref(), &after, &wanted)?;
            }
            for d in descents {
                let values = vec![
                    Value::Integer(d.revision as i64),
                    time(revision.effective),
                    text(&revision.author),
                    text(d.kind.name()),
                    text(&d.from),
                    text(&d.to),
                    Value::Real(d.area_m2),
                    Value::Real(d.area_share),
                    Value::Real(d.building_share),
                    Value::Real(d.household_share),
                ];
                let ground = grounds.remove(&(d.from.clone(), d.to.clone())).unwrap_or_default();
                out.write(format!("{}/{}/{}", d.revision, d.from, d.to), values, ground)?;
            }
        }
        store.close().await;
        out.finish("rows of lineage")
    })?
}

type Pair = (Arc<str>, Arc<str>);

/// The ground that went from one code to another, of some pairs.
fn ground_of(
    before: Option<&Coverage>,
    after: &Coverage,
    wanted: &BTreeSet<Pair>,
) -> Result<BTreeMap<Pair, Vec<Polygon>>, Failure> {
    let Some(before) = before else { return Ok(BTreeMap::new()) };
    // A code that changed moves no line.
    let named = wanted.iter().filter_map(|(from, _)| before.area_by_code(from));
    let overlay = after.laid_over(before, named).map_err(uncompared)?;
    let key = |(from, to)| {
        let code = |coverage: &Coverage, id: Option<_>| coverage.area(id?).map(|a| a.code.clone());
        code(before, from).zip(code(after, to)).filter(|pair| wanted.contains(pair))
    };
    let all = overlay.by(key).map_err(uncompared)?;
    Ok(all.into_iter().map(|(pair, _, ground)| (pair, ground)).collect())
}

/// Writes which part of which area of then lies in which of now.
pub(super) fn cross(args: &Crosswalk) -> Outcome {
    let [from, to] = [&args.from, &args.to].map(|text| super::super::moment(text, CITY_ZONE));
    let (from, to) = (from?, to?);
    if args.place.out.extension().is_none_or(|e| !e.eq_ignore_ascii_case("csv")) {
        return Err(Failure::Usage("a crosswalk is a table: it is written as .csv".into()));
    }
    let mut columns = ["code_then", "name_then", "code_now", "name_now"].map(|name| (name, Kind::Text)).to_vec();
    columns.extend(
        [
            "area_m2",
            "area_share_of_then",
            "area_share_of_now",
            "buildings",
            "building_share_of_then",
            "building_share_of_now",
            "households",
            "household_share_of_then",
            "household_share_of_now",
        ]
        .map(|name| (name, Kind::Real)),
    );
    let mut out = Out::create(&args.place.out, "crosswalk", &columns, args.dry_run)?;
    let (then, now) = super::super::block_on(async {
        let store = Store::open(&args.place.store).await?;
        let present = store.load(None, Timestamp::now()).await?;
        let now = store.load_at(&present, Moment::At(to)).await?;
        let then = store.load_at(&now, Moment::At(from)).await?;
        store.close().await;
        Ok::<_, Failure>((then, now))
    })??;
    super::coverage(&now, &args.coverage)?;
    let place = |snapshot: &Snapshot| snapshot.coverage_index(&args.coverage);
    let (Some(at_then), Some(at_now)) = (place(&then), place(&now)) else {
        return Err(Failure::Usage(format!("there was no coverage {:?} then", args.coverage)));
    };
    let levels = now.coverages[at_now].levels();
    let level = match &args.level {
        Some(level) => level.as_str(),
        None => levels.last().map_or("", |level| level),
    };
    if !levels.iter().any(|l| **l == *level) {
        let known: Vec<&str> = levels.iter().map(|l| &**l).collect();
        return Err(Failure::Usage(format!("there is no level {level:?}; {}", there_are(&known))));
    }
    for crossing in crosswalk((&then, at_then), (&now, at_now), level).map_err(uncompared)? {
        let Crossing { then, now, area_m2, buildings, households } = crossing;
        let mut values = Vec::with_capacity(columns.len());
        for side in [&then, &now] {
            values.push(side.as_ref().map_or(Value::Null, |s| Value::Text(s.code.clone())));
            values.push(side.as_ref().map_or(Value::Null, |s| Value::Text(s.name.clone())));
        }
        for Common { amount, of_then, of_now } in [area_m2, buildings, households] {
            let part = |side: bool, share: f64| if side { Value::Real(share) } else { Value::Null };
            values.extend([Value::Real(amount), part(then.is_some(), of_then), part(now.is_some(), of_now)]);
        }
        let code = |side: Option<crate::redraw::Side>| side.map_or_else(String::new, |s| s.code.to_string());
        out.write(format!("{}/{}", code(then), code(now)), values, Vec::new())?;
    }
    out.finish("pairs of areas")
}

/// Writes the register of changes.
pub(super) fn changes(args: &Changes) -> Outcome {
    let moment = |text: &Option<String>| text.as_deref().map(|t| super::super::moment(t, CITY_ZONE)).transpose();
    let (from, to) = (moment(&args.from)?, moment(&args.to)?);
    let zone = TimeZone::get(CITY_ZONE).map_err(|e| Failure::Usage(e.to_string()))?;
    let texts = ["serial", "in_force", "kind", "kind_zh", "level", "code_before", "name_before", "parent_before"];
    let more = ["code_after", "name_after", "parent_after", "others"];
    let last = ["reason", "plan", "author", "approver"];
    let columns: Vec<(&str, Kind)> = (texts.iter().chain(&more).map(|name| (*name, Kind::Text)))
        .chain(["area_before_m2", "area_after_m2", "changed_m2"].map(|name| (name, Kind::Real)))
        .chain(last.map(|name| (name, Kind::Text)))
        .chain([("revision", Kind::Integer)])
        .collect();
    let mut out = Out::create(&args.place.out, "changes", &columns, args.dry_run)?;
    super::super::block_on(async {
        let store = Store::open(&args.place.store).await?;
        let revisions = of_coverage(&store, &args.coverage).await?;
        let origins = store.origins(&args.coverage).await?;
        let lineage = store.lineage(&args.coverage).await?;
        let mut walk = Walk::default();
        for (at, revision) in revisions.iter().enumerate() {
            // The first is in force since ever.
            let is_early = from.is_some_and(|from| revision.effective.is_none_or(|at| at < from));
            let is_late = to.is_some_and(|to| revision.effective.is_some_and(|at| at >= to));
            if is_early || is_late {
                continue;
            }
            let (before, after) = walk.step(&store, &revisions, at).await?;
            let descents: Vec<Descent> = lineage.iter().filter(|d| d.revision == revision.number).cloned().collect();
            let origin = origins.get(&revision.number);
            let entries = register(revision, before.as_ref(), &after, &descents, origin).map_err(uncompared)?;
            for entry in entries.into_iter().filter(|e| args.level.as_deref().is_none_or(|level| *e.level == *level)) {
                let id = entry.serial.clone();
                let (values, ground) = row(entry, &zone);
                out.write(id, values, ground)?;
            }
        }
        store.close().await;
        out.finish("changes")
    })?
}

/// An entry of the register in the order of its columns.
fn row(entry: Entry, zone: &TimeZone) -> (Vec<Value>, Vec<Polygon>) {
    let date = entry.effective.map(|at| at.to_zoned_datetime(zone.clone()));
    let date = date.map_or(Value::Null, |at| text(&at.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()));
    let mut values = vec![
        text(&entry.serial),
        date,
        text(entry.alteration.name()),
        text(entry.alteration.chinese()),
        text(&entry.level),
    ];
    for side in [&entry.before, &entry.after] {
        match side {
            None => values.extend([Value::Null, Value::Null, Value::Null]),
            Some(s) => values.extend([text(&s.code), text(&s.name), s.parent.as_deref().map_or(Value::Null, text)]),
        }
    }
    values.push(text(&entry.others.join(" ")));
    let area = |side: &Option<crate::redraw::Standing>| side.as_ref().map_or(Value::Null, |s| Value::Real(s.area_m2));
    values.extend([area(&entry.before), area(&entry.after), Value::Real(entry.changed_m2)]);
    let origin = entry.origin.as_ref();
    let author = origin.map_or(&entry.author, |o| &o.author);
    values.extend([
        text(&entry.reason),
        origin.map_or(Value::Null, |o| Value::Text(o.plan.clone())),
        text(author),
        origin.and_then(|o| o.approver.as_deref()).map_or(Value::Null, text),
        Value::Integer(entry.revision as i64),
    ]);
    (values, entry.ground)
}

/// From state to state of a coverage, each made from the one before.
#[derive(Default)]
struct Walk {
    held: Option<(u64, Coverage)>,
}

impl Walk {
    /// The state before the revision at a place in the list, and its own.
    async fn step(
        &mut self,
        store: &Store,
        revisions: &[Revision],
        at: usize,
    ) -> Result<(Option<Coverage>, Coverage), Failure> {
        let mut before = None;
        if let Some(earlier) = at.checked_sub(1).map(|at| &revisions[at]) {
            let held = self.held.as_ref().map(|(number, coverage)| (*number, coverage));
            let coverage = match held {
                Some((number, coverage)) if number == earlier.number => coverage.clone(),
                held => store.graph(earlier, held).await?,
            };
            before = Some((earlier.number, coverage));
        }
        let after = store.graph(&revisions[at], before.as_ref().map(|(n, c)| (*n, c))).await?;
        self.held = Some((revisions[at].number, after.clone()));
        Ok((before.map(|(_, coverage)| coverage), after))
    }
}

/// The revisions of a coverage, ascending.
async fn of_coverage(store: &Store, name: &str) -> Result<Vec<Revision>, Failure> {
    let mut all = store.revisions().await?;
    all.retain(|r| *r.coverage == *name);
    if all.is_empty() {
        let known = store.coverages().await?;
        let known: Vec<&str> = known.iter().map(|c| &**c).collect();
        return Err(Failure::Usage(format!("there is no coverage {name:?}; {}", there_are(&known))));
    }
    Ok(all)
}

fn uncompared(error: BuildError) -> Failure {
    Failure::CouldNot(error.to_string())
}

fn text(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { Value::Text(text.into()) }
}

fn time(at: Option<Timestamp>) -> Value {
    at.map_or(Value::Null, |at| Value::Text(at.to_string().into()))
}
