//! What the host holds: references that keep their objects alive.
//!
//! A *scoped* root lives until its scope ends: scopes nest, so the roots are a
//! stack, and the end of a scope is one truncation. An *owned* root lives as long
//! as its handle, wherever that is.

use std::sync::Arc;

/// A scoped root: where it is, and what it must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Root {
    serial: u64,
    index: u32,
}

/// A root that lives as long as this handle.
#[derive(Clone, Debug)]
pub struct OwnedRoot(Arc<u32>);

impl OwnedRoot {
    /// The reference, as it stands in a field.
    pub fn word(&self) -> u32 {
        *self.0
    }
}

/// The roots of a store.
#[derive(Debug)]
pub(crate) struct Roots {
    /// Serial numbers, ever greater, and references.
    scoped: Vec<(u64, u32)>,
    next_serial: u64,
    owned: Vec<Arc<u32>>,
    /// When `owned` has so many, those that nobody holds any more are dropped.
    owned_limit: usize,
}

/// Owned roots below which nobody looks for dropped ones.
const MIN_OWNED: usize = 64;

impl Roots {
    pub(crate) const fn new() -> Self {
        Roots {
            scoped: Vec::new(),
            next_serial: 0,
            owned: Vec::new(),
            owned_limit: MIN_OWNED,
        }
    }

    /// Adds a scoped root. `None` if there are 2^32 of them.
    #[inline]
    pub(crate) fn push(&mut self, word: u32) -> Option<Root> {
        let index = u32::try_from(self.scoped.len()).ok()?;
        let serial = self.next_serial;
        self.next_serial += 1;
        self.scoped.push((serial, word));
        Some(Root { serial, index })
    }

    /// The reference of a scoped root, unless its scope has ended.
    #[inline]
    pub(crate) fn get(&self, root: Root) -> Option<u32> {
        let &(serial, word) = self.scoped.get(root.index as usize)?;
        (serial == root.serial).then_some(word)
    }

    /// The number of scoped roots: where a scope begins.
    #[inline]
    pub(crate) fn depth(&self) -> usize {
        self.scoped.len()
    }

    /// Ends the scope that began at that depth.
    #[inline]
    pub(crate) fn truncate(&mut self, depth: usize) {
        self.scoped.truncate(depth);
    }

    /// Adds an owned root.
    pub(crate) fn keep(&mut self, word: u32) -> OwnedRoot {
        if self.owned.len() >= self.owned_limit {
            self.drop_unheld();
            self.owned_limit = (2 * self.owned.len()).max(MIN_OWNED);
        }
        let root = Arc::new(word);
        self.owned.push(root.clone());
        OwnedRoot(root)
    }

    /// Every reference that the host holds.
    pub(crate) fn words(&mut self) -> impl Iterator<Item = u32> + '_ {
        self.drop_unheld();
        let scoped = self.scoped.iter().map(|&(_, word)| word);
        scoped.chain(self.owned.iter().map(|root| **root))
    }

    fn drop_unheld(&mut self) {
        self.owned.retain(|root| Arc::strong_count(root) > 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_end_all_at_once() {
        let mut roots = Roots::new();
        let outer = roots.push(8).unwrap();
        let depth = roots.depth();
        let inner = roots.push(16).unwrap();
        assert_eq!((roots.get(outer), roots.get(inner)), (Some(8), Some(16)));
        roots.truncate(depth);
        assert_eq!((roots.get(outer), roots.get(inner)), (Some(8), None));
        let later = roots.push(24).unwrap();
        assert_eq!((roots.get(inner), roots.get(later)), (None, Some(24)));
        assert_eq!(roots.words().collect::<Vec<_>>(), [8, 24]);
    }

    #[test]
    fn owned_roots_end_with_their_handles() {
        let mut roots = Roots::new();
        let kept: Vec<_> = (1..=3).map(|n| roots.keep(n * 8)).collect();
        for n in 0..10_000 {
            roots.keep(n);
        }
        assert!(roots.owned.len() <= 2 * MIN_OWNED);
        assert_eq!(roots.words().collect::<Vec<_>>(), [8, 16, 24]);
        assert_eq!(kept[1].word(), 16);
    }
}
