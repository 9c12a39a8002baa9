//! Tiles over HTTP, each server in a process of its own: one that is kept against nginx with
//! the same bytes in a file, and ones that are made against martin without its cache.

use std::fs;
use std::process::Command;

use gridatlas::store::Store;
use jiff::Timestamp;

use crate::table::{Bar, Table};
use crate::wrk::{Server, fetch, free_port, in_turn, installed, load};
use crate::{database, made, peers, work};

/// Rounds of which the best counts.
const ROUNDS: usize = 3;

/// Tiles that are asked for in turn where none is to be kept.
const TILES: usize = 400;

/// This service over the city, keeping so many bytes of tiles.
fn serve(cache_bytes: u64) -> Result<Server, String> {
    let store = work::city_store(crate::BUILDINGS)?;
    let config = work::folder().join("peers.json");
    fs::write(&config, format!("{{\"limits\": {{\"tile_cache_bytes\": {cache_bytes}}}}}"))
        .map_err(|e| e.to_string())?;
    let port = free_port()?;
    let mut serve = work::program();
    serve.args(["serve", "--listen", &format!("127.0.0.1:{port}"), "--store"]).arg(store).arg("--config").arg(config);
    Server::start(&mut serve, &format!("http://127.0.0.1:{port}"), "/readyz")
}

/// Adds the row of tiles that are kept.
pub fn nginx(table: &mut Table) -> Result<(), String> {
    let ours = serve(64 << 20)?;
    let path = {
        let snapshot = snapshot()?;
        let tile = made::some_tiles(&snapshot, 14, 9)[4];
        format!("/tiles/grid,building/{}/{}/{}", tile.z(), tile.x(), tile.y())
    };
    let bytes = fetch(&format!("{}{path}", ours.root), &["Accept-Encoding: gzip"])?;
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Err("the tile does not come in gzip".to_owned());
    }
    let folder = work::folder().join("nginx");
    fs::create_dir_all(folder.join("www")).map_err(|e| e.to_string())?;
    fs::write(folder.join("www/tile.pbf.gz"), &bytes).map_err(|e| e.to_string())?;
    fs::write(folder.join("www/tile.pbf"), &bytes).map_err(|e| e.to_string())?;
    let (port, place) = (free_port()?, folder.display());
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let temporary: String = temporary.map(|t| format!("{t}_temp_path {place}/{t};\n")).concat();
    // Root's workers would be nobody, who can't read a clone under /root.
    let user = if Command::new("id").arg("-u").output().is_ok_and(|o| o.stdout == b"0\n") { "user root;" } else { "" };
    let settings = format!(
        "{user} worker_processes 2; pid {place}/pid; error_log {place}/error.log; daemon off;\n\
         events {{ worker_connections 1024; }}\n\
         http {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000;\n\
         open_file_cache max=1000 inactive=600s;\n{temporary}\
         server {{ listen 127.0.0.1:{port}; root {place}/www; gzip_static on; types {{ application/x-protobuf pbf; }} }} }}\n"
    );
    fs::write(folder.join("conf"), settings).map_err(|e| e.to_string())?;
    let mut command = Command::new("nginx");
    command.arg("-c").arg(folder.join("conf")).arg("-e").arg(folder.join("error.log"));
    let theirs = Server::start(&mut command, &format!("http://127.0.0.1:{port}"), "/tile.pbf")?;

    let (a, b) =
        in_turn(ROUNDS, || load(&ours, std::slice::from_ref(&path)), || load(&theirs, &["/tile.pbf".to_owned()]))?;
    let told = |l: &crate::wrk::Load| format!("{:.0} /s, {:.1} µs", l.per_s, l.each_us);
    let what = format!("a kept tile of {} bytes, against nginx with a file, requests a second", bytes.len());
    table.ratio(&what, told(&a), told(&b), a.per_s / b.per_s, Bar::AtLeast(0.9));
    Ok(())
}

/// Adds the rows of tiles that are made.
pub fn martin(table: &mut Table) -> Result<(), String> {
    let program = peers().join("cargo/bin/martin");
    installed(&program)?;
    let runtime = tokio::runtime::Runtime::new().map_err(|e| e.to_string())?;
    let url = runtime.block_on(database::city())?;
    let snapshot = snapshot()?;
    let ours = serve(0)?;
    let port = free_port()?;
    let mut command = Command::new(program);
    command.args(["--listen-addresses", &format!("127.0.0.1:{port}"), "--workers", "2", "--pool-size", "8"]);
    command.args(["--cache-size", "0", &url]).env("RUST_LOG", "error");
    let theirs = Server::start(&mut command, &format!("http://127.0.0.1:{port}"), "/health")?;
    for (z, layers, their_layers, bar) in [
        (10, "grid", "grid_3857", 20.0),
        (12, "grid", "grid_3857", 20.0),
        (14, "grid", "grid_3857", 8.0),
        (14, "grid,building", "grid_3857,building_3857", 8.0),
    ] {
        let tiles = made::some_tiles(&snapshot, z, TILES);
        let paths = |layers: &str, begin: &str| -> Vec<String> {
            tiles.iter().map(|t| format!("{begin}/{layers}/{}/{}/{}", t.z(), t.x(), t.y())).collect()
        };
        let (our_paths, their_paths) = (paths(layers, "/tiles"), paths(their_layers, ""));
        let (a, b) = in_turn(ROUNDS, || load(&ours, &our_paths), || load(&theirs, &their_paths))?;
        let told = |l: &crate::wrk::Load| format!("{:.0} /s, {:.3} ms", l.per_s, l.each_us / 1e3);
        let what = format!("tiles of {layers} at z{z} made and packed, against martin, requests a second");
        table.ratio(&what, told(&a), told(&b), a.per_s / b.per_s, Bar::AtLeast(bar));
    }
    Ok(())
}

fn snapshot() -> Result<gridatlas::snapshot::Snapshot, String> {
    let runtime = tokio::runtime::Runtime::new().map_err(|e| e.to_string())?;
    let place = work::city_store(crate::BUILDINGS)?.display().to_string();
    let loaded = runtime.block_on(async { Store::open(&place).await?.load(None, Timestamp::now()).await });
    loaded.map_err(|e| e.to_string())
}
