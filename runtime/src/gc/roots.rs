//! What the host holds: references that keep their objects alive.
//!
//! A *scoped* root lives until its scope ends: scopes nest, so the roots are a
//! stack, and the end of a scope is one truncation. An *owned* root lives as long
//! as its handle, wherever that is.

use crate::handle::StoreId;
use std::sync::Arc;

/// A root, which may have ended: only its store can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Root {
    store: StoreId,
    serial: u64,
}

impl Root {
    /// The store that it belongs to.
    #[inline]
    pub fn store(self) -> StoreId {
        self.store
    }
}

/// What keeps a root from ending.
#[derive(Clone, Debug)]
pub struct OwnedRoot {
    root: Root,
    word: Arc<u32>,
}

impl OwnedRoot {
    /// The root, which has not ended as long as this or a clone of it lives.
    pub fn root(&self) -> Root {
        self.root
    }

    /// The reference, as it stands in a field.
    pub fn word(&self) -> u32 {
        *self.word
    }
}

/// The roots of a store. Serial numbers are ever greater, so that both lists are
/// in order.
#[derive(Debug)]
pub(crate) struct Roots {
    next_serial: u64,
    scoped: Vec<(u64, u32)>,
    owned: Vec<(u64, Arc<u32>)>,
    /// When `owned` has so many, those that nobody holds any more are dropped.
    owned_limit: usize,
}

/// Owned roots below which nobody looks for dropped ones.
const MIN_OWNED: usize = 64;

impl Roots {
    pub(crate) const fn new() -> Self {
        Roots {
            next_serial: 0,
            scoped: Vec::new(),
            owned: Vec::new(),
            owned_limit: MIN_OWNED,
        }
    }

    /// Adds a scoped root.
    #[inline]
    pub(super) fn push(&mut self, store: StoreId, word: u32) -> Root {
        let serial = self.serial();
        self.scoped.push((serial, word));
        Root { store, serial }
    }

    /// Adds an owned root.
    pub(super) fn keep(&mut self, store: StoreId, word: u32) -> OwnedRoot {
        if self.owned.len() >= self.owned_limit {
            self.drop_unheld();
            self.owned_limit = (2 * self.owned.len()).max(MIN_OWNED);
        }
        let (serial, word) = (self.serial(), Arc::new(word));
        self.owned.push((serial, word.clone()));
        let root = Root { store, serial };
        OwnedRoot { root, word }
    }

    fn serial(&mut self) -> u64 {
        self.next_serial += 1;
        self.next_serial
    }

    /// The reference of a root, unless it has ended.
    #[inline]
    pub(super) fn get(&self, root: Root) -> Option<u32> {
        let by_serial = |&(serial, _): &(u64, u32)| serial;
        if let Ok(at) = self.scoped.binary_search_by_key(&root.serial, by_serial) {
            return Some(self.scoped[at].1);
        }
        let by_serial = |(serial, _): &(u64, Arc<u32>)| *serial;
        let at = self.owned.binary_search_by_key(&root.serial, by_serial);
        at.ok().map(|at| *self.owned[at].1)
    }

    /// The number of scoped roots: where a scope begins.
    #[inline]
    pub(super) fn depth(&self) -> usize {
        self.scoped.len()
    }

    /// Ends the scope that began at that depth.
    #[inline]
    pub(super) fn truncate(&mut self, depth: usize) {
        self.scoped.truncate(depth);
    }

    /// Ends all roots.
    pub(crate) fn clear(&mut self) {
        self.scoped.clear();
        self.owned.clear();
        self.owned_limit = MIN_OWNED;
    }

    /// Every reference that the host holds.
    pub(crate) fn words(&mut self) -> impl Iterator<Item = u32> + '_ {
        self.drop_unheld();
        let scoped = self.scoped.iter().map(|&(_, word)| word);
        scoped.chain(self.owned.iter().map(|(_, word)| **word))
    }

    fn drop_unheld(&mut self) {
        self.owned.retain(|(_, word)| Arc::strong_count(word) > 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_end_all_at_once() {
        let (mut roots, store) = (Roots::new(), StoreId::new());
        let outer = roots.push(store, 8);
        let depth = roots.depth();
        let inner = roots.push(store, 16);
        assert_eq!((roots.get(outer), roots.get(inner)), (Some(8), Some(16)));
        roots.truncate(depth);
        assert_eq!((roots.get(outer), roots.get(inner)), (Some(8), None));
        let later = roots.push(store, 24);
        assert_eq!((roots.get(inner), roots.get(later)), (None, Some(24)));
        assert_eq!(roots.words().collect::<Vec<_>>(), [8, 24]);
    }

    #[test]
    fn owned_roots_end_with_their_handles() {
        let (mut roots, store) = (Roots::new(), StoreId::new());
        let mut kept: Vec<_> = (1..=3).map(|n| roots.keep(store, n * 8)).collect();
        for n in 0..10_000 {
            roots.keep(store, n);
        }
        assert!(roots.owned.len() <= 2 * MIN_OWNED);
        assert_eq!(roots.words().collect::<Vec<_>>(), [8, 16, 24]);
        let (last, root) = (kept.remove(2), kept[1].root());
        assert_eq!((last.word(), roots.get(last.root())), (24, Some(24)));
        drop(kept);
        assert_eq!(roots.words().collect::<Vec<_>>(), [24]);
        assert_eq!(roots.get(root), None);
    }
}
