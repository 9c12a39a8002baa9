//! `gridatlas plan`: redraws that are scripted, step by step as planners make them.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_json::Value;
use serde_json::value::RawValue;

use super::{CITY_ZONE, Failure, Outcome};
use crate::http::Config;
use crate::redraw::{Drafting, Op, PlanError, Plans, told};
use crate::snapshot::{Atlas, DEFAULT_COVERAGE};
use crate::store::{self, NewPlan, Plan, PlanChange, PlanState, Store};

/// Arguments of `plan`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The store: the path of a GeoPackage, or a postgres:// URL
    #[arg(long, env = "GRIDATLAS_STORE", hide_env_values = true, global = true, default_value = "")]
    store: String,
    /// The configuration of the service: how codes are laid out, who may approve
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// Who does it
    #[arg(long, global = true, default_value = "")]
    author: String,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// List the plans, the newest first
    List,
    #[command(flatten)]
    On(On),
}

/// What needs the boundaries that plans stand on.
#[derive(Debug, clap::Subcommand)]
enum On {
    /// Show a plan with its edits and what was said of it
    Show {
        /// Its id
        id: String,
    },
    /// Begin a plan on what is published now
    New {
        /// What people call it
        name: String,
        /// The coverage that it changes
        #[arg(long, default_value = DEFAULT_COVERAGE)]
        coverage: String,
        /// The code of the area below which it may change things
        #[arg(long)]
        scope: Option<String>,
        /// From when it is meant to be in force
        #[arg(long, value_name = "DATE")]
        effective: Option<String>,
    },
    /// Make edits: a JSON object, an array of them, or one a line
    Edit {
        /// The plan
        id: String,
        /// Where the edits are; - is standard input
        file: PathBuf,
        /// Only say whether they can be made
        #[arg(long)]
        dry_run: bool,
    },
    /// Undo the last edit
    Undo {
        /// The plan
        id: String,
    },
    /// Make the first undone edit again
    Redo {
        /// The plan
        id: String,
    },
    /// Say what the plan would change
    Preview {
        /// The plan
        id: String,
        /// Attributes of buildings to sum, comma-separated
        #[arg(long, default_value = "")]
        sum: String,
    },
    /// Hand the plan in
    Submit(Decision),
    /// Approve it: somebody else than its author
    Approve(Decision),
    /// Refuse it
    Refuse(Decision),
    /// Take it back to change it: it is a draft again
    Withdraw(Decision),
    /// Publish it, whole or not at all
    Publish {
        /// The plan
        id: String,
        /// From when it is in force; now, or as its author meant
        #[arg(long, value_name = "DATE")]
        effective: Option<String>,
        /// The summary of the revision
        #[arg(long, default_value = "")]
        note: String,
        /// Only say what it would change
        #[arg(long)]
        dry_run: bool,
    },
    /// Make what a revision published the head again, as a new revision
    Rollback {
        /// The number of the revision
        revision: u64,
        /// From when it is in force; now unless told
        #[arg(long, value_name = "DATE")]
        effective: Option<String>,
        /// The summary of the new revision
        #[arg(long, default_value = "")]
        note: String,
        /// Only say what it would change
        #[arg(long)]
        dry_run: bool,
    },
    /// Put it on what is published now, by making its edits again
    Rebase {
        /// The plan
        id: String,
        /// Edits to leave out, by number
        #[arg(long, value_delimiter = ',')]
        drop: Vec<u64>,
        /// Edits to keep though others changed what they concern, by number
        #[arg(long, value_delimiter = ',')]
        accept: Vec<u64>,
    },
}

#[derive(Debug, clap::Args)]
struct Decision {
    /// The plan
    id: String,
    /// Why
    #[arg(long, default_value = "")]
    note: String,
}

impl From<PlanError> for Failure {
    fn from(error: PlanError) -> Self {
        match &error {
            PlanError::Unknown(_) => Self::Usage(error.to_string()),
            PlanError::Refused(refused) => {
                let place =
                    refused.places.first().map_or(String::new(), |p| format!(" at {:.7} {:.7}", p.lon(), p.lat()));
                Self::Refused(format!("{}: {}{place}", refused.reason, refused.message))
            }
            PlanError::Conflicts(all) => {
                let line = |c: &crate::redraw::Conflict| {
                    let by =
                        c.revision.as_ref().map_or(String::new(), |(n, who)| format!(", by revision {n} of {who}"));
                    format!("\n  edit {}: {}{by}", c.seq, c.reason)
                };
                Self::Refused(format!("{error}:{}", all.iter().map(line).collect::<String>()))
            }
            PlanError::State { .. } | PlanError::OwnPlan | PlanError::Behind { .. } => Self::Refused(error.to_string()),
            PlanError::Store(e) => match e {
                store::Error::Stale(_) | store::Error::Refused(_) | store::Error::Moved { .. } => {
                    Self::Refused(error.to_string())
                }
                _ => Self::CouldNot(error.to_string()),
            },
        }
    }
}

/// Runs the command.
pub fn run(args: Args) -> Outcome {
    super::log_to_stderr();
    if args.store.is_empty() {
        return Err(Failure::Usage("say which store: --store PATH, or GRIDATLAS_STORE".into()));
    }
    let config = match &args.config {
        None => Config::default(),
        Some(file) => Config::read(file).map_err(|e| Failure::Usage(e.to_string()))?,
    };
    super::block_on(async {
        let could_not = |e: store::Error| Failure::CouldNot(e.to_string());
        let store = Store::open(&args.store).await.map_err(could_not)?;
        let outcome = act(&args, &config, &store).await;
        store.close().await;
        outcome
    })??
    .print(args.json)
}

/// What there is to print, for programs and for people.
struct Told {
    json: Value,
    text: String,
}

impl Told {
    fn print(self, as_json: bool) -> Outcome {
        if as_json { super::say(&format!("{:#}\n", self.json)) } else { super::say(&self.text) }
    }
}

async fn act(args: &Args, config: &Config, store: &Store) -> Result<Told, Failure> {
    match &args.what {
        What::List => {
            let all = store.plans().await.map_err(PlanError::from)?;
            Ok(Told { json: all.iter().map(told::plan).collect(), text: all.iter().map(line).collect() })
        }
        What::On(what) => on_boundaries(args, what, config, store).await,
    }
}

async fn on_boundaries(args: &Args, what: &On, config: &Config, store: &Store) -> Result<Told, Failure> {
    let plans = Plans::new(config.plans);
    let date = |text: &Option<String>| text.as_deref().map(|t| super::moment(t, CITY_ZONE)).transpose();
    let atlas = Atlas::open(store.clone()).await.map_err(PlanError::from)?;
    let open = async |id: &str| plans.open(&atlas, store, id).await;
    let author = |plan: &Plan| if args.author.is_empty() { plan.author.clone() } else { args.author.clone() };
    match what {
        On::Show { id } => Ok(shown(&open(id).await?.plan)),
        On::New { name, coverage, scope, effective } => {
            let new = NewPlan {
                coverage: coverage.clone(),
                name: name.clone(),
                author: args.author.clone(),
                scope: scope.clone(),
                base: None,
                effective: date(effective)?,
            };
            let plan = plans.create(&atlas, store, new).await?;
            Ok(Told { json: told::plan(&plan), text: format!("{}\n", plan.id) })
        }
        On::Edit { id, file, dry_run } => edit(&plans, store, open(id).await?, &args.author, file, *dry_run).await,
        On::Undo { id } | On::Redo { id } => {
            let change = if matches!(what, On::Undo { .. }) { PlanChange::Undo } else { PlanChange::Redo };
            let plan = open(id).await?.plan;
            Ok(shown(&plans.step(&atlas, store, &plan, &author(&plan), change).await?.plan))
        }
        On::Preview { id, sum } => {
            let drafting = open(id).await?;
            let sums = crate::redraw::sums(&drafting.snapshot, sum).map_err(Failure::Usage)?;
            let preview = plans.preview(store, &drafting, &sums).await?;
            let mut text = String::new();
            for area in &preview.areas {
                let households = |f: &Option<crate::redraw::Figures>| {
                    f.as_ref().map_or("-".to_owned(), |f| f.households.to_string())
                };
                let ground = |f: &Option<crate::redraw::Figures>| {
                    f.as_ref().map_or("-".to_owned(), |f| format!("{:.0}", f.area_m2))
                };
                text += &format!(
                    "{}  {}  {} -> {} m2  {} -> {} households\n",
                    area.code,
                    area.name,
                    ground(&area.before),
                    ground(&area.after),
                    households(&area.before),
                    households(&area.after)
                );
            }
            let spread = &preview.spread;
            for (measure, before) in &spread.before.measures {
                let after = spread.after.measures.get(measure).copied().unwrap_or_default();
                text += &format!(
                    "{measure} of {} -> {} grids: mean {:.1} -> {:.1}, deviation {:.1} -> {:.1}\n",
                    spread.before.grids, spread.after.grids, before.mean, after.mean, before.sd, after.sd
                );
            }
            for (layer, things) in &preview.moved {
                text += &format!("{} of {layer} change hands\n", things.len());
            }
            Ok(Told { json: told::preview(&drafting, &preview), text })
        }
        On::Submit(d) | On::Approve(d) | On::Refuse(d) | On::Withdraw(d) => {
            let to = match what {
                On::Submit(_) => PlanState::Submitted,
                On::Approve(_) => PlanState::Approved,
                On::Withdraw(_) => PlanState::Draft,
                _ => PlanState::Refused,
            };
            let plan = open(&d.id).await?.plan;
            Ok(shown(&plans.decide(store, &plan, &args.author, to, d.note.clone()).await?))
        }
        On::Publish { id, effective, note, dry_run } => {
            let opened = open(id).await?;
            let (by, at) = (author(&opened.plan), date(effective)?);
            if *dry_run {
                let would = plans.publication(store, &opened, &by, at, note).await?;
                let touched = would.next.touched_codes(&opened.draft.base().coverage);
                let text = format!("it would touch {}\n", touched.join(", "));
                return Ok(Told {
                    json: serde_json::json!({ "dry_run": true, "touched": touched, "lineage": would.lineage }),
                    text,
                });
            }
            let (published, lineage) = plans.publish(&atlas, store, opened, &by, at, note).await?;
            let number = published.revision.number;
            let text = format!("revision {number}: {}\n", published.touched.join(", "));
            let json = serde_json::json!({ "revision": number, "touched": published.touched, "lineage": lineage });
            Ok(Told { json, text })
        }
        On::Rollback { revision, effective, note, dry_run } => {
            let all = store.revisions().await.map_err(PlanError::from)?;
            let to = all.into_iter().find(|r| r.number == *revision);
            let to = to.ok_or_else(|| Failure::Usage(format!("there is no revision {revision}")))?;
            let at = date(effective)?;
            if *dry_run {
                let would = plans.rollback(&atlas, store, &to, &args.author, at, note).await?;
                let touched =
                    would.base.as_ref().map(|base| would.next.touched_codes(&base.coverage)).unwrap_or_default();
                let json = serde_json::json!({ "dry_run": true, "touched": touched, "lineage": would.lineage });
                return Ok(Told { json, text: format!("it would touch {}\n", touched.join(", ")) });
            }
            let (published, lineage) = plans.roll_back(&atlas, store, &to, &args.author, at, note).await?;
            let number = published.revision.number;
            let text = format!("revision {number}: {}\n", published.touched.join(", "));
            let json = serde_json::json!({ "revision": number, "touched": published.touched, "lineage": lineage });
            Ok(Told { json, text })
        }
        On::Rebase { id, drop, accept } => {
            let opened = open(id).await?;
            let by = author(&opened.plan);
            Ok(shown(&plans.rebase(&atlas, store, opened, &by, drop, accept).await?.plan))
        }
    }
}

/// Makes the edits of a file, each durable before the next; stops at the first that can't
/// be made.
async fn edit(
    plans: &Plans,
    store: &Store,
    opened: Drafting,
    author: &str,
    file: &Path,
    dry_run: bool,
) -> Result<Told, Failure> {
    let ops = ops(file)?;
    let by = if author.is_empty() { opened.plan.author.clone() } else { author.to_owned() };
    let (count, mut drafting, mut made) = (ops.len(), opened, Vec::new());
    for (i, op) in ops.into_iter().enumerate() {
        let nth = |failure: Failure| match failure {
            Failure::Refused(why) => Failure::Refused(format!("edit {} of {count}: {why}; {i} were made", i + 1)),
            other => other,
        };
        let (next, step) =
            if dry_run { plans.tried(drafting, op).await } else { plans.edit(store, drafting, &by, op).await }
                .map_err(|e| nth(e.into()))?;
        made.push(serde_json::json!({ "seq": step.seq, "created": step.created, "removed": step.removed, "touched": step.touched }));
        drafting = next;
    }
    let text = format!("{}: {count} edits {}\n", drafting.plan.id, if dry_run { "can be made" } else { "made" });
    Ok(Told { json: Value::from(made), text })
}

fn ops(file: &Path) -> Result<Vec<Op>, Failure> {
    /// Bytes of a file of edits.
    const MAX_BYTES: u64 = 64 << 20;
    let at = |why: String| Failure::Usage(format!("{}: {why}", file.display()));
    let mut text = String::new();
    let read = if file == Path::new("-") {
        std::io::stdin().take(MAX_BYTES).read_to_string(&mut text)
    } else {
        std::fs::File::open(file).and_then(|f| f.take(MAX_BYTES).read_to_string(&mut text))
    };
    read.map_err(|e| at(e.to_string()))?;
    if text.len() as u64 == MAX_BYTES {
        return Err(at("it is larger than 64 MiB: make the edits in parts".into()));
    }
    let parts: Vec<&RawValue> = if text.trim_start().starts_with('[') {
        serde_json::from_str(&text).map_err(|e| at(e.to_string()))?
    } else {
        let values = serde_json::Deserializer::from_str(&text).into_iter::<&RawValue>();
        values.collect::<Result<_, _>>().map_err(|e| at(e.to_string()))?
    };
    let read =
        |(i, part): (usize, &&RawValue)| Op::read(part.get()).map_err(|why| at(format!("edit {}: {why}", i + 1)));
    parts.iter().enumerate().map(read).collect()
}

fn line(plan: &Plan) -> String {
    let by = if plan.author.is_empty() { "-" } else { &plan.author };
    format!("{}  {}  {}  {by}  on revision {}, {} edits\n", plan.id, plan.state.name(), plan.name, plan.base, plan.done)
}

fn shown(plan: &Plan) -> Told {
    let mut text = line(plan);
    for (i, edit) in plan.edits.iter().enumerate() {
        let undone = if i >= plan.done { " (undone)" } else { "" };
        text += &format!("  {}{undone}  {}\n", edit.seq, edit.body);
    }
    for note in &plan.notes {
        text += &format!("  {} by {}: {}\n", note.kind, note.author, note.text);
    }
    Told { json: told::plan(plan), text }
}
