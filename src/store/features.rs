//! One feature at a time: what a form or a device sends.

use std::sync::Arc;

use jiff::Timestamp;

use super::layers::{self, LayerInfo};
use super::sql::{Arg, Tx};
use super::sync::{canonical, insert};
use super::{Error, Store, events, log_change, revisions};
use crate::feature::Feature;
use crate::snapshot::{CoverageView, Field, Layer, Snapshot, Table, fitted};

impl Store {
    /// Makes a layer without features, or adds the fields that it lacks. Returns
    /// whether it was made.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] for a name that no table could have.
    pub async fn create_layer(&self, name: &str, fields: &[Field]) -> Result<bool, Error> {
        let mut tx = self.writing().await?;
        let before = layers::layer(&mut tx, name).await?;
        let is_new = before.is_none();
        let count = before.as_ref().map_or(0, |l| l.fields.len());
        let mut layer = match before {
            Some(layer) => layer,
            None => {
                let coverages = revisions::coverages(&mut tx).await?;
                layers::create(&mut tx, name, fields, &coverages).await?
            }
        };
        layers::add_fields(&mut tx, &mut layer, fields).await?;
        if is_new || layer.fields.len() != count {
            log_change(&mut tx, Timestamp::now(), None, Some(name), None).await?;
            tx.commit().await?;
        }
        Ok(is_new)
    }

    /// Puts a feature in the place of the one with its id, or adds it. Owners are
    /// worked out with `snapshot`'s coverages where they are the present ones.
    /// Returns whether it was added, and the number of the change.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] for a value that its field can't hold.
    pub async fn put_feature(&self, layer: &str, feature: Feature, snapshot: &Snapshot) -> Result<(bool, u64), Error> {
        let feature = canonical(feature);
        let mut tx = self.writing().await?;
        events::guard(&mut tx, layer, Some(&feature.id)).await?;
        let views = present_views(&mut tx, snapshot).await?;
        let fields = Table::fields_of([&feature.properties]);
        let mut info = match layers::layer(&mut tx, layer).await? {
            Some(info) => info,
            None => {
                let coverages = revisions::coverages(&mut tx).await?;
                layers::create(&mut tx, layer, &fields, &coverages).await?
            }
        };
        must_fit(&info, &feature)?;
        layers::add_fields(&mut tx, &mut info, &fields).await?;
        let before = layers::feature(&mut tx, &info, &feature.id).await?;
        let number = match &before {
            Some((number, _)) => {
                layers::delete(&mut tx, &info.table, &[i64::from(*number)]).await?;
                *number
            }
            None => {
                let next = Arg::from(info.next_number + 1);
                tx.run("update layer set next_number = $2 where name = $1", vec![layer.into(), next]).await?;
                info.next_number
            }
        };
        let id = feature.id.clone();
        let alone = Layer::new(layer, vec![feature], &views);
        insert(&mut tx, &info, &alone, &[(number, 0)], &views).await?;
        let change = log_change(&mut tx, Timestamp::now(), None, Some(layer), Some(&id)).await?;
        tx.commit().await?;
        Ok((before.is_none(), change))
    }

    /// Removes a feature. Returns the number of the change; `None` where there was no
    /// such feature.
    ///
    /// # Errors
    ///
    /// Where the database can't be written.
    pub async fn delete_feature(&self, layer: &str, id: &str) -> Result<Option<u64>, Error> {
        let mut tx = self.writing().await?;
        let Some(info) = layers::layer(&mut tx, layer).await? else { return Ok(None) };
        events::guard(&mut tx, layer, Some(id)).await?;
        let Some((number, _)) = layers::feature(&mut tx, &info, id).await? else { return Ok(None) };
        layers::delete(&mut tx, &info.table, &[i64::from(number)]).await?;
        let change = log_change(&mut tx, Timestamp::now(), None, Some(layer), Some(id)).await?;
        tx.commit().await?;
        Ok(Some(change))
    }
}

fn must_fit(layer: &LayerInfo, feature: &Feature) -> Result<(), Error> {
    for (name, value) in &feature.properties {
        if let Some(field) = layer.fields.iter().find(|f| f.name == *name)
            && fitted(value, field.kind).is_none()
        {
            let kind = layers::kind_name(field.kind);
            return Err(Error::Refused(format!(
                "the field {name} of layer {} is {kind}, {value:?} is not",
                layer.name
            )));
        }
    }
    Ok(())
}

/// Whether the coverages of a snapshot are those that the stored owners are of.
pub(super) async fn is_present(tx: &mut Tx, snapshot: &Snapshot) -> Result<bool, Error> {
    let derived = super::derive::derived_revisions(tx).await?;
    let views = snapshot.coverages.iter();
    Ok(derived.len() == snapshot.coverages.len()
        && derived.iter().zip(views).all(|((name, revision), view)| *name == view.name && *revision == view.revision))
}

/// The coverages that the stored owners are of: the snapshot's where it is up to date.
pub(super) async fn present_views(tx: &mut Tx, snapshot: &Snapshot) -> Result<Vec<Arc<CoverageView>>, Error> {
    if is_present(tx, snapshot).await? {
        return Ok(snapshot.coverages.clone());
    }
    super::load::derived_views(tx).await
}
