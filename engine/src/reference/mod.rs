//! References other than to functions: handles that keep what they refer to
//! alive.
//!
//! A handle is small and copied. It is a *root*: the collector does not free what
//! it refers to. That ends with the handle's *scope*: a handle that a host
//! function gets or makes is good until that function returns, any other until
//! the [`RootScope`] around it ends, or the store is dropped where there is none.
//! To use a handle after that is an error, never a use of freed memory: every use
//! looks the root up. What must live longer is held by [`Owned`].
//!
//! Handles of the same store are equal if they refer to the same object (as
//! `ref.eq` has it).

mod any;
mod external;
mod object;
mod scope;

pub use any::{AnyRef, EqRef, I31};
pub use external::ExternRef;
pub use object::{ArrayRef, StructRef};
pub use scope::{Owned, Reference, RootScope};

use crate::error::{Error, Result};
use rwasm_runtime::gc::{Object, OwnedRoot, Root};
use rwasm_runtime::handle::StoreId;
use rwasm_runtime::store::Store as RuntimeStore;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::num::NonZeroU32;

/// What all handles are: a root, and the reference that it holds.
#[derive(Clone, Copy)]
pub struct Handle {
    root: Root,
    word: NonZeroU32,
}

impl Handle {
    /// A root for a reference, in the present scope.
    ///
    /// # Safety
    /// `word` is a reference of the store other than to a function, and what it
    /// refers to is alive.
    pub(crate) unsafe fn new(store: &RuntimeStore, word: NonZeroU32) -> Self {
        // SAFETY: as the caller promises.
        let root = unsafe { store.root(word.get()) };
        Handle { root, word }
    }

    /// The handle of an owned root.
    pub(crate) fn of_owned(owned: &OwnedRoot) -> Self {
        Handle {
            root: owned.root(),
            word: NonZeroU32::new(owned.word()).expect("only references are kept"),
        }
    }

    pub(crate) fn store(self) -> StoreId {
        self.root.store()
    }

    /// The reference as it stands in a slot, unless its scope has ended or it
    /// belongs to another store.
    pub(crate) fn slot(self, store: &RuntimeStore) -> Result<u64> {
        self.check(store)?;
        Ok(self.slot_unchecked())
    }

    /// The same, for who has checked it.
    pub(crate) fn slot_unchecked(self) -> u64 {
        self.word.get().into()
    }

    /// Whether the reference is good in that store.
    pub(crate) fn check(self, store: &RuntimeStore) -> Result<()> {
        match store.rooted(self.root) {
            Some(_) => Ok(()),
            None if self.store() != store.id() => Err(Error::StoreMismatch("a reference")),
            None => Err(Error::Unrooted),
        }
    }

    /// The object, if it is one.
    pub(crate) fn object(self, store: &RuntimeStore) -> Result<Option<Object<'_>>> {
        self.check(store)?;
        Ok(store.object(self.root))
    }

    pub(crate) fn root(self) -> Root {
        self.root
    }
}

impl PartialEq for Handle {
    fn eq(&self, other: &Self) -> bool {
        (self.store(), self.word) == (other.store(), other.word)
    }
}

impl Eq for Handle {}

impl Hash for Handle {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.store(), self.word).hash(state);
    }
}

impl fmt::Debug for Handle {
    /// What handles are equal by.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x} of {:?}", self.word, self.store())
    }
}
