//! A new state of a coverage becomes the head, in one transaction or not at all.

use std::sync::Arc;

use boundaries::{Area, AreaId, Border, BorderId, Coverage, Face, FaceId};
use jiff::Timestamp;

use super::records::{Difference, Rows, digest};
use super::revisions::{self, Revision, revisions};
use super::sql::{Arg, Tx};
use super::{Descent, Error, PlanChange, PlanState, Store, blob, derive, layers, lineage, log_change, names, plans};
use crate::snapshot::{CoverageView, DEFAULT_COVERAGE};

/// What is to be published.
#[derive(Clone, Debug)]
pub struct Publication {
    /// The coverage; made if there is none of that name.
    pub coverage: String,
    /// The revision that the new state was made from; `None` for a new coverage.
    pub expected: Option<u64>,
    /// That state, where the caller holds it: then it is not read again, and what the
    /// new one shares with it is not looked at.
    pub base: Option<Arc<CoverageView>>,
    /// The new state. What did not change has the ids that it had.
    pub next: Coverage,
    /// Who publishes it.
    pub author: String,
    /// From when it is in force; `None` is now. The first revision of a coverage
    /// reaches back without limit, whatever stands here.
    pub effective: Option<Timestamp>,
    /// What it changes, in the author's words.
    pub summary: String,
    /// The plan that is published by it, at the version that it was read at: both are
    /// done, or neither.
    pub plan: Option<(Arc<str>, u64)>,
    /// What became of areas.
    pub lineage: Vec<Descent>,
}

/// What was published.
#[derive(Clone, Debug)]
pub struct Published {
    /// The revision that is the head now.
    pub revision: Revision,
    /// Whether it is a new one: a state equal to the head makes none.
    pub is_new: bool,
    /// The codes of the areas that changed, were made or ended, ascending.
    pub touched: Vec<Arc<str>>,
    /// How many rows of the graph were begun or ended.
    pub rows: usize,
}

impl Store {
    /// Publishes a state of a coverage, if the head is still the one it was made from.
    /// The rows that changed, the revision, what is derived and the owners of features
    /// are written in one transaction.
    ///
    /// # Errors
    ///
    /// [`Error::Moved`] where another revision came first; [`Error::Busy`] where
    /// another process is at it; [`Error::Refused`] for an effective time before that
    /// of the head, or in the past.
    pub async fn publish(&self, publication: Publication) -> Result<Published, Error> {
        let Publication { coverage: name, expected, base, next, author, effective, summary, plan, lineage } =
            publication;
        names::checked("coverage", &name)?;
        for level in next.levels() {
            names::checked("level", level)?;
        }
        let sum = digest(&next);
        let mut tx = self.writing().await?;
        let now = Timestamp::now();
        let head = revisions(&mut tx, Some(&name)).await?.pop();
        if head.as_ref().map(|h| h.number) != expected {
            return Err(moved(&name, expected, head.as_ref()));
        }
        let effective = in_force_from(head.as_ref(), effective, now)?;
        let base = match (&head, base) {
            (Some(head), Some(base)) if base.name == head.coverage && base.revision == head.number => Some(base),
            (Some(head), _) => {
                let coverage = revisions::coverage(&mut tx, head).await?;
                let name = head.coverage.clone();
                Some(Arc::new(CoverageView::new(name, coverage, head.number, head.effective)))
            }
            (None, _) => None,
        };
        let old = base.as_ref().map(|base| &base.coverage);
        let difference = Difference::between(old, &next);
        if let Some(head) = head.filter(|head| head.digest == sum) {
            return Ok(Published { revision: head, is_new: false, touched: vec![], rows: 0 });
        }
        let row = tx.row("select coalesce(max(number), 0) + 1 from revision", vec![]).await?;
        let number = row.ok_or_else(|| Error::Damaged("the revisions are missing".into()))?.int(0)? as u64;
        if old.is_none() {
            begin_coverage(&mut tx, &name, next.levels()).await?;
        }
        let revision = Revision {
            number,
            coverage: name.as_str().into(),
            levels: next.levels().into(),
            effective,
            // As exact as both stores keep it.
            published_at: Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now),
            author,
            summary,
            digest: sum,
        };
        insert_revision(&mut tx, &revision).await?;
        write_rows(&mut tx, &name, number, &difference).await?;
        let rows = difference.rows();
        drop(difference);
        let nothing = Coverage::empty(next.levels().into());
        let touched = next.touched_codes(base.as_ref().map_or(&nothing, |b| &b.coverage));
        let held = derive::Held { name: revision.coverage.clone(), number, effective, coverage: next, base };
        derive::settle(&mut tx, now, Some(&held)).await?;
        lineage::write(&mut tx, &revision.coverage, number, &lineage).await?;
        if let Some((id, version)) = plan {
            let text = format!("as revision {number}");
            let decide = PlanChange::Decide { state: PlanState::Published, kind: "published", text };
            plans::change(&mut tx, &id, version, &revision.author, decide).await?;
            plans::published(&mut tx, &id, number).await?;
        }
        log_change(&mut tx, now, Some(number), None, None).await?;
        tx.commit().await?;
        Ok(Published { touched, revision, is_new: true, rows })
    }

    /// Brings what GIS programs read to what is in force now: due when a scheduled
    /// revision takes effect. Returns whether there was anything to do.
    ///
    /// # Errors
    ///
    /// Where the database can't be written.
    pub async fn settle(&self) -> Result<bool, Error> {
        let mut tx = self.writing().await?;
        let did = derive::settle(&mut tx, Timestamp::now(), None).await?;
        if did {
            tx.commit().await?;
        }
        Ok(did)
    }
}

fn moved(coverage: &str, expected: Option<u64>, head: Option<&Revision>) -> Error {
    let head = head.map_or_else(
        || "nothing".to_owned(),
        |h| {
            format!(
                "revision {} by {} of {}",
                h.number,
                if h.author.is_empty() { "someone" } else { &h.author },
                h.published_at
            )
        },
    );
    let expected =
        expected.map_or_else(|| "a coverage that does not exist yet".to_owned(), |n| format!("revision {n}"));
    Error::Moved { coverage: coverage.into(), expected, head }
}

/// From when a publish is in force: now or later than every earlier revision.
fn in_force_from(
    head: Option<&Revision>,
    wanted: Option<Timestamp>,
    now: Timestamp,
) -> Result<Option<Timestamp>, Error> {
    let Some(head) = head else { return Ok(None) };
    let earliest = head.effective.map_or(now, |e| e.max(now));
    let effective = match wanted {
        None => earliest,
        Some(wanted) if head.effective.is_some_and(|e| wanted < e) => {
            let e = head.effective.unwrap_or(wanted);
            return Err(Error::Refused(format!("{wanted} is before {e}, when revision {} takes effect", head.number)));
        }
        Some(wanted) if wanted < now => {
            return Err(Error::Refused(format!(
                "{wanted} is past: a revision is not back-dated, a correction is a new one"
            )));
        }
        Some(wanted) => wanted,
    };
    Ok(Some(Timestamp::from_microsecond(effective.as_microsecond()).unwrap_or(effective)))
}

async fn begin_coverage(tx: &mut Tx, name: &str, levels: &[Arc<str>]) -> Result<(), Error> {
    for (i, level) in levels.iter().enumerate() {
        if levels[..i].contains(level) {
            return Err(Error::Refused(format!("the level {level} stands twice")));
        }
    }
    // The default coverage is first even when it comes later.
    let position = if name == DEFAULT_COVERAGE { "0" } else { "(select coalesce(max(position), 0) + 1 from coverage)" };
    let sql = format!("insert into coverage (name, position) values ($1, {position})");
    tx.run(sql, vec![name.into()]).await?;
    layers::add_coverage(tx, name).await
}

async fn insert_revision(tx: &mut Tx, r: &Revision) -> Result<(), Error> {
    let sql = format!(
        "insert into revision (number, coverage, levels, effective, published_at, author, summary, digest) \
         values ($1, $2, $3, {}, {}, $6, $7, $8)",
        tx.time(4),
        tx.time(5)
    );
    let levels = serde_json::to_string(&r.levels).map_err(|e| Error::Refused(e.to_string()))?;
    let args = vec![
        r.number.into(),
        Arg::from(&*r.coverage),
        levels.as_str().into(),
        Arg::Text(r.effective.map(|t| t.to_string())),
        r.published_at.to_string().as_str().into(),
        r.author.as_str().into(),
        r.summary.as_str().into(),
        r.digest.as_str().into(),
    ];
    tx.run(sql, args).await.map(drop)
}

/// Rows that are written at once: values on their way take several times the room of what
/// they are made of.
const AT_ONCE: usize = 2000;

async fn write_rows(tx: &mut Tx, coverage: &str, number: u64, difference: &Difference<'_>) -> Result<(), Error> {
    fn ids<Id: Copy, T>(rows: &Rows<'_, Id, T>, number: impl Fn(Id) -> u32) -> Vec<u32> {
        rows.ended.iter().map(|id| number(*id)).collect()
    }
    end_rows(tx, "area", coverage, number, &ids(&difference.areas, |id| id.0)).await?;
    end_rows(tx, "face", coverage, number, &ids(&difference.faces, |id| id.0)).await?;
    end_rows(tx, "border", coverage, number, &ids(&difference.borders, |id| id.0)).await?;

    let columns = ["coverage", "id", "code", "name", "level", "parent", "kind", "attributes", "from_revision"];
    for some in difference.areas.begun.chunks(AT_ONCE) {
        let row = |(id, a): &(AreaId, &Arc<Area>)| {
            vec![
                coverage.into(),
                id.0.into(),
                Arg::from(&*a.code),
                Arg::from(&*a.name),
                u32::from(a.level.0).into(),
                a.parent.map(|p| p.0).into(),
                Arg::from(&*a.kind),
                Arg::from(&*a.attributes),
                number.into(),
            ]
        };
        tx.insert_many("area", &columns, some.iter().map(row).collect::<Vec<_>>()).await?;
    }
    for some in difference.faces.begun.chunks(AT_ONCE) {
        let row =
            |(id, f): &(FaceId, &Face)| vec![coverage.into(), id.0.into(), f.owner.map(|o| o.0).into(), number.into()];
        let columns = ["coverage", "id", "area", "from_revision"];
        tx.insert_many("face", &columns, some.iter().map(row).collect::<Vec<_>>()).await?;
    }
    for some in difference.borders.begun.chunks(AT_ONCE) {
        let row = |(id, b): &(BorderId, &Border)| {
            let line = Arg::Blob(blob::line_bytes(&b.line));
            vec![coverage.into(), id.0.into(), b.left.0.into(), b.right.0.into(), line, number.into()]
        };
        let columns = ["coverage", "id", "left", "right", "line", "from_revision"];
        tx.insert_many("border", &columns, some.iter().map(row).collect::<Vec<_>>()).await?;
    }
    Ok(())
}

async fn end_rows(tx: &mut Tx, table: &str, coverage: &str, number: u64, ids: &[u32]) -> Result<(), Error> {
    for ids in ids.chunks(500) {
        let places: Vec<String> = (3..ids.len() + 3).map(|i| format!("${i}")).collect();
        let sql = format!(
            "update {table} set to_revision = $2 where coverage = $1 and to_revision is null and id in ({})",
            places.join(", ")
        );
        let mut args = vec![Arg::from(coverage), number.into()];
        args.extend(ids.iter().map(|id| Arg::from(*id)));
        tx.run(sql, args).await?;
    }
    Ok(())
}
