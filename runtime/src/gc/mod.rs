//! The garbage-collected heap of a store: structs, arrays and exceptions.
//!
//! ```text
//!  region, reserved when first needed; a reference is an offset in it
//!  ┌───────┬───────────┬───────────┬───────────────────────┬───────────┬─ ─ ─
//!  │ never │ cells of  │ cells of  │ one large object      │ free      │ never
//!  │ used  │ 24 bytes  │ 64 bytes  │                       │           │ used yet
//!  └───────┴───────────┴───────────┴───────────────────────┴───────────┴─ ─ ─
//!            block (32 KiB)
//! ```
//! Objects never move. `object` has their formats, `layout` where the fields
//! of a type lie, `classes` the sizes of cells, `block` what is known of a
//! block, `heap` allocation, `collect` the collector and `roots` what the
//! host holds.
//!
//! **Allocation** bumps a cursor through a [`Run`]: consecutive free cells of one
//! size, zeroed. A handler or machine code does that itself and calls a slow
//! path when the run is used up, which takes the next hole in a block's bitmap.
//! Hence there is no sweep: what the last collection did not mark *is* free.
//!
//! **Collection** is mark and (so) sweep, started by slow paths only. Fields are
//! precise; the value stack and the native stack are scanned conservatively, so
//! that neither tier keeps maps of its frames. A word found there counts if it is
//! the start of a live object or an address within one: an object is live if its
//! cell's bit is set, since the cell was marked or handed out as part of a run,
//! and its header is not zero, since it was allocated in that run.
//!
//! Contract of whoever allocates: guest frames are on the value stack below
//! [`crate::layout::StoreCtx::stack_top`], or on the native stack between the
//! store's newest entry and the caller, or they hold no references.
//!
//! Architecture invariant: nothing here knows which tier runs.

mod alloc;
mod block;
mod classes;
mod collect;
mod heap;
mod host;
mod infos;
pub mod layout;
pub mod libcalls;
pub mod object;
mod roots;

pub use classes::{CLASSES, cell_bytes, class_of};
pub use collect::{HeapStats, Origin};
pub use heap::{GcCtx, Run};
pub use host::Object;
pub use layout::{ArrayLayout, FieldLayout, Layout, StructLayout, TypeInfo};
pub use object::{GcRef, ObjectKind};
pub use roots::{OwnedRoot, Root};

pub(crate) use heap::{Heap, HeapImage};
pub(crate) use infos::TypeInfos;
pub(crate) use roots::Roots;
