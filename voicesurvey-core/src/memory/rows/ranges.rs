//! Parts of an index: what stands under a key, in the order of identifiers.

use std::collections::BTreeSet;
use std::ops::Bound;

use uuid::Uuid;

/// Comes before every other identifier.
pub(in crate::memory) fn first_id<I: From<Uuid>>() -> I {
    I::from(Uuid::nil())
}

/// Comes after every other identifier.
pub(in crate::memory) fn last_id<I: From<Uuid>>() -> I {
    I::from(Uuid::max())
}

/// The entries of an index that stand under `key`, in order.
pub(in crate::memory) fn under<K: Ord + Copy, I: Ord + Copy + From<Uuid>>(
    entries: &BTreeSet<(K, I)>,
    key: K,
) -> impl DoubleEndedIterator<Item = I> {
    entries
        .range((key, first_id())..=(key, last_id()))
        .map(|(_, id)| *id)
}

/// Those of [`under`] that come after `after`, if it is given.
pub(in crate::memory) fn under_after<K: Ord + Copy, I: Ord + Copy + From<Uuid>>(
    entries: &BTreeSet<(K, I)>,
    key: K,
    after: Option<I>,
) -> impl Iterator<Item = I> {
    let first = after.map_or(Bound::Included((key, first_id())), |id| {
        Bound::Excluded((key, id))
    });
    entries
        .range((first, Bound::Included((key, last_id()))))
        .map(|(_, id)| *id)
}

/// Those of [`under`] that come before `before`, if it is given, the last one first.
pub(in crate::memory) fn under_before<K: Ord + Copy, I: Ord + Copy + From<Uuid>>(
    entries: &BTreeSet<(K, I)>,
    key: K,
    before: Option<I>,
) -> impl Iterator<Item = I> {
    let last = before.map_or(Bound::Included((key, last_id())), |id| {
        Bound::Excluded((key, id))
    });
    entries
        .range((Bound::Included((key, first_id())), last))
        .rev()
        .map(|(_, id)| *id)
}
