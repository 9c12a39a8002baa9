//! What every handler reads from: one snapshot for the whole request, and who asks.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::problem::{Code, Problem};
use super::state::App;
use crate::snapshot::{CoverageView, DEFAULT_COVERAGE, Moment, Snapshot};

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// Nobody in particular: what everyone may see.
    Everyone,
}

/// One state of the city, and who asks for it.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The state: the same for the whole request.
    pub snapshot: Arc<Snapshot>,
    /// Who asks.
    pub caller: Caller,
    /// The coverage of the plan that is read, where one is.
    planned: Option<Arc<str>>,
}

impl FromRequestParts<App> for Reading {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        // The guard has put there what it names in the header of the answer.
        let snapshot = parts.extensions.get::<Arc<Snapshot>>().cloned().unwrap_or_else(|| app.atlas.present());
        Ok(Self { snapshot, caller: Caller::Everyone, planned: None })
    }
}

/// Which state of the boundaries a query asks for, read from `at=` and `rev=`.
fn moment(app: &App, at: Option<&str>, rev: Option<u64>) -> Result<Option<Moment>, Problem> {
    match (at, rev) {
        (None, None) => Ok(None),
        (None, Some(rev)) => Ok(Some(Moment::Revision(rev))),
        (Some(at), None) => {
            let time = Moment::parse_at(at, &app.zone);
            let time = time.map_err(|e| Problem::new(Code::BadParameter, e.to_string()).with("parameter", "at"))?;
            Ok(Some(Moment::At(time)))
        }
        (Some(_), Some(_)) => Err(Problem::new(Code::BadParameter, "at and rev exclude each other")),
    }
}

impl Reading {
    /// The same for what was in force at a time (`at=`), what a revision published
    /// (`rev=`) or what a plan would make of it (`plan=`); unchanged where none is asked for.
    pub(super) async fn at(
        mut self,
        app: &App,
        at: Option<&str>,
        rev: Option<u64>,
        plan: Option<&str>,
    ) -> Result<Self, Problem> {
        if let Some(plan) = plan {
            if at.is_some() || rev.is_some() {
                return Err(Problem::new(Code::BadParameter, "plan stands on its own base: at and rev exclude it"));
            }
            let drafting = app.plans.open(&app.atlas, app.store()?, plan).await?;
            self.snapshot = app.plans.seen(&drafting).await?;
            self.planned = Some(drafting.plan.coverage.clone());
            return Ok(self);
        }
        if let Some(moment) = moment(app, at, rev)? {
            self.snapshot = app.atlas.at(moment).await?;
            let reached = self.snapshot.coverages.iter().map(|c| c.revision).max().unwrap_or_default();
            if rev.is_some_and(|rev| rev != reached) {
                let detail = format!("there is no revision {}", rev.unwrap_or_default());
                return Err(Problem::new(Code::UnknownRevision, detail).with("parameter", "rev"));
            }
        }
        Ok(self)
    }

    /// A coverage by name; where none is named, that of the plan that is read, else the
    /// default one. A plan is not read in another coverage than its own.
    pub(super) fn coverage(&self, name: Option<&str>) -> Result<&Arc<CoverageView>, Problem> {
        if let (Some(name), Some(planned)) = (name, self.planned.as_deref())
            && name != planned
        {
            let detail = format!("the plan is one of coverage {planned}, not {name}");
            return Err(Problem::new(Code::BadParameter, detail).with("parameter", "coverage"));
        }
        let found = match name.or(self.planned.as_deref()) {
            Some(name) => self.snapshot.coverage(name),
            // Where no coverage has the default name, the first one is the default.
            None => self.snapshot.coverage(DEFAULT_COVERAGE).or(self.snapshot.coverages.first()),
        };
        found.ok_or_else(|| {
            let known: Vec<_> = self.snapshot.coverages.iter().map(|c| c.name.to_string()).collect();
            let detail = match (known.is_empty(), name) {
                (true, _) | (_, None) => "no areas have been imported yet".to_owned(),
                (false, Some(name)) => format!("there is no coverage {name}; there are {}", known.join(", ")),
            };
            Problem::new(Code::UnknownCoverage, detail).with("known", known)
        })
    }

    /// The coverage of that name, or all of them, the default one first.
    pub(super) fn coverages(&self, name: Option<&str>) -> Result<&[Arc<CoverageView>], Problem> {
        match name {
            Some(_) => Ok(std::slice::from_ref(self.coverage(name)?)),
            None => Ok(&self.snapshot.coverages),
        }
    }
}
