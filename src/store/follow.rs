//! From one revision of a coverage to another, forwards or back: the rows that began or
//! ended between the two, and nothing else, make the one of the other.

use std::collections::BTreeMap;

use boundaries::{Changes, Coverage};

use super::revisions::{AREA, BORDER, FACE, Revision, area, border, face};
use super::sql::{Arg, Row, Tx};
use super::{Error, digest};

/// So many borders may differ at least before the whole is read instead ...
const FOLLOWED_MIN: i64 = 256;
/// ... and such a part of all.
const FOLLOWED_PART: usize = 8;

/// Rows that began or ended between two revisions.
const BETWEEN: &str = "where coverage = $1 and (from_revision > $2 and from_revision <= $3 \
                       or to_revision > $2 and to_revision <= $3)";
/// Rows that hold at the revision that is wanted.
const HELD: &str = "from_revision <= $4 and (to_revision is null or to_revision > $4)";

/// The graph of a revision made from that of another one of its coverage, and proved by
/// its digest. `None` where so much differs that reading it whole is less work, or where
/// the rows do not lead there: reading it whole then says what is wrong.
pub(super) async fn coverage(
    tx: &mut Tx,
    (number, old): (u64, &Coverage),
    revision: &Revision,
) -> Result<Option<Coverage>, Error> {
    if old.levels() != &*revision.levels {
        return Ok(None);
    }
    let (low, high) = (number.min(revision.number), number.max(revision.number));
    let args = [Arg::from(&*revision.coverage), low.into(), high.into(), revision.number.into()];
    let count = tx.row(format!("select count(*) from border {BETWEEN}"), args[..3].to_vec()).await?;
    let most = FOLLOWED_MIN.max((old.border_slots() / FOLLOWED_PART) as i64);
    if count.map(|row| row.int(0)).transpose()?.is_none_or(|count| count > most) {
        return Ok(None);
    }
    let areas = rows(tx, "area", AREA, &args, area).await?;
    let faces = rows(tx, "face", FACE, &args, |row| face(row).map(|face| (face.id, face))).await?;
    let borders = rows(tx, "border", BORDER, &args, |row| border(row).map(|border| (border.id, border))).await?;
    let changes = Changes {
        // What began and ended in between was never held.
        drop_areas: gone(&areas, |id| old.area(id).is_some()),
        drop_faces: gone(&faces, |id| old.face(id).is_some()),
        drop_borders: gone(&borders, |id| old.border(id).is_some()),
        put_areas: areas.into_iter().filter_map(|(id, area)| Some((id, area?))).collect(),
        put_faces: faces.into_values().flatten().collect(),
        put_borders: borders.into_values().flatten().collect(),
    };
    let next = old.with_changes(changes).ok();
    Ok(next.filter(|next| digest(next) == revision.digest))
}

fn gone<Id: Copy, T>(rows: &BTreeMap<Id, Option<T>>, is_held: impl Fn(Id) -> bool) -> Vec<Id> {
    rows.iter().filter(|(id, row)| row.is_none() && is_held(**id)).map(|(id, _)| *id).collect()
}

/// Whatever a table has of each id whose row differs: the row that is wanted, or nothing.
async fn rows<Id: Ord + Copy + Send, T: Send>(
    tx: &mut Tx,
    table: &str,
    columns: &str,
    args: &[Arg],
    read: impl Fn(&Row<'_>) -> Result<(Id, T), Error> + Sync,
) -> Result<BTreeMap<Id, Option<T>>, Error> {
    let is_held = columns.split(',').count();
    let mut rows = BTreeMap::new();
    tx.each(format!("select {columns}, ({HELD}) from {table} {BETWEEN}"), args.to_vec(), |row| {
        let (id, value) = read(&row)?;
        let wanted = rows.entry(id).or_insert(None);
        if row.maybe_bool(is_held)? == Some(true) {
            *wanted = Some(value);
        }
        Ok(())
    })
    .await?;
    Ok(rows)
}
