//! What planners draw: random edits of what a plan comes to now, good ones and bad ones.

use boundaries::{AreaId, Coverage, Point};
use serde_json::{Value, json};

use super::dice::Dice;
use super::town::{self, CELL};

fn degrees(p: Point) -> [f64; 2] {
    [p.lon(), p.lat()]
}

fn near(p: Point, reach: i32, dice: &mut Dice) -> Point {
    Point::new(p.x + dice.about(reach), p.y + dice.about(reach))
}

/// A line across a place, about as long as a grid is wide.
fn stroke(p: Point, dice: &mut Dice) -> Vec<[f64; 2]> {
    let (dx, dy) = (dice.about(CELL), [-CELL, CELL][dice.below(2)] + dice.about(CELL / 3));
    let ends = [Point::new(p.x - dx, p.y - dy), near(p, CELL / 10, dice), Point::new(p.x + dx, p.y + dy)];
    ends.map(degrees).to_vec()
}

fn ring(p: Point, dice: &mut Dice) -> Vec<[f64; 2]> {
    let r = CELL / 20 + dice.below(CELL as usize / 3) as i32;
    let corners = [(-1, -1), (1, -1), (1, 1), (-1, 1)];
    corners.map(|(x, y)| degrees(near(Point::new(p.x + x * r, p.y + y * r), r / 5, dice))).to_vec()
}

/// One edit of a coverage, as JSON.
pub(crate) fn edit(c: &Coverage, dice: &mut Dice) -> Value {
    let own: Vec<AreaId> = c.areas().map(|a| a.0).filter(|a| !c.faces_of(*a).is_empty()).collect();
    let streets: Vec<AreaId> = c.areas().filter(|(_, a)| a.level.0 == 1).map(|a| a.0).collect();
    let code = |id: AreaId| c.area(id).map_or_else(|| "nobody".to_owned(), |a| a.code.to_string());
    let id = dice.one_of(&own).unwrap();
    let beside = c.neighbours(id).into_iter().map(|n| n.0).collect::<Vec<_>>();
    let other = dice.one_of(&beside).unwrap_or(id);
    let shell = c.polygons(id).swap_remove(0).shell;
    let vertex = |dice: &mut Dice| shell[dice.below(shell.len())];
    let opposite = |a: Point, b: Point| Point::new(a.x / 2 + b.x / 2, a.y / 2 + b.y / 2);
    let middle = opposite(shell[0], shell[shell.len() / 2]);
    let street = dice.one_of(&streets).map_or_else(String::new, code);
    match dice.below(20) {
        0..=4 => {
            let keep = ["largest", "left", "right"][dice.below(3)];
            let codes = if dice.once_in(4) { vec![code(id), code(other)] } else { vec![code(id)] };
            json!({ "op": "split", "codes": codes, "line": stroke(middle, dice), "keep": keep })
        }
        5..=6 => {
            let multipart = dice.once_in(4);
            json!({ "op": "merge", "codes": [code(id), code(other)], "into": code(id), "multipart": multipart })
        }
        7..=8 => {
            let (from, to) = (vertex(dice), vertex(dice));
            let line = [from, near(opposite(from, to), CELL / 4, dice), to].map(degrees);
            json!({ "op": "reshape", "code": code(id), "line": line, "several": dice.once_in(2),
                "correction": dice.once_in(3) })
        }
        9 => {
            let node = vertex(dice);
            json!({ "op": "move_node", "node": degrees(node), "to": degrees(near(node, CELL / 10, dice)) })
        }
        10 => json!({ "op": "carve", "ring": ring(near(middle, CELL / 2, dice), dice), "new": { "name": "专属" } }),
        11 => json!({ "op": "transfer", "to": code(other), "ring": ring(vertex(dice), dice) }),
        12 => json!({ "op": "transfer", "to": code(other), "pieces": [degrees(middle)] }),
        13 => json!({ "op": "transfer", "to": code(id), "building": format!("b{}", dice.below(82)) }),
        14 => {
            let into = if dice.once_in(2) { code(other) } else { street };
            json!({ "op": "retire", "code": code(id), "into": into })
        }
        15 => json!({ "op": "create", "at": degrees(middle), "new": { "parent": street } }),
        16 => json!({ "op": "rename", "code": code(id), "name": format!("名{}", dice.below(1000)) }),
        // Sometimes a code that somebody has, or had.
        17 => json!({ "op": "recode", "code": code(id), "to": format!("g{}", dice.below(60)) }),
        18 => json!({ "op": "reparent", "code": code(id), "parent": street }),
        _ => match dice.below(4) {
            0 => json!({ "op": "split", "code": "nobody", "line": stroke(middle, dice) }),
            1 => json!({ "op": "split", "code": code(id), "line": stroke(town::at(-9 * CELL, 0), dice) }),
            _ => json!({ "op": "set", "code": code(id), "kind": dice.one_of(&["base", "special"]) }),
        },
    }
}
