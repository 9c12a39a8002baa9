//! Which party units are tied to a building or an area.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use rustc_hash::FxHashMap;

use crate::snapshot::{Layer, Snapshot};
use crate::store::NewOwner;

/// The layer of party units, and the field that names what each is tied to.
const LAYER: &str = "party_unit";
const TIED_TO: &str = "tied_to";

/// Ids of units by what they are tied to.
type Ties = FxHashMap<Arc<str>, Vec<Arc<str>>>;

/// The ties of one state of the layer, made when first asked for.
#[derive(Debug, Default)]
pub(super) struct TiedUnits {
    known: Mutex<Option<(Weak<Layer>, Arc<Ties>)>>,
}

impl TiedUnits {
    /// The units that are tied to one of some codes or ids, in their order.
    fn of<'a>(&self, snapshot: &Snapshot, names: impl Iterator<Item = &'a str>) -> Vec<String> {
        let Some(ties) = snapshot.layer(LAYER).and_then(|layer| self.ties(layer)) else { return Vec::new() };
        let units = names.filter_map(|name| ties.get(name)).flatten();
        units.map(ToString::to_string).collect()
    }

    /// The units of the building and of the areas that an event belongs to, in the first
    /// coverage: the nearest first.
    pub(super) fn concerned(&self, snapshot: &Snapshot, building: Option<&str>, owners: &[NewOwner]) -> Vec<String> {
        let (view, chain) = (snapshot.coverages.first(), owners.first().map_or(&[][..], |owner| &owner.present));
        let areas = chain.iter().rev().filter_map(|id| Some(&*view?.coverage.area(*id)?.code));
        self.of(snapshot, building.into_iter().chain(areas))
    }

    fn ties(&self, layer: &Arc<Layer>) -> Option<Arc<Ties>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, ties)) = &*known
            && std::ptr::eq(of.as_ptr(), Arc::as_ptr(layer))
        {
            return Some(ties.clone());
        }
        let field = layer.field(TIED_TO)?;
        let mut ties = Ties::default();
        for ix in layer.iter() {
            if let Some(tied_to) = layer.value(ix, field).text() {
                ties.entry(tied_to.into()).or_default().push(layer.id(ix).into());
            }
        }
        ties.values_mut().for_each(|units| units.sort_unstable());
        let ties = Arc::new(ties);
        *known = Some((Arc::downgrade(layer), ties.clone()));
        Some(ties)
    }
}
