//! Load by wrk, and what it costs the server that bears it.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::work;

/// How long requests are counted at a time.
const COUNTED_S: u32 = 5;

/// Connections that ask.
const CONNECTIONS: u32 = 8;

/// A server of our own, ended with this.
pub struct Server {
    child: Child,
    /// Its root, without a slash at the end.
    pub root: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        // A polite end: nginx passes it on to its workers. It is gone already if that fails.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts a server that answers at `root`, and waits until it answers `path`.
    pub fn start(command: &mut Command, root: &str, path: &str) -> Result<Self, String> {
        let log = std::fs::File::create(work::folder().join("server.txt")).map_err(|e| e.to_string())?;
        let child = command.stdout(Stdio::null()).stderr(log).spawn().map_err(|e| format!("{command:?}: {e}"))?;
        let mut server = Self { child, root: root.to_owned() };
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(120) {
            if let Some(done) = server.child.try_wait().map_err(|e| e.to_string())? {
                let said = std::fs::read_to_string(work::folder().join("server.txt")).unwrap_or_default();
                return Err(format!("{command:?} ended with {done}: {said}"));
            }
            if fetch(&format!("{root}{path}"), &[]).is_ok() {
                return Ok(server);
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Err(format!("{command:?} does not answer"))
    }

    /// Seconds of processor time that it and its children have taken.
    fn processor_s(&self) -> f64 {
        let of = |id: &str| -> f64 {
            let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
            let after = stat.rsplit(')').next().unwrap_or_default();
            let ticks = after.split_whitespace().skip(11).take(2);
            ticks.filter_map(|t| t.parse::<f64>().ok()).sum::<f64>() / 100.0
        };
        let id = self.child.id().to_string();
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
        of(&id) + children.split_whitespace().map(of).sum::<f64>()
    }
}

/// What came of some load.
pub struct Load {
    /// Requests answered in a second.
    pub per_s: f64,
    /// Microseconds of the server's processor time for one of them.
    pub each_us: f64,
}

/// Asks for the paths one after the other, from the first again after the last, in gzip.
pub fn load(server: &Server, paths: &[String]) -> Result<Load, String> {
    let script = work::folder().join("paths.lua");
    let quoted: Vec<String> = paths.iter().map(|p| format!("{p:?}")).collect();
    // Each thread begins somewhere else, so that two don't ask for the same at once.
    let lua = format!(
        "local paths = {{{}}}\nlocal at, threads = 0, 0\n\
         function setup(thread) thread:set('at', threads * {}) threads = threads + 1 end\n\
         function request() at = at % #paths + 1 return wrk.format('GET', paths[at]) end\n\
         function done(summary) local e = summary.errors\n\
         io.write(string.format('%d %d %d', summary.requests, summary.duration, e.status + e.connect + e.read + e.timeout)) end\n",
        quoted.join(","),
        paths.len() / 2
    );
    std::fs::write(&script, lua).map_err(|e| e.to_string())?;
    let before_s = server.processor_s();
    let mut wrk = Command::new("wrk");
    wrk.args(["-t", "2", "-c", &CONNECTIONS.to_string(), "-d", &format!("{COUNTED_S}s"), "--timeout", "30s"]);
    wrk.args(["-H", "Accept-Encoding: gzip", "-s"]).arg(&script).arg(&server.root);
    let said = work::run(&mut wrk)?;
    let took_s = server.processor_s() - before_s;
    let figures: Vec<f64> = said.lines().last().unwrap_or_default().split(' ').filter_map(|f| f.parse().ok()).collect();
    let [requests, duration_us, errors] = figures[..] else { return Err(format!("wrk said {said}")) };
    if errors > 0.0 || requests == 0.0 {
        return Err(format!("{errors} of {requests} requests to {} failed", server.root));
    }
    Ok(Load { per_s: requests / duration_us * 1e6, each_us: took_s / requests * 1e6 })
}

/// One load after the other, in turn, so that both meet the same machine; the best of each.
pub fn in_turn(
    rounds: usize,
    mut ours: impl FnMut() -> Result<Load, String>,
    mut theirs: impl FnMut() -> Result<Load, String>,
) -> Result<(Load, Load), String> {
    let better = |a: Option<Load>, b: Load| match a {
        Some(a) if a.per_s > b.per_s => Some(a),
        _ => Some(b),
    };
    let (mut a, mut b) = (None, None);
    for _ in 0..rounds {
        a = better(a, ours()?);
        b = better(b, theirs()?);
    }
    a.zip(b).ok_or_else(|| "no rounds".to_owned())
}

/// An answer of 200 by curl: its body.
pub fn fetch(url: &str, headers: &[&str]) -> Result<Vec<u8>, String> {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--fail", "--max-time", "30"]);
    for header in headers {
        curl.args(["--header", header]);
    }
    let done = curl.arg(url).output().map_err(|e| format!("curl: {e}"))?;
    if done.status.success() { Ok(done.stdout) } else { Err(String::from_utf8_lossy(&done.stderr).into_owned()) }
}

/// A port that nobody has.
pub fn free_port() -> Result<u16, String> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").map_err(|e| e.to_string())?;
    listener.local_addr().map(|a| a.port()).map_err(|e| e.to_string())
}

/// Whether a program is where it should be.
pub fn installed(program: &Path) -> Result<(), String> {
    if program.exists() { Ok(()) } else { Err(format!("{} is not there: make setup-peers", program.display())) }
}
