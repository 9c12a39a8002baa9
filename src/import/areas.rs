//! `import areas`: read, put the codes together, assemble, compare with what is there,
//! publish. Nothing is written before everything is known to be good.

use std::path::Path;
use std::sync::Arc;

use boundaries::edit::Fresh;
use boundaries::{AreaId, Assembly, Claim, Coverage, Finding, FindingKind, Settings, assemble, carry_ids};
use jiff::Timestamp;
use rustc_hash::FxHashMap;

use super::as_plan::{self, AsPlan};
use super::draft::{Draft, Names};
use super::levels::{Levels, text_of};
use super::plan::Plan;
use super::progress::Progress;
use super::report::{Report, Row};
use super::{DEFAULT_COVERAGE, ImportError, compare, datum};
use crate::crs::Crs;
use crate::exchange::{self, ReadOptions, Source, hints};
use crate::feature::Geometry;
use crate::redraw::{self, Cause};
use crate::snapshot::CoverageView;
use crate::store::{Descent, Publication, Revision, Store};

/// What to import and how.
#[derive(Clone, Debug)]
pub struct AreasOptions {
    /// The coverage that the file describes.
    pub coverage: String,
    /// Where the codes of each level come from, topmost first.
    pub levels: Levels,
    /// Where the names of a level come from.
    pub names: Names,
    /// Only features with all these attribute values are taken.
    pub only: Vec<(String, String)>,
    /// What the file does not say of itself, or says wrong.
    pub read: ReadOptions,
    /// The level in which the parents of the topmost areas named are found by place.
    pub inside: Option<String>,
    /// What is repaired, accepted and refused.
    pub settings: Settings,
    /// The largest share of the areas there that may vanish.
    pub max_removed_percent: f64,
    /// Who answers for the revision.
    pub author: String,
    /// When it comes into force; now where absent.
    pub effective: Option<Timestamp>,
    /// Whether the store is to be left alone.
    pub dry_run: bool,
    /// Whether the file only draws lines better than they were: nothing changed in the city.
    pub correction: bool,
    /// Whether the difference becomes a plan, and is not published.
    pub as_plan: Option<AsPlan>,
}

impl AreasOptions {
    /// The usual settings for a file whose codes come from those attributes.
    #[must_use]
    pub fn new(levels: Levels) -> Self {
        Self {
            coverage: DEFAULT_COVERAGE.into(),
            levels,
            names: Vec::new(),
            only: Vec::new(),
            read: ReadOptions::default(),
            inside: None,
            settings: Settings::default(),
            max_removed_percent: 10.0,
            author: "import".into(),
            effective: None,
            dry_run: false,
            correction: false,
            as_plan: None,
        }
    }
}

/// Brings the areas of a file into a store, or says why not. A report that
/// [is refused](Report::is_refused) has changed nothing.
///
/// # Errors
///
/// Where the file cannot be read or the store does not answer; nothing is changed.
pub async fn areas(
    store: &Store,
    file: &Path,
    options: &AreasOptions,
    progress: &Progress,
) -> Result<Report, ImportError> {
    let head = store.head_coverage(&options.coverage).await?;
    let old = head.as_ref().map(|(_, coverage)| coverage);
    let (free, free_area) = store.free_ids(&options.coverage).await?;
    let levels = options.levels.merged_into(old.map_or(&[], Coverage::levels), options.inside.as_deref())?;
    let levels: Arc<[Arc<str>]> = levels.into();
    match (&options.as_plan, old) {
        (None, Some(old)) => as_plan::refuse_over_plans(store, options, old).await?,
        (Some(_), None) => {
            let reason = format!("nothing of {} is in force yet: import it without --as-plan first", options.coverage);
            return Err(ImportError::Refused(reason));
        }
        _ => {}
    }

    let mut source = exchange::open(file, &options.read)?;
    let (draft, read) = read(&mut source, options, progress)?;
    let mut report = Report {
        file: file.display().to_string(),
        coverage: options.coverage.clone(),
        crs: source.crs().to_string(),
        dry_run: options.dry_run,
        revision: None,
        features: draft.features(),
        areas: Default::default(),
        refusals: Vec::new(),
        hints: hints::suspect(source.extent(), source.crs()).iter().map(ToString::to_string).collect(),
        findings: draft.defects.iter().map(Row::of_code).collect(),
        plan: None,
        sketch: Vec::new(),
    };
    if draft.features() == 0 {
        report.refusals.push(nothing_taken(read, options));
        return Ok(report);
    }

    progress.stage("assembling", None, "");
    let inside = options.inside.as_deref().and_then(|level| old?.level(level));
    let Plan { mut areas, claims, features, defects } = Plan::new(draft, &levels, old, inside, free_area);
    if let (Some(_), Some(old)) = (&options.as_plan, old) {
        as_plan::fill(&mut areas, &levels, old);
    }
    report.findings.extend(defects.iter().map(Row::of_code));
    let codes: FxHashMap<AreaId, Arc<str>> = areas.iter().map(|(id, a)| (*id, a.code.clone())).collect();
    let grounds = grounds(&claims);
    let Assembly { coverage, findings } = assemble(levels, areas, claims, &options.settings);
    report.hints.extend(mixed_levels(&findings, &grounds, &codes));
    report.findings.extend(findings.into_iter().map(|f| Row::of(f, &codes, &features)));
    report.findings.sort_by_key(|row| !row.blocking);
    let blocking = report.findings.iter().filter(|row| row.blocking).count();
    if blocking > 0 {
        let first = &report.findings[0];
        let rest = if blocking > 1 { format!(", and {} more that block", blocking - 1) } else { String::new() };
        report.refusals.push(format!("{}: {}{rest}", first.kind.replace('_', " "), first.sentence()));
    }
    let Some(new) = coverage.filter(|_| blocking == 0) else {
        if report.refusals.is_empty() {
            report.refusals.push("the polygons make no coverage".into());
        }
        return Ok(report);
    };

    progress.stage("comparing", None, "");
    let new = match old {
        None => new,
        Some(old) => carry_ids(&new, old, free).map_err(|e| ImportError::CouldNot(e.to_string()))?,
    };
    report.sketch = new.borders().map(|(_, border)| border.line.clone()).collect();
    report.areas = compare::counts(&new, old);
    let suspicion = suspect_datum(store, &new, source.crs()).await?;
    let removed = report.areas.removed_percent();
    if removed > options.max_removed_percent {
        report.refusals.push(format!(
            "{} of {} areas ({removed:.1} %) would vanish; --max-removed-percent allows {} %",
            report.areas.removed,
            report.areas.removed + report.areas.changed + report.areas.unchanged,
            options.max_removed_percent
        ));
        return Ok(report);
    }
    if let (Some(wanted), Some((revision, old))) = (&options.as_plan, head.clone()) {
        if let Some(suspicion) = suspicion {
            report.refusals.push(format!("every border would move: {suspicion}"));
            return Ok(report);
        }
        let base = CoverageView::new(revision.coverage, old, revision.number, revision.effective);
        let free = Fresh { ids: free, area: free_area };
        as_plan::plan(store, (file, options, wanted), (base, free), &new, &mut report, progress).await?;
        return Ok(report);
    }
    report.hints.extend(suspicion);
    if options.dry_run || (report.areas.is_same() && old.is_some_and(|old| old.levels() == new.levels())) {
        return Ok(report);
    }

    progress.stage("publishing", None, "");
    let c = report.areas;
    let lineage = match &head {
        Some((revision, old)) if old.levels() == new.levels() => {
            lineage(store, revision, old, &new, options.correction).await?
        }
        // A city that gets its levels one by one is being built, and nothing became of anything.
        _ => Vec::new(),
    };
    let publication = Publication {
        coverage: options.coverage.clone(),
        expected: head.as_ref().map(|(revision, _)| revision.number),
        base: head.map(|(revision, coverage)| {
            Arc::new(CoverageView::new(revision.coverage, coverage, revision.number, revision.effective))
        }),
        next: new,
        plan: None,
        lineage,
        author: options.author.clone(),
        effective: options.effective,
        summary: format!(
            "Import of {}: {} added, {} changed, {} removed",
            file_name(file),
            c.added,
            c.changed,
            c.removed
        ),
    };
    let published = store.publish(publication).await?;
    report.revision = published.is_new.then_some(published.revision.number);
    Ok(report)
}

/// What becomes of the areas that are there, with the buildings as the store has them.
async fn lineage(
    store: &Store,
    head: &Revision,
    old: &Coverage,
    new: &Coverage,
    correction: bool,
) -> Result<Vec<Descent>, ImportError> {
    let view =
        |coverage: &Coverage| CoverageView::new(head.coverage.clone(), coverage.clone(), head.number, head.effective);
    let snapshot = store.load(None, Timestamp::now()).await?.over(vec![Arc::new(view(old))]);
    let cause = if correction { Cause::Correction } else { Cause::Untold };
    Ok(redraw::lineage(&snapshot, 0, &view(new), cause))
}

/// A word about the datum, where a coverage that is there knows the same outline elsewhere.
async fn suspect_datum(store: &Store, new: &Coverage, declared: Crs) -> Result<Option<String>, ImportError> {
    for name in store.coverages().await? {
        let known = store.head_coverage(&name).await?;
        if let Some(suspicion) = known.and_then(|(_, known)| datum::suspect(new, declared, &known)) {
            return Ok(Some(suspicion.to_string()));
        }
    }
    Ok(None)
}

/// The features of the file as areas, and how many features there are in all.
fn read(source: &mut Source, options: &AreasOptions, progress: &Progress) -> Result<(Draft, u64), ImportError> {
    let mut draft = Draft::new(options.levels.clone(), &options.names)?;
    let watch = source.progress();
    progress.stage("reading", Some(watch.total_bytes), "bytes");
    let mut read = 0;
    while let Some(record) = source.next() {
        let record = record?;
        read = record.place.ordinal;
        if read % 1024 == 0 {
            progress.at(watch.done_bytes());
        }
        let has = |(field, value): &(String, String)| {
            let found = record.properties.iter().find(|(name, _)| **name == **field);
            found.and_then(|(_, v)| text_of(v)).is_some_and(|text| *text == **value)
        };
        if !options.only.iter().all(has) {
            continue;
        }
        let located = source.locate(record)?;
        let place: Arc<str> = located.place.to_string().into();
        let at = |reason: &str| format!("{}: {place}: {reason}", source.file().display());
        let parts = match located.geometry {
            Some(Geometry::Polygons(parts)) => parts,
            Some(Geometry::Point(_)) => {
                return Err(ImportError::Refused(at("an area has polygons, and this is a point")));
            }
            Some(Geometry::Lines(_)) => {
                return Err(ImportError::Refused(at("an area has polygons, and this is a line")));
            }
            None => {
                let reason = "it has no geometry: an area needs polygons, so give it some or take it out of the file";
                return Err(ImportError::Refused(at(reason)));
            }
        };
        draft.add(&place, &located.properties, parts).map_err(|e| ImportError::Usage(at(&e.0)))?;
    }
    Ok((draft, read))
}

fn nothing_taken(read: u64, options: &AreasOptions) -> String {
    if read == 0 {
        "the file has no features".into()
    } else {
        let only: Vec<_> = options.only.iter().map(|(f, v)| format!("{f}={v}")).collect();
        format!("none of the {read} features has {}", only.join(" and "))
    }
}

/// How much ground the polygons of each area enclose, in square metres.
fn grounds(claims: &[Claim]) -> FxHashMap<AreaId, f64> {
    let mut grounds = FxHashMap::default();
    for Claim { area, polygon } in claims {
        *grounds.entry(*area).or_default() += polygon.area_m2();
    }
    grounds
}

/// A file of several levels taken for one shows as areas that lie wholly inside others.
fn mixed_levels(
    findings: &[Finding],
    grounds: &FxHashMap<AreaId, f64>,
    codes: &FxHashMap<AreaId, Arc<str>>,
) -> Option<String> {
    let mut swallowed: FxHashMap<AreaId, f64> = FxHashMap::default();
    for finding in findings.iter().filter(|f| f.kind == FindingKind::Overlap) {
        for owner in &finding.owners {
            *swallowed.entry(*owner).or_default() += finding.area_m2;
        }
    }
    let mut inside: Vec<&str> = swallowed
        .iter()
        .filter(|(id, area_m2)| grounds.get(id).is_some_and(|ground| **area_m2 > 0.98 * ground))
        .filter_map(|(id, _)| codes.get(id).map(|c| &**c))
        .collect();
    inside.sort_unstable();
    let first = inside.first()?;
    Some(format!(
        "{} areas, {first} the first, lie wholly inside others: the file seems to hold several levels; take one at a time with --where FIELD=VALUE",
        inside.len()
    ))
}

pub(super) fn file_name(file: &Path) -> String {
    file.file_name().map_or_else(|| file.display().to_string(), |name| name.to_string_lossy().into_owned())
}
