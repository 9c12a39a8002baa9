//! `gridatlas demo`: a seeded city, made, brought in and served.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Instant;

use super::{Failure, Outcome};
use crate::demo::files::{self, Files};
use crate::demo::things::Counts;
use crate::demo::{City, FEWEST_GRIDS, MOST_GRIDS};

/// Arguments of `demo`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How large: small (1,700 grids), city (17,000) or a number of grids
    #[arg(long, default_value = "small", value_name = "small|city|N")]
    size: Size,
    /// The same seed makes the same city
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many buildings, if not in proportion to the grids
    #[arg(long, value_name = "N")]
    buildings: Option<usize>,
    /// Only write the city's files into this folder: areas.geojsonl and one for each layer
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// A number of grids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Size(usize);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "small" => Ok(Self(1_700)),
            "city" => Ok(Self(17_000)),
            number => match number.parse() {
                Ok(n) if (FEWEST_GRIDS..=MOST_GRIDS).contains(&n) => Ok(Self(n)),
                _ => Err(format!("small, city, or a number of grids from {FEWEST_GRIDS} to {MOST_GRIDS}")),
            },
        }
    }
}

/// Runs the command.
pub fn run(args: Args) -> Outcome {
    let Size(grids) = args.size;
    let mut counts = Counts::of(grids);
    counts.buildings = args.buildings.unwrap_or(counts.buildings);
    if let Some(folder) = &args.out {
        std::fs::create_dir_all(folder).map_err(|e| Failure::CouldNot(format!("{}: {e}", folder.display())))?;
        let files = make(grids, args.seed, counts, folder)?;
        println!("{}", files.areas.display());
        for layer in &files.layers {
            println!("{}", layer.path.display());
        }
        return Ok(());
    }
    Err(Failure::CouldNot("serving the demo is not built yet".into()))
}

fn make(grids: usize, seed: u64, counts: Counts, folder: &std::path::Path) -> Result<Files, Failure> {
    let start = Instant::now();
    let city = City::new(grids, seed);
    eprintln!("drew {} grids in {:.1} s", city.grids.len(), start.elapsed().as_secs_f64());
    let start = Instant::now();
    let files = files::write(&city, counts, folder, |layer| eprintln!("writing {layer}"))
        .map_err(|e| Failure::CouldNot(e.to_string()))?;
    eprintln!("wrote its files in {:.1} s", start.elapsed().as_secs_f64());
    Ok(files)
}
