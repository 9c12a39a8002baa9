//! Measuring and the table that comes of it: medians, and ratios to a reference that
//! ran in the same process a moment before or after.

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

/// What a row must reach.
#[derive(Clone, Copy)]
pub enum Bar {
    /// The ratio is at least this.
    AtLeast(f64),
    /// The ratio, or the value where there is no reference, is at most this.
    AtMost(f64),
    /// Printed for the reader alone.
    None,
}

struct Row {
    what: String,
    ours: String,
    reference: String,
    figure: Option<f64>,
    bar: Bar,
}

/// The rows so far.
#[derive(Default)]
pub struct Table {
    rows: Vec<Row>,
}

impl Table {
    /// A row whose figure is a ratio to a reference.
    pub fn ratio(&mut self, what: &str, ours: String, reference: String, ratio: f64, bar: Bar) {
        self.put(Row { what: what.into(), ours, reference, figure: Some(ratio), bar });
    }

    /// A row without a reference: its figure is the value itself, in the unit that `what` names.
    pub fn value(&mut self, what: &str, value: f64, bar: Bar) {
        self.put(Row { what: what.into(), ours: short(value), reference: String::new(), figure: Some(value), bar });
    }

    /// A row that could not be measured, and why.
    pub fn missing(&mut self, what: &str, why: &str) {
        self.put(Row { what: what.into(), ours: why.into(), reference: String::new(), figure: None, bar: Bar::None });
    }

    fn put(&mut self, row: Row) {
        eprintln!("{}: {} {}", row.what, row.ours, row.reference);
        self.rows.push(row);
    }

    /// Prints the table; whether every bar was reached.
    pub fn print(&self) -> bool {
        let mut all = true;
        println!("| what | ours | reference | ratio | bar | |\n|---|---|---|---|---|---|");
        for row in &self.rows {
            let has_reference = !row.reference.is_empty();
            let figure = row.figure.filter(|_| has_reference).map_or(String::new(), short);
            let (bar, good) = match (row.bar, row.figure) {
                (Bar::AtLeast(b), Some(f)) => (format!(">= {b}"), Some(f >= b)),
                (Bar::AtMost(b), Some(f)) => (format!("<= {b}"), Some(f <= b)),
                _ => (String::new(), None),
            };
            all &= good != Some(false);
            let verdict = good.map_or("", |g| if g { "yes" } else { "NO" });
            println!("| {} | {} | {} | {figure} | {bar} | {verdict} |", row.what, row.ours, row.reference);
        }
        all
    }
}

/// A figure with three digits that count.
pub fn short(value: f64) -> String {
    let digits = if value == 0.0 { 0 } else { (2 - value.abs().log10().floor() as i32).clamp(0, 6) };
    format!("{value:.*}", digits as usize)
}

/// Seconds of one run of `f`.
pub fn once_s<T>(f: impl FnOnce() -> T) -> (f64, T) {
    let start = Instant::now();
    let made = black_box(f());
    (start.elapsed().as_secs_f64(), made)
}

/// The median seconds of a run of `ours` and of `reference`, taken in turn so that
/// whatever else the machine does falls on both.
pub fn in_turn_s(rounds: usize, mut ours: impl FnMut(), mut reference: impl FnMut()) -> (f64, f64) {
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        a.push(once_s(&mut ours).0);
        b.push(once_s(&mut reference).0);
    }
    (median(a), median(b))
}

/// The median seconds of a run.
pub fn median_s(rounds: usize, mut f: impl FnMut()) -> f64 {
    median((0..rounds).map(|_| once_s(&mut f).0).collect())
}

/// The middle one.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The most memory that this process has held, in MB; 0 where the system does not say.
pub fn peak_mb() -> f64 {
    status_mb(Path::new("/proc/self/status"), "VmHWM:")
}

/// The memory that this process holds of its own, mapped files aside, in MB.
pub fn held_mb() -> f64 {
    status_mb(Path::new("/proc/self/status"), OWN)
}

/// What of a process's status is its own memory, mapped files aside.
pub const OWN: &str = "RssAnon:";

/// Seconds of processor time that this process has taken, on all its threads; to a hundredth.
pub fn cpu_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Behind the name, which may hold anything, user and system time are the 12th and 13th.
    let after = stat.rsplit(')').next().unwrap_or_default();
    after.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// A figure of a process's status, in MB; 0 where it is not to be had.
pub fn status_mb(status: &Path, figure: &str) -> f64 {
    let status = std::fs::read_to_string(status).unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix(figure));
    line.and_then(|l| l.trim().trim_end_matches(" kB").trim().parse::<f64>().ok()).map_or(0.0, |kb| kb / 1024.0)
}

/// Seconds of processor time that one run of `f` takes on this thread, whatever else the
/// machine does meanwhile.
pub fn on_processor_s<T>(f: impl FnOnce() -> T) -> (f64, T) {
    let so_far_s = || {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
    };
    let before_s = so_far_s();
    let made = black_box(f());
    (so_far_s() - before_s, made)
}

/// Nanoseconds for each of `n`, as text.
pub fn each_ns(seconds: f64, n: usize) -> String {
    format!("{} ns", short(seconds * 1e9 / n as f64))
}

/// A duration as text.
pub fn text(seconds: f64) -> String {
    format!("{:.3?}", Duration::from_secs_f64(seconds))
}
