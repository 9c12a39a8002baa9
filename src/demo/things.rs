//! What stands and moves in the city: buildings, party units, workers, events.
//!
//! Each is a stream of features, made one by one. Streams draw from numbers of their
//! own, so that another number of buildings changes no worker.

use std::sync::Arc;

use boundaries::Polygon;
use jiff::{SignedDuration, Timestamp};

use super::Random;
use super::city::{City, Grid};
use super::land::{At, lattice};
use super::names::person;
use crate::dispatch::{Query, Workers};
use crate::feature::{Feature, Geometry, Properties, Value};

/// The day on which the demo's past ends: a fixed one, so that a seed is a city, and one that
/// is past wherever it is shown.
const TODAY: Timestamp = Timestamp::constant(1_748_736_000, 0);
const DAYS: f64 = 90.0;

/// How many there are of everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Buildings.
    pub buildings: usize,
    /// Workers.
    pub workers: usize,
    /// Events of the past.
    pub events: usize,
}

impl Counts {
    /// The counts for so many grids: 300,000 buildings and 20,000 workers for 17,000.
    #[must_use]
    pub fn of(grids: usize) -> Self {
        let share = |of_17000: usize| (of_17000 * grids).div_ceil(17_000);
        Self { buildings: share(300_000), workers: share(20_000), events: share(100_000) }
    }
}

fn text(value: impl AsRef<str>) -> Value {
    Value::Text(value.as_ref().into())
}

fn properties(fields: &[Arc<str>], values: impl IntoIterator<Item = Value>) -> Properties {
    fields.iter().cloned().zip(values).collect()
}

fn fields(names: &[&str]) -> Vec<Arc<str>> {
    names.iter().map(|n| Arc::from(*n)).collect()
}

/// The grids, as the one file of areas that a city office would hand over: codes and
/// names of every level in columns.
pub fn areas(city: &City) -> impl Iterator<Item = Feature> {
    let fields =
        fields(&["code", "name", "kind", "community_name", "street_name", "district_name", "city", "city_name"]);
    city.grids.iter().map(move |grid| {
        let [community, street, district] = city.above(grid);
        let values = [
            text(&grid.code),
            text(&grid.name),
            text(&grid.kind),
            text(&community.name),
            text(&street.name),
            text(&district.name),
            text(&city.whole.code),
            text(&city.whole.name),
        ];
        Feature {
            id: grid.code.as_str().into(),
            geometry: Geometry::Polygons(grid.parts.clone()),
            properties: properties(&fields, values),
        }
    })
}

/// A building before it is a feature.
#[derive(Clone, Debug)]
pub struct Building {
    /// Its grid, in [`City::grids`].
    pub grid: usize,
    middle: At,
    outline: Polygon,
    name: String,
    kind: &'static str,
    floors: u32,
    households: u32,
    residents: u32,
}

impl Building {
    /// The id of the `n`th building.
    #[must_use]
    pub fn id(n: usize) -> String {
        format!("B{:07}", n + 1)
    }
}

/// The buildings: in rows around the middle of their grid, most of them inside it, a
/// few across a border.
#[must_use]
pub fn buildings(city: &City, count: usize) -> Vec<Building> {
    let mut random = Random::of(city.seed, "buildings");
    let weights: Vec<_> = city.grids.iter().map(|g| (0.4 + random.unit()) * if g.rural { 1.1 } else { 1.0 }).collect();
    let total: f64 = weights.iter().sum();
    let mut buildings = Vec::with_capacity(count);
    let mut sum = 0.0;
    for (at, (grid, weight)) in city.grids.iter().zip(weights).enumerate() {
        sum += weight;
        // Rounding the running sum gives exactly `count` in the end.
        let until = (sum / total * count as f64).round() as usize;
        let some = until.min(count).saturating_sub(buildings.len());
        quarter(grid, at, some, &mut random, &mut buildings);
    }
    buildings
}

/// The buildings of one grid.
fn quarter(grid: &Grid, at: usize, count: usize, random: &mut Random, into: &mut Vec<Building>) {
    if count == 0 {
        return;
    }
    let turn = random.between(0.0, std::f64::consts::FRAC_PI_2);
    let (sin, cos) = turn.sin_cos();
    // A square of rows, large enough to leave out what an enclave in the middle takes.
    let room = grid.room_m.max(12.0) * 1.02;
    let taken = grid.taken_m * 1.2;
    let free = (1.0 - (taken / room).powi(2) * 0.78).max(0.3);
    let side = (count as f64 / free).sqrt().ceil().max(1.0) + if taken > 0.0 { 1.0 } else { 0.0 };
    let gap = (1.85 * room / side).clamp(7.0, if grid.rural { 38.0 } else { 75.0 });
    let side = side as usize;
    let spot = |i: usize| {
        let x = ((i % side) as f64 - (side as f64 - 1.0) / 2.0) * gap;
        let y = ((i / side) as f64 - (side as f64 - 1.0) / 2.0) * gap;
        (At::new(x * cos - y * sin, x * sin + y * cos), x.hypot(y))
    };
    let mut spots: Vec<_> = (0..side * side).map(spot).filter(|(_, from)| *from > taken).collect();
    if taken == 0.0 {
        // Near the middle first: villages are dense in their middle.
        spots.sort_by(|a, b| a.1.total_cmp(&b.1));
    }
    for n in 0..count {
        // Where there are more buildings than spots, the last spots stand around again,
        // smaller and beside the first: on the ground of the same grid.
        let round = n / spots.len().max(1);
        let offset = spots.get(n % spots.len().max(1)).map_or(At::new(0.0, 0.0), |s| s.0);
        let size = gap / (1 << round.min(4)) as f64;
        let middle = grid.middle.plus(offset, 1.0).plus(At::new(cos, sin), size * round as f64 * 0.9);
        into.push(building(grid, at, n, middle, (sin, cos), size, random));
    }
}

fn building(
    grid: &Grid,
    at: usize,
    n: usize,
    middle: At,
    (sin, cos): (f64, f64),
    size_m: f64,
    random: &mut Random,
) -> Building {
    let (half_x, half_y) = (size_m * random.between(0.2, 0.42), size_m * random.between(0.14, 0.40));
    let mut corners = vec![(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)];
    if random.chance(0.3) {
        let (x, y) = (random.between(-0.2, 0.5), random.between(-0.2, 0.5));
        corners = vec![(-1.0, -1.0), (1.0, -1.0), (1.0, y), (x, y), (x, 1.0), (-1.0, 1.0)];
    }
    let corner = |(x, y): (f64, f64)| {
        let (x, y) = (x * half_x, y * half_y);
        lattice(middle.plus(At::new(x * cos - y * sin, x * sin + y * cos), 1.0))
    };
    let shell = corners.into_iter().map(corner).collect();

    let dedicated = grid.kind.split_once('·').map(|(_, purpose)| purpose);
    let kind = match (dedicated, random.unit()) {
        (Some("学校"), _) => "学校",
        (Some("医院"), _) => "医院",
        (Some("园区" | "企业"), _) => "工业",
        (Some("市场" | "商圈"), _) => "商业",
        (Some(_), _) => "公共",
        (None, u) if u < 0.78 => "住宅",
        (None, u) if u < 0.88 => "商住",
        (None, u) if u < 0.93 => "商业",
        (None, u) if u < 0.97 => "办公",
        (None, _) => "公共",
    };
    let floors = match (grid.rural, kind) {
        (true, _) => 1 + random.below(3),
        (false, "住宅" | "商住") => [6, 6, 6, 11, 18, 24, 33][random.below(7)],
        (false, _) => 1 + random.below(12),
    } as u32;
    let lives = matches!(kind, "住宅" | "商住");
    let households = if !lives {
        0
    } else if grid.rural {
        1 + random.below(2) as u32
    } else {
        floors * (1 + random.below(4) as u32)
    };
    let residents = (f64::from(households) * random.between(2.0, 3.2)).round() as u32;
    let name = format!("{}{}号楼", grid.name, n + 1);
    Building {
        grid: at,
        middle,
        outline: Polygon { shell, holes: Vec::new() },
        name,
        kind,
        floors,
        households,
        residents,
    }
}

/// The buildings as features.
pub fn building_features<'a>(city: &'a City, buildings: &'a [Building]) -> impl Iterator<Item = Feature> + 'a {
    let fields = fields(&["id", "name", "address", "households", "residents", "kind", "floors"]);
    buildings.iter().enumerate().map(move |(n, b)| {
        let [community, street, district] = city.above(&city.grids[b.grid]);
        let id = Building::id(n);
        let values = [
            text(&id),
            text(&b.name),
            text(format!("{}{}{}{}", district.name, street.name, community.name, b.name)),
            Value::Integer(b.households.into()),
            Value::Integer(b.residents.into()),
            text(b.kind),
            Value::Integer(b.floors.into()),
        ];
        let geometry = Geometry::Polygons(vec![b.outline.clone()]);
        Feature { id: id.as_str().into(), geometry, properties: properties(&fields, values) }
    })
}

/// The party units of the four tiers: a committee in each community, a branch in most
/// grids, groups in some buildings, households of members below the groups.
pub fn party_units(city: &City, buildings: &[Building]) -> Vec<Feature> {
    let mut random = Random::of(city.seed, "party");
    let fields = fields(&["id", "name", "tier", "parent", "tied_to", "members"]);
    let mut units = Vec::new();
    let mut unit = |at: At, id: &str, name: String, tier: &str, parent: &str, tied_to: &str, members: usize| {
        let values = [
            text(id),
            text(name),
            text(tier),
            if parent.is_empty() { Value::Null } else { text(parent) },
            text(tied_to),
            Value::Integer(members as i64),
        ];
        let geometry = Geometry::Point(lattice(at));
        units.push(Feature { id: id.into(), geometry, properties: properties(&fields, values) });
    };
    let somewhere = |grid: &Grid, random: &mut Random| {
        // Not in an enclave that the grid surrounds.
        let angle = random.between(0.0, std::f64::consts::TAU);
        let radius = random.between(grid.taken_m * 1.05, (grid.taken_m * 1.1).max(grid.room_m * 0.8));
        grid.middle.plus(At::new(angle.cos(), angle.sin()), radius)
    };
    let mut built = buildings.iter().enumerate().peekable();
    let mut seen_community = None;
    let mut branch_of_community = String::new();
    for (at, grid) in city.grids.iter().enumerate() {
        let community = &city.communities[grid.community];
        let committee = format!("PC{}", community.code);
        if seen_community != Some(grid.community) {
            seen_community = Some(grid.community);
            branch_of_community.clone_from(&committee);
            let members = 40 + random.below(300);
            let place = somewhere(grid, &mut random);
            unit(place, &committee, format!("{}党委", community.name), "committee", "", &community.code, members);
        }
        // Not every grid has a branch of its own: then the one before takes it along.
        if random.chance(0.7) {
            branch_of_community = format!("PB{}", grid.code);
            let (place, members) = (somewhere(grid, &mut random), 5 + random.below(60));
            unit(
                place,
                &branch_of_community,
                format!("{}党支部", grid.name),
                "branch",
                &committee,
                &grid.code,
                members,
            );
        }
        while let Some((n, building)) = built.next_if(|(_, b)| b.grid == at) {
            if building.households == 0 || !random.chance(0.09) {
                continue;
            }
            let (tied_to, group) = (Building::id(n), format!("PG{:07}", n + 1));
            let members = 3 + random.below(12);
            let name = format!("{}党小组", building.name);
            unit(building.middle, &group, name, "group", &branch_of_community, &tied_to, members);
            for i in 1..=random.below(3) {
                let id = format!("PH{:07}-{i}", n + 1);
                let place = building.middle.plus(At::new(random.normal(), random.normal()), 1.5);
                let name = format!("{}党员中心户", person(&mut random));
                unit(place, &id, name, "household", &group, &tied_to, 1 + random.below(3));
            }
        }
    }
    units
}

const ROLES: [(&str, f64); 6] = [
    ("grid_worker", 0.70),
    ("grid_leader", 0.08),
    ("police", 0.07),
    ("volunteer", 0.08),
    ("repair", 0.04),
    ("medic", 0.03),
];
const SKILLS: [&str; 10] = [
    "mediation",
    "first_aid",
    "fire_safety",
    "sign_language",
    "electrical",
    "plumbing",
    "elevator_rescue",
    "english",
    "dog_handling",
    "drone",
];

/// The workers: one for each grid and then some.
pub fn workers(city: &City, count: usize) -> impl Iterator<Item = Feature> {
    let fields = fields(&["id", "name", "role", "skills", "grids", "on_duty", "phone"]);
    let mut random = Random::of(city.seed, "workers");
    (0..count).map(move |n| {
        let at = if n < city.grids.len() { n } else { random.below(city.grids.len()) };
        let grid = &city.grids[at];
        let mut share = random.unit();
        let role = ROLES.iter().find(|(_, part)| {
            share -= part;
            share < 0.0
        });
        let role = role.map_or("grid_worker", |(role, _)| role);
        let mut skills: Vec<_> = SKILLS.iter().copied().filter(|_| random.chance(0.1)).collect();
        match role {
            "medic" => skills.push("first_aid"),
            "repair" => skills.push("electrical"),
            _ => {}
        }
        skills.sort_unstable();
        skills.dedup();
        let grids: Vec<_> = match role {
            "grid_worker" => vec![grid.code.as_str()],
            // A leader answers for every grid of the community.
            "grid_leader" => {
                city.grids.iter().filter(|g| g.community == grid.community).map(|g| g.code.as_str()).collect()
            }
            _ => vec![],
        };
        let bell = At::new(random.normal(), random.normal());
        let id = format!("W{:06}", n + 1);
        let values = [
            text(&id),
            text(person(&mut random)),
            text(role),
            text(skills.join(",")),
            text(grids.join(",")),
            Value::Bool(random.chance(0.65)),
            text(format!("0532-5550{:04}", random.below(10_000))),
        ];
        let place = grid.middle.plus(bell, grid.room_m * 0.5);
        Feature {
            id: id.as_str().into(),
            geometry: Geometry::Point(lattice(place)),
            properties: properties(&fields, values),
        }
    })
}

const TYPES: [(&str, &str); 10] = [
    ("环境卫生", "楼道堆放杂物"),
    ("市容秩序", "占道经营"),
    ("公共设施", "井盖破损"),
    ("矛盾纠纷", "邻里噪音纠纷"),
    ("安全隐患", "电动车进楼充电"),
    ("民生服务", "独居老人需要探访"),
    ("园林绿化", "树枝遮挡路灯"),
    ("消防安全", "消防通道被占"),
    ("道路交通", "路面坑洼"),
    ("治安", "陌生人尾随进楼"),
];
const STATES: [(&str, f64); 6] = [
    ("closed", 0.90),
    ("fed_back", 0.02),
    ("handled", 0.02),
    ("dispatched", 0.03),
    ("filed", 0.02),
    ("collected", 0.01),
];
const SOURCES: [&str; 4] = ["hotline", "app", "patrol", "camera"];
const EVENT_FIELDS: [&str; 10] =
    ["id", "source", "type", "state", "state_time", "time", "description", "address", "urgency", "worker"];
/// How long it takes to close an event, in hours at the median.
const CLOSING_H: f64 = 20.0;

/// The stream of events: those of the past, then those that happen while it is watched.
#[derive(Clone, Debug)]
pub struct Events<'a> {
    city: &'a City,
    random: Random,
    fields: Vec<Arc<str>>,
    /// Running sums: where more happens is a matter of the grid.
    weights: Vec<f64>,
    workers: usize,
}

impl<'a> Events<'a> {
    /// The stream from its beginning.
    #[must_use]
    pub fn new(city: &'a City, workers: usize) -> Self {
        let mut random = Random::of(city.seed, "events");
        let mut sum = 0.0;
        let weights = city
            .grids
            .iter()
            .map(|_| {
                // Pareto: a few grids have most of the trouble.
                sum += (1.0 - random.unit()).powf(-1.0 / 1.6).min(40.0);
                sum
            })
            .collect();
        Self { city, random, fields: fields(&EVENT_FIELDS), weights, workers }
    }

    /// The id of the `n`th event of the past, from 1.
    #[must_use]
    pub fn id(n: usize) -> String {
        format!("E{n:08}")
    }

    /// The events of the past, at times within ninety days of a fixed one.
    pub fn past(&mut self, count: usize) -> impl Iterator<Item = Feature> + use<'_, 'a> {
        (0..count).map(move |n| {
            let ago_s = (self.random.unit() * DAYS * 86_400.0) as i64;
            let time = TODAY - SignedDuration::from_secs(ago_s);
            let mut share = self.random.unit();
            let state = STATES.iter().find(|(_, part)| {
                share -= part;
                share < 0.0
            });
            // What is old is closed, with few exceptions.
            let state = if ago_s > 10 * 86_400 { "closed" } else { state.map_or("closed", |(state, _)| state) };
            self.one(Self::id(n + 1).into(), time, state)
        })
    }

    /// An event that has just come in.
    pub fn happen(&mut self, id: &str, now: Timestamp) -> Feature {
        self.one(id.into(), now, "collected")
    }

    /// The nearest worker of a grid on duty to an event.
    pub(super) fn worker_near(&self, event: &Feature, workers: &Workers, now: Timestamp) -> Option<Arc<str>> {
        let Geometry::Point(point) = event.geometry else { return None };
        let query = Query { role: Some("grid_worker"), on_duty: Some(true), ..Query::new(point, 1) };
        workers.nearest(&query, &(), now).pop().map(|found| found.worker.id.clone())
    }

    fn one(&mut self, id: Arc<str>, time: Timestamp, state: &str) -> Feature {
        let random = &mut self.random;
        let total = self.weights.last().copied().unwrap_or(0.0);
        let drawn = random.between(0.0, total);
        let at = self.weights.partition_point(|w| *w < drawn).min(self.city.grids.len() - 1);
        let grid = &self.city.grids[at];
        let [community, street, district] = self.city.above(grid);
        let bell = At::new(random.normal(), random.normal());
        // One in two hundred is told with a place that lies far off, some in the sea.
        let spread_m = if random.chance(0.005) { 8_000.0 } else { grid.room_m * 0.6 };
        let place = grid.middle.plus(bell, spread_m);
        let (kind, description) = random.pick(&TYPES);
        let worker = if matches!(state, "collected" | "filed") || self.workers == 0 {
            Value::Null
        } else {
            text(format!("W{:06}", 1 + random.below(self.workers)))
        };
        // Most are done in a day or two, some take weeks.
        let takes_s = (CLOSING_H * 3600.0 * random.normal().exp()) as i64;
        let state_time = match state {
            "collected" => Value::Null,
            _ => text((time + SignedDuration::from_secs(takes_s)).min(TODAY.max(time)).to_string()),
        };
        let values = [
            text(&id),
            text(random.pick(&SOURCES)),
            text(kind),
            text(state),
            state_time,
            text(time.to_string()),
            text(description),
            text(format!("{}{}{}{}", district.name, street.name, community.name, grid.name)),
            Value::Integer(1 + random.below(3) as i64),
            worker,
        ];
        Feature { id, geometry: Geometry::Point(lattice(place)), properties: properties(&self.fields, values) }
    }
}
