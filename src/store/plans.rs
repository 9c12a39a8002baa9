//! Plans: drafts of changes to the boundaries, as they are kept.
//!
//! Invariant: a change of a plan succeeds against the version that it was made for, or
//! not at all; edits and notes are only ever added (undone edits go when others are made
//! in their place). It must not know what an edit does.

use std::collections::BTreeMap;
use std::sync::Arc;

use boundaries::Point;
use jiff::Timestamp;

use super::sql::{Arg, Row, Tx};
use super::{Error, Store, revisions};

/// How far a plan has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanState {
    /// It is being worked on.
    Draft,
    /// It waits for approval.
    Submitted,
    /// It may be published.
    Approved,
    /// It is in the boundaries.
    Published,
    /// It will not be.
    Refused,
}

impl PlanState {
    /// Its name in stores and on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Submitted => "submitted",
            Self::Approved => "approved",
            Self::Published => "published",
            Self::Refused => "refused",
        }
    }

    fn read(name: &str) -> Result<Self, Error> {
        let all = [Self::Draft, Self::Submitted, Self::Approved, Self::Published, Self::Refused];
        let found = all.into_iter().find(|state| state.name() == name);
        found.ok_or_else(|| Error::Damaged(format!("{name:?} is no state of a plan")))
    }
}

/// What a plan begins with.
#[derive(Clone, Debug)]
pub struct NewPlan {
    /// The coverage that it changes.
    pub coverage: String,
    /// What people call it.
    pub name: String,
    /// Whose it is.
    pub author: String,
    /// The code of the area below which it may change things; `None`: everywhere.
    pub scope: Option<String>,
    /// The revision that its edits are made on; `None`: the head.
    pub base: Option<u64>,
    /// From when its author means it to be in force.
    pub effective: Option<Timestamp>,
}

/// An edit of a plan, as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanEdit {
    /// Its number in the plan, from 1.
    pub seq: u64,
    /// Who made it.
    pub author: String,
    /// When.
    pub at: Timestamp,
    /// What it is, as JSON.
    pub body: Arc<str>,
}

/// Something that was said or decided.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanNote {
    /// Its number in the plan, from 1.
    pub seq: u64,
    /// Who said it.
    pub author: String,
    /// When.
    pub at: Timestamp,
    /// `comment`, or what was decided: `submitted`, `approved`, `refused`, `withdrawn`,
    /// `published`, `rebased`.
    pub kind: String,
    /// In words.
    pub text: String,
    /// The place that it is tied to.
    pub place: Option<Point>,
}

/// A plan with all that belongs to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Short, for people to say.
    pub id: Arc<str>,
    /// The coverage that it changes.
    pub coverage: Arc<str>,
    /// What people call it.
    pub name: String,
    /// Whose it is.
    pub author: String,
    /// The code of the area below which it may change things.
    pub scope: Option<Arc<str>>,
    /// The revision that its edits are made on.
    pub base: u64,
    /// From when its author means it to be in force.
    pub effective: Option<Timestamp>,
    /// How far it has come.
    pub state: PlanState,
    /// Counts every change of it.
    pub version: u64,
    /// The revision that it was published as.
    pub published: Option<u64>,
    /// Codes that its edits must leave alone.
    pub locked: Vec<Arc<str>>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub changed_at: Timestamp,
    /// Its edits, those that were undone at the end.
    pub edits: Vec<PlanEdit>,
    /// How many of them are in force.
    pub done: usize,
    /// What was said and decided, in order.
    pub notes: Vec<PlanNote>,
}

impl Plan {
    /// The edits that are in force.
    #[must_use]
    pub fn in_force(&self) -> &[PlanEdit] {
        &self.edits[..self.done.min(self.edits.len())]
    }
}

/// A change of a plan.
#[derive(Clone, Debug)]
pub enum PlanChange {
    /// One more edit; those that were undone are gone for good.
    Edit {
        /// Its JSON.
        body: String,
    },
    /// The last edit in force is undone.
    Undo,
    /// The first undone edit is in force again.
    Redo,
    /// It goes into another state.
    Decide {
        /// The state.
        state: PlanState,
        /// What was decided.
        kind: &'static str,
        /// Why, in words.
        text: String,
    },
    /// Something is said.
    Comment {
        /// What.
        text: String,
        /// About which place.
        place: Option<Point>,
    },
    /// Its edits are made on another revision from now on; those not named are dropped.
    Rebase {
        /// The revision.
        base: u64,
        /// The numbers of the edits that stay, ascending.
        keep: Vec<u64>,
        /// Edits that are written otherwise from now on, with their JSON.
        anew: Vec<(u64, Arc<str>)>,
        /// The state that it is in then: what was approved may no longer be what it is.
        state: PlanState,
    },
    /// These areas are locked, and no others.
    Lock {
        /// Their codes.
        codes: Vec<Arc<str>>,
    },
}

/// The plan that a revision was published from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Its id.
    pub plan: Arc<str>,
    /// What people call it.
    pub name: String,
    /// Whose it is.
    pub author: String,
    /// Who approved it, last of all.
    pub approver: Option<String>,
}

/// Edits of one plan, at most.
const MAX_EDITS: usize = 10_000;
/// Bytes of all its edits, at most: they are read whole with every change.
const MAX_BYTES: usize = 64 << 20;
/// Comments on it, at most; what is decided is always noted.
const MAX_NOTES: usize = 10_000;

impl Store {
    /// All plans, without their edits and notes, the newest first.
    ///
    /// # Errors
    ///
    /// Where the database can't be read.
    pub async fn plans(&self) -> Result<Vec<Plan>, Error> {
        let mut tx = self.reading().await?;
        let rows =
            tx.rows(format!("{} order by created_at desc, length(id) desc, id desc", select(&tx)), vec![]).await?;
        rows.iter().map(plan).collect()
    }

    /// A plan with its edits and notes.
    ///
    /// # Errors
    ///
    /// Where the database can't be read.
    pub async fn plan(&self, id: &str) -> Result<Option<Plan>, Error> {
        whole(&mut self.reading().await?, id).await
    }

    /// The plans that revisions of a coverage were published from, by the number of the
    /// revision.
    ///
    /// # Errors
    ///
    /// Where the database can't be read.
    pub async fn origins(&self, coverage: &str) -> Result<BTreeMap<u64, Origin>, Error> {
        let sql = "select published, id, name, author, (select n.author from plan_note n where n.plan = plan.id \
                   and n.kind = 'approved' order by n.seq desc limit 1) from plan \
                   where coverage = $1 and published is not null";
        let rows = self.reading().await?.rows(sql, vec![coverage.into()]).await?;
        let origin = |row: &Row<'_>| {
            let (plan, name, author) = (row.str(1)?.into(), row.text(2)?, row.text(3)?);
            Ok((row.int(0)? as u64, Origin { plan, name, author, approver: row.maybe_text(4)? }))
        };
        rows.iter().map(origin).collect()
    }

    /// The version of a plan: who holds the plan at it need not read it again.
    ///
    /// # Errors
    ///
    /// Where the database can't be read.
    pub async fn plan_version(&self, id: &str) -> Result<Option<u64>, Error> {
        let mut tx = self.reading().await?;
        let row = tx.row("select version from plan where id = $1", vec![id.into()]).await?;
        row.map(|row| Ok(row.int(0)? as u64)).transpose()
    }

    /// Makes a plan on the head of a coverage, or on the revision that is named.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] where the coverage or the revision doesn't exist.
    pub async fn new_plan(&self, new: NewPlan) -> Result<Plan, Error> {
        self.new_plan_of(new, &[]).await
    }

    /// The same with edits in it, each as JSON: the plan is there with all of them, or not at
    /// all.
    ///
    /// # Errors
    ///
    /// As [`new_plan`](Self::new_plan), and where the edits are more than a plan may have.
    pub async fn new_plan_of(&self, new: NewPlan, edits: &[Arc<str>]) -> Result<Plan, Error> {
        if edits.len() > MAX_EDITS {
            let found = edits.len();
            return Err(Error::Refused(format!("{found} edits are too many: a plan has at most {MAX_EDITS}")));
        }
        if edits.iter().map(|body| body.len()).sum::<usize>() > MAX_BYTES {
            return Err(Error::Refused(format!("the edits of a plan have at most {MAX_BYTES} bytes")));
        }
        let mut tx = self.writing().await?;
        let now = Timestamp::now();
        let all = revisions::revisions(&mut tx, Some(&new.coverage)).await?;
        let base = match new.base {
            None => all.last(),
            Some(number) => all.iter().find(|r| r.number == number),
        };
        let base = base.map(|r| r.number).ok_or_else(|| {
            let which = new.base.map_or("anything".to_owned(), |n| format!("revision {n}"));
            Error::Refused(format!("coverage {} has not published {which}", new.coverage))
        })?;
        let row = tx.row("select count(*) + 1 from plan", vec![]).await?;
        let number = row.ok_or_else(|| Error::Damaged("the plans are missing".into()))?.int(0)?;
        let id = format!("p{number}");
        let sql = format!(
            "insert into plan (id, coverage, name, author, scope, base, effective, state, version, edits_done, locked, \
             created_at, changed_at) values ($1, $2, $3, $4, $5, $6, {}, 'draft', 1, 0, '[]', {}, {})",
            tx.time(7),
            tx.time(8),
            tx.time(8)
        );
        let args = vec![
            id.as_str().into(),
            new.coverage.as_str().into(),
            new.name.as_str().into(),
            new.author.as_str().into(),
            Arg::Text(new.scope),
            base.into(),
            Arg::Text(new.effective.map(|t| t.to_string())),
            now.to_string().as_str().into(),
        ];
        tx.run(sql, args).await?;
        let row = |(i, body): (usize, &Arc<str>)| {
            let at = now.to_string();
            vec![
                id.as_str().into(),
                (i as u64 + 1).into(),
                new.author.as_str().into(),
                at.as_str().into(),
                Arg::from(&**body),
            ]
        };
        let columns = ["plan", "seq", "author", "at", "body"];
        tx.insert_many("plan_edit", &columns, edits.iter().enumerate().map(row)).await?;
        set_done(&mut tx, &id, edits.len()).await?;
        let plan = whole(&mut tx, &id).await?.ok_or_else(|| Error::Damaged("a new plan is not there".into()))?;
        tx.commit().await?;
        Ok(plan)
    }

    /// Changes a plan, if it is still what it was when the change was made for it.
    /// Durable when it returns.
    ///
    /// # Errors
    ///
    /// [`Error::Stale`] where its version is not `version`; [`Error::Refused`] where the
    /// change makes no sense for it.
    pub async fn change_plan(&self, id: &str, version: u64, author: &str, change: PlanChange) -> Result<Plan, Error> {
        let mut tx = self.writing().await?;
        let changed = self::change(&mut tx, id, version, author, change).await?;
        tx.commit().await?;
        Ok(changed)
    }
}

/// The same as a part of another transaction.
pub(super) async fn change(
    tx: &mut Tx,
    id: &str,
    version: u64,
    author: &str,
    change: PlanChange,
) -> Result<Plan, Error> {
    let now = Timestamp::now();
    let plan = whole(tx, id).await?.ok_or_else(|| Error::Refused(format!("there is no plan {id}")))?;
    if plan.version != version {
        return Err(Error::Stale(format!("plan {id}")));
    }
    match change {
        PlanChange::Edit { body } => {
            if plan.done >= MAX_EDITS {
                return Err(Error::Refused(format!("a plan has at most {MAX_EDITS} edits")));
            }
            if plan.in_force().iter().map(|edit| edit.body.len()).sum::<usize>() + body.len() > MAX_BYTES {
                return Err(Error::Refused(format!("the edits of a plan have at most {MAX_BYTES} bytes")));
            }
            let done = plan.in_force().last().map_or(0, |edit| edit.seq);
            let args = vec![id.into(), done.into()];
            tx.run("delete from plan_edit where plan = $1 and seq > $2", args).await?;
            let sql =
                format!("insert into plan_edit (plan, seq, author, at, body) values ($1, $2, $3, {}, $5)", tx.time(4));
            let at = now.to_string();
            let args = vec![id.into(), (done + 1).into(), author.into(), at.as_str().into(), body.as_str().into()];
            tx.run(sql, args).await?;
            set_done(tx, id, plan.done + 1).await?;
        }
        PlanChange::Undo => {
            let done = plan.done.checked_sub(1).ok_or_else(|| Error::Refused("there is no edit to undo".into()))?;
            set_done(tx, id, done).await?;
        }
        PlanChange::Redo if plan.done == plan.edits.len() => {
            return Err(Error::Refused("there is no edit to redo".into()));
        }
        PlanChange::Redo => set_done(tx, id, plan.done + 1).await?,
        PlanChange::Decide { state, kind, text } => {
            tx.run("update plan set state = $2 where id = $1", vec![id.into(), state.name().into()]).await?;
            note(tx, &plan, author, now, kind, &text, None).await?;
        }
        PlanChange::Comment { .. } if plan.notes.len() >= MAX_NOTES => {
            return Err(Error::Refused(format!("a plan has at most {MAX_NOTES} comments")));
        }
        PlanChange::Comment { text, place } => note(tx, &plan, author, now, "comment", &text, place).await?,
        PlanChange::Rebase { base, keep, anew, state } => {
            for edit in plan.edits.iter().filter(|edit| keep.binary_search(&edit.seq).is_err()) {
                tx.run("delete from plan_edit where plan = $1 and seq = $2", vec![id.into(), edit.seq.into()]).await?;
            }
            for (seq, body) in anew {
                let args = vec![id.into(), seq.into(), Arg::from(&*body)];
                tx.run("update plan_edit set body = $3 where plan = $1 and seq = $2", args).await?;
            }
            let args = vec![id.into(), base.into(), state.name().into()];
            tx.run("update plan set base = $2, state = $3 where id = $1", args).await?;
            set_done(tx, id, keep.len()).await?;
            let dropped = plan.in_force().len() - keep.len();
            let lapsed = if state == plan.state { "" } else { "; the approval was for something else and lapsed" };
            let text = format!("from revision {} to {base}, {dropped} edits dropped{lapsed}", plan.base);
            note(tx, &plan, author, now, "rebased", &text, None).await?;
        }
        PlanChange::Lock { codes } => {
            let codes = serde_json::to_string(&codes).map_err(|e| Error::Refused(e.to_string()))?;
            tx.run("update plan set locked = $2 where id = $1", vec![id.into(), codes.as_str().into()]).await?;
        }
    }
    let sql = format!("update plan set version = version + 1, changed_at = {} where id = $1", tx.time(2));
    tx.run(sql, vec![id.into(), now.to_string().as_str().into()]).await?;
    whole(tx, id).await?.ok_or_else(|| Error::Damaged("a plan that was changed is gone".into()))
}

async fn set_done(tx: &mut Tx, id: &str, done: usize) -> Result<(), Error> {
    tx.run("update plan set edits_done = $2 where id = $1", vec![id.into(), (done as u64).into()]).await.map(drop)
}

async fn note(
    tx: &mut Tx,
    plan: &Plan,
    author: &str,
    now: Timestamp,
    kind: &str,
    text: &str,
    place: Option<Point>,
) -> Result<(), Error> {
    let sql = format!(
        "insert into plan_note (plan, seq, author, at, kind, text, x, y) values ($1, $2, $3, {}, $5, $6, $7, $8)",
        tx.time(4)
    );
    let args = vec![
        Arg::from(&*plan.id),
        (plan.notes.len() as u64 + 1).into(),
        author.into(),
        now.to_string().as_str().into(),
        kind.into(),
        text.into(),
        Arg::Int(place.map(|p| p.x.into())),
        Arg::Int(place.map(|p| p.y.into())),
    ];
    tx.run(sql, args).await.map(drop)
}

/// Marks a plan as published, in the transaction that publishes it.
pub(super) async fn published(tx: &mut Tx, id: &str, revision: u64) -> Result<(), Error> {
    tx.run("update plan set published = $2 where id = $1", vec![id.into(), revision.into()]).await.map(drop)
}

fn select(tx: &Tx) -> String {
    format!(
        "select id, coverage, name, author, scope, base, {}, state, version, edits_done, published, locked, {}, {} from plan",
        tx.time_text("effective"),
        tx.time_text("created_at"),
        tx.time_text("changed_at"),
    )
}

async fn whole(tx: &mut Tx, id: &str) -> Result<Option<Plan>, Error> {
    let sql = format!("{} where id = $1", select(tx));
    let found = tx.row(sql, vec![id.into()]).await?.map(|row| plan(&row)).transpose()?;
    let Some(mut plan) = found else { return Ok(None) };
    let sql = format!("select seq, author, {}, body from plan_edit where plan = $1 order by seq", tx.time_text("at"));
    for row in tx.rows(sql, vec![id.into()]).await? {
        let (seq, author, at) = (row.int(0)? as u64, row.text(1)?, time(row.str(2)?)?);
        plan.edits.push(PlanEdit { seq, author, at, body: row.str(3)?.into() });
    }
    let sql = format!(
        "select seq, author, {}, kind, text, x, y from plan_note where plan = $1 order by seq",
        tx.time_text("at")
    );
    for row in tx.rows(sql, vec![id.into()]).await? {
        let place = match (row.maybe_int(5)?, row.maybe_int(6)?) {
            (Some(x), Some(y)) => {
                let unit =
                    |v: i64| i32::try_from(v).map_err(|_| Error::Damaged("a comment has no place on the globe".into()));
                Some(Point::new(unit(x)?, unit(y)?))
            }
            _ => None,
        };
        plan.notes.push(PlanNote {
            seq: row.int(0)? as u64,
            author: row.text(1)?,
            at: time(row.str(2)?)?,
            kind: row.text(3)?,
            text: row.text(4)?,
            place,
        });
    }
    Ok(Some(plan))
}

fn time(text: &str) -> Result<Timestamp, Error> {
    text.parse().map_err(|_| Error::Damaged(format!("{text:?} is no time of a plan")))
}

fn plan(row: &Row<'_>) -> Result<Plan, Error> {
    let locked = serde_json::from_str(row.str(11)?).map_err(|_| Error::Damaged("locked areas are no JSON".into()))?;
    Ok(Plan {
        id: row.str(0)?.into(),
        coverage: row.str(1)?.into(),
        name: row.text(2)?,
        author: row.text(3)?,
        scope: row.maybe_str(4)?.map(Into::into),
        base: row.int(5)? as u64,
        effective: row.maybe_str(6)?.map(time).transpose()?,
        state: PlanState::read(row.str(7)?)?,
        version: row.int(8)? as u64,
        done: row.int(9)? as usize,
        published: row.maybe_int(10)?.map(|n| n as u64),
        locked,
        created_at: time(row.str(12)?)?,
        changed_at: time(row.str(13)?)?,
        edits: Vec::new(),
        notes: Vec::new(),
    })
}
