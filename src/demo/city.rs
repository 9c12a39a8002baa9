//! The city itself: grids nested in communities, streets and districts, with the
//! ground of every grid.
//!
//! Invariant: the grids cover the land without gap or overlap, neighbours have every
//! vertex of their border in common, and codes are the real form: 6 digits of the
//! district, 3 each of street, community and grid, numbered from west to east and
//! north to south.

use std::f64::consts::TAU;

use boundaries::{Point, Polygon};

use super::Random;
use super::borders::lines;
use super::cells::Cells;
use super::land::{At, Land, lattice};
use super::names::Names;
use super::regions::{Ground, middle, reading_order};

/// The most grids that a city may have: more would not fit into three digits.
pub const MOST_GRIDS: usize = 50_000;
/// The fewest that make a city.
pub const FEWEST_GRIDS: usize = 40;

/// Vertices of a grid's ring, on average.
const VERTICES: f64 = 120.0;
/// A cell with more room around its seed than this is countryside.
const RURAL_ROOM_M: f64 = 220.0;
/// An enclave needs a host with so much room around its seed.
const HOST_ROOM_M: f64 = 60.0;
/// The part of its host's room that an enclave takes.
const ENCLAVE_SHARE: f64 = 0.55;

/// A grid.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    /// 15 digits; the first 6, 9 and 12 are those of the areas above.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Urban, rural or dedicated, with the purpose of a dedicated one.
    pub kind: String,
    /// Its ground, in more than one part for some.
    pub parts: Vec<Polygon>,
    /// Its community, in [`City::communities`].
    pub community: usize,
    /// A place inside it where things may stand, in metres, and how far around.
    pub(super) middle: At,
    pub(super) room_m: f64,
    /// How far from its middle an enclave keeps others away, in metres; 0 without one.
    pub(super) taken_m: f64,
    pub(super) rural: bool,
}

/// An area above the grids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// The unit above it, in the list of those.
    pub parent: usize,
}

/// A city.
#[derive(Clone, Debug)]
pub struct City {
    /// What it was made from.
    pub seed: u64,
    /// The city's own code and name.
    pub whole: Unit,
    /// Districts by code.
    pub districts: Vec<Unit>,
    /// Streets and towns by code.
    pub streets: Vec<Unit>,
    /// Communities and villages by code.
    pub communities: Vec<Unit>,
    /// Grids by code.
    pub grids: Vec<Grid>,
    pub(super) land: Land,
}

/// What is told apart before codes are given: a cell's own grid, or an enclave in it.
#[derive(Clone, Copy, Debug)]
struct Plot {
    cell: u32,
    enclave: bool,
}

impl City {
    /// The city of a seed with exactly so many grids, brought within
    /// [`FEWEST_GRIDS`] ..= [`MOST_GRIDS`].
    #[must_use]
    pub fn new(grids: usize, seed: u64) -> Self {
        let count = grids.clamp(FEWEST_GRIDS, MOST_GRIDS);
        let enclaves = (count / 22).max(2);
        let far_parts = (count / 200).max(1);
        let land = Land::new(count, seed);
        let cells = Cells::new(&land, count - enclaves, seed);
        let islands = Islands::choose(&cells, enclaves, far_parts, seed);
        let lines = lines(&cells, VERTICES, &islands.in_cell.iter().map(Option::is_some).collect::<Vec<_>>(), seed);

        let mut city = Self {
            seed,
            whole: Unit { code: "370200".into(), name: "示范市".into(), parent: 0 },
            districts: Vec::new(),
            streets: Vec::new(),
            communities: Vec::new(),
            grids: Vec::new(),
            land,
        };
        city.gather(&cells, islands, &lines, seed);
        city
    }

    /// Names and numbers everything, from the districts down.
    fn gather(&mut self, cells: &Cells, mut islands: Islands, lines: &[Vec<Point>], seed: u64) {
        let neighbours = cells.neighbours();
        let ground = Ground { seeds: &cells.seeds, neighbours: &neighbours };
        let mut random = Random::of(seed, "regions");
        let mut names = Names::new(seed);
        let all: Vec<u32> = (0..cells.count as u32).collect();
        let share = cells.count as f64 / 17_000.0;
        let is_rural = |cells_of: &[u32]| {
            cells_of.iter().map(|c| cells.room_m[*c as usize]).sum::<f64>() / cells_of.len() as f64 > RURAL_ROOM_M
        };

        // A small city has fewer districts: the largest of them.
        let most = (10.0 * share.powf(0.35)).round().clamp(2.0, 10.0) as usize;
        let mut districts = self.land.districts;
        districts.sort_by(|a, b| b.grids.total_cmp(&a.grids));
        let districts = &mut districts[..most];
        districts.sort_by_key(|d| d.code);
        let middles: Vec<_> = districts.iter().map(|d| self.land.scaled(d.middle)).collect();

        let paces: Vec<_> = districts.iter().map(|d| (d.grids / 1_700.0).powf(0.35)).collect();

        for (members, district) in ground.grow(&all, &middles, &paces).into_iter().zip(districts) {
            self.districts.push(Unit { code: district.code.into(), name: district.name.into(), parent: 0 });
            let parts = (members.len() as f64 / 120.0).round().clamp(2.0, 90.0) as usize;
            let streets = in_reading_order(cells, ground.split(&members, parts, &mut random));
            let (mut urban, mut rural) = (0, 99);
            for members in streets {
                let (number, suffix) = if is_rural(&members) { (&mut rural, "镇") } else { (&mut urban, "街道") };
                *number += 1;
                let code = format!("{}{number:03}", district.code);
                let name = names.place(suffix);
                self.streets.push(Unit { code, name, parent: self.districts.len() - 1 });
                self.gather_street(cells, &mut islands, lines, &ground, &members, &is_rural, (&mut random, &mut names));
            }
        }
        // Rural numbers stand behind urban ones: in the order of codes again.
        self.sort_by_code();
    }

    #[expect(clippy::too_many_arguments, reason = "one step of `gather`, which owns all of these")]
    fn gather_street(
        &mut self,
        cells: &Cells,
        islands: &mut Islands,
        lines: &[Vec<Point>],
        ground: &Ground<'_>,
        members: &[u32],
        is_rural: &impl Fn(&[u32]) -> bool,
        (random, names): (&mut Random, &mut Names),
    ) {
        let street = self.streets.len() - 1;
        let parts = (members.len() as f64 / 8.0).round() as usize;
        let (mut urban, mut rural) = (0, 199);
        for members in in_reading_order(cells, ground.split(members, parts, random)) {
            let villages = is_rural(&members);
            let (number, suffix) = if villages { (&mut rural, "村") } else { (&mut urban, "社区") };
            *number += 1;
            let code = format!("{}{number:03}", self.streets[street].code);
            let name = names.place(suffix);
            self.communities.push(Unit { code, name, parent: street });

            // Far parts belong to a grid of the same community; without one that could
            // have them, there are none.
            let mates: Vec<_> = members.iter().copied().filter(|c| islands.in_cell[*c as usize].is_none()).collect();
            let mut far: Vec<(u32, u32)> = Vec::new();
            let mut plots: Vec<_> = members.iter().map(|&cell| Plot { cell, enclave: false }).collect();
            for &cell in &members {
                match &islands.in_cell[cell as usize] {
                    Some(island) if island.far => match mates.len() {
                        0 => islands.in_cell[cell as usize] = None,
                        _ => far.push((random.pick(&mates), cell)),
                    },
                    Some(_) => plots.push(Plot { cell, enclave: true }),
                    None => {}
                }
            }
            let places: Vec<_> = plots.iter().map(|p| cells.seeds[p.cell as usize]).collect();
            for (i, at) in reading_order(&places).into_iter().enumerate() {
                let plot = plots[at];
                let community = self.communities.len() - 1;
                let mut grid = self.grid(community, i + 1, cells, plot, islands, villages, names);
                grid.parts = vec![if plot.enclave {
                    Polygon { shell: islands.ring(plot.cell), holes: Vec::new() }
                } else {
                    Polygon { shell: shell(cells, lines, plot.cell), holes: islands.holes(plot.cell) }
                }];
                if !plot.enclave {
                    let parts = far.iter().filter(|(mate, _)| *mate == plot.cell);
                    grid.parts.extend(parts.map(|(_, cell)| Polygon { shell: islands.ring(*cell), holes: Vec::new() }));
                }
                self.grids.push(grid);
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one step of `gather_street`, which owns all of these")]
    fn grid(
        &self,
        community: usize,
        number: usize,
        cells: &Cells,
        plot: Plot,
        islands: &Islands,
        rural: bool,
        names: &mut Names,
    ) -> Grid {
        let of = &self.communities[community];
        let cell = plot.cell as usize;
        let island = islands.in_cell[cell].as_ref();
        let (name, kind) = match island {
            Some(island) if plot.enclave => (names.place(island.purpose), format!("专属网格·{}", island.purpose)),
            _ => (format!("{}第{number}网格", of.name), if rural { "农村网格" } else { "城区网格" }.into()),
        };
        let radius = island.map_or(0.0, |i| i.radius_m);
        Grid {
            code: format!("{}{number:03}", of.code),
            name,
            kind,
            parts: Vec::new(),
            community,
            middle: cells.seeds[cell],
            room_m: if plot.enclave { radius * 0.7 } else { cells.room_m[cell] },
            taken_m: if plot.enclave { 0.0 } else { radius },
            rural,
        }
    }

    fn sort_by_code(&mut self) {
        let by_code = |units: &mut Vec<Unit>| {
            let mut order: Vec<_> = (0..units.len()).collect();
            order.sort_by(|a, b| units[*a].code.cmp(&units[*b].code));
            let mut place = vec![0; units.len()];
            order.iter().enumerate().for_each(|(new, old)| place[*old] = new);
            *units = order.into_iter().map(|i| units[i].clone()).collect();
            place
        };
        let place = by_code(&mut self.streets);
        self.communities.iter_mut().for_each(|c| c.parent = place[c.parent]);
        let place = by_code(&mut self.communities);
        self.grids.iter_mut().for_each(|g| g.community = place[g.community]);
        self.grids.sort_by(|a, b| a.code.cmp(&b.code));
    }

    /// The community, the street and the district of a grid.
    #[must_use]
    pub fn above(&self, grid: &Grid) -> [&Unit; 3] {
        let community = &self.communities[grid.community];
        let street = &self.streets[community.parent];
        [community, street, &self.districts[street.parent]]
    }
}

fn in_reading_order(cells: &Cells, parts: Vec<Vec<u32>>) -> Vec<Vec<u32>> {
    let middles: Vec<_> = parts.iter().map(|p| middle(&cells.seeds, p)).collect();
    reading_order(&middles).into_iter().map(|i| parts[i].clone()).collect()
}

/// The ring of a cell along the lines of its edges.
fn shell(cells: &Cells, lines: &[Vec<Point>], cell: u32) -> Vec<Point> {
    let mut ring = Vec::new();
    for &(edge, forward) in &cells.rings[cell as usize] {
        let line = &lines[edge as usize];
        let n = line.len();
        // The last vertex is the first of the next line.
        ring.extend((0..n.saturating_sub(1)).map(|i| if forward { line[i] } else { line[n - 1 - i] }));
    }
    ring
}

/// Ground inside a cell that is not its own.
#[derive(Clone, Debug)]
struct Island {
    ring: Vec<Point>,
    radius_m: f64,
    purpose: &'static str,
    /// Whether it is the far part of another grid, rather than a grid.
    far: bool,
}

/// By cell.
#[derive(Clone, Debug)]
struct Islands {
    in_cell: Vec<Option<Island>>,
}

const PURPOSES: [&str; 8] = ["学校", "医院", "园区", "市场", "公园", "机关大院", "商圈", "企业"];

impl Islands {
    fn choose(cells: &Cells, enclaves: usize, far_parts: usize, seed: u64) -> Self {
        let mut random = Random::of(seed, "islands");
        let mut in_cell: Vec<Option<Island>> = vec![None; cells.count];
        let mut hosts: Vec<_> = (0..cells.count).filter(|c| cells.room_m[*c] > HOST_ROOM_M).collect();
        for i in (1..hosts.len()).rev() {
            hosts.swap(i, random.below(i + 1));
        }
        // Exactly as many as asked for: the roomiest cells, where too few have the room.
        if hosts.len() < enclaves + far_parts {
            hosts = (0..cells.count).collect();
            hosts.sort_by(|a, b| cells.room_m[*b].total_cmp(&cells.room_m[*a]));
        }
        for (i, cell) in hosts.into_iter().take(enclaves + far_parts).enumerate() {
            let radius_m = (cells.room_m[cell] * ENCLAVE_SHARE).min(random.between(60.0, 400.0));
            in_cell[cell] = Some(Island {
                ring: rounded(cells.seeds[cell], radius_m, &mut random),
                radius_m,
                purpose: random.pick(&PURPOSES),
                far: i >= enclaves,
            });
        }
        Self { in_cell }
    }

    fn ring(&self, cell: u32) -> Vec<Point> {
        self.in_cell[cell as usize].as_ref().map(|i| i.ring.clone()).unwrap_or_default()
    }

    fn holes(&self, cell: u32) -> Vec<Vec<Point>> {
        self.in_cell[cell as usize].iter().map(|i| i.ring.clone()).collect()
    }
}

/// A compound: a rectangle with rounded corners and a rough wall, within a radius.
fn rounded(middle: At, radius_m: f64, random: &mut Random) -> Vec<Point> {
    let steps = (TAU * radius_m / 3.0).clamp(12.0, 72.0) as usize;
    let (turn, flat) = (random.between(0.0, TAU), random.between(0.6, 1.0));
    let power = random.between(3.0, 7.0);
    // How far the corners of a superellipse reach beyond its sides.
    let corner = 0.5_f64.powf(1.0 / power) * 2.0_f64.sqrt();
    (0..steps)
        .map(|i| {
            let angle = TAU * i as f64 / steps as f64;
            let (sin, cos) = angle.sin_cos();
            let r = (cos.abs().powf(power) + sin.abs().powf(power)).powf(-1.0 / power);
            let r = radius_m / corner * r * random.between(0.985, 1.0);
            let (x, y) = (cos * r, sin * r * flat);
            let (sin, cos) = turn.sin_cos();
            lattice(At::new(middle.x + x * cos - y * sin, middle.y + x * sin + y * cos))
        })
        .collect()
}
