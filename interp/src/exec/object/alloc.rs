//! Allocation: a cursor is bumped; the rest is a slow path.
//!
//! ```text
//!  new        [handler] [d:16 live:16 run:16 cell:16] [header:64] [bytes:32 dead:32]
//!  new array  [handler] [d:16 live:16 len:16 shift:16] [header:32 dead:32]
//!  init       [handler] [v:16 d:16 offset:32] [constant:64]
//!  init v128  [handler] [v:16 d:16 offset:32]
//! ```
//! `run` is the offset of the size class's run in the store's context, `cell` the
//! bytes of its cells, `bytes` those of the object; `header` the first 8 bytes of
//! the object: of a fixed array, its length too. For `live` and `dead` see
//! [`crate::object::Live`].
//!
//! A new object is in the accumulator, where the `init` that follow for its
//! fields expect it; each passes it on, the last one to where it is wanted.

use crate::exec::grid::pick;
use crate::exec::int;
use crate::exec::object::{ObjectStore, Set8, Set16, Set32, Set64, Store};
use crate::exec::regs::{A, Class, Handler, K, P0, P1, P2, S, dispatch, handler, tail};
use crate::exec::trap::raise;
use rwasm_runtime::gc::object::ARRAY_ELEMENTS;
use rwasm_runtime::gc::{GcCtx, Run, cell_bytes, class_of};
use rwasm_runtime::layout::StoreCtx;
use rwasm_runtime::libcalls;

/// Bytes of the instructions.
const NEW_SIZE: usize = 32;
const NEW_ARRAY_SIZE: usize = 24;

/// Offset in a store's context of the run of a size class.
pub(crate) const fn run_offset(class: usize) -> u32 {
    (std::mem::offset_of!(StoreCtx, gc)
        + std::mem::offset_of!(GcCtx, runs)
        + class * size_of::<Run>()) as u32
}

handler! {
    fn new<D: Class>(r) {
        let run = (r.store() as *mut u8).add(r.ip.u16(12)).cast::<Run>();
        let (cursor, cell) = ((*run).cursor, r.ip.u16(14) as u32);
        if (*run).end - cursor < cell {
            tail!(new_slow::<D>, r)
        }
        (*run).cursor = cursor + cell;
        r.object(u64::from(cursor), 0).cast::<u64>().write(r.ip.u64(16));
        r.write::<D>(8, u64::from(cursor));
        r.ip = r.ip.next(NEW_SIZE);
        dispatch!(r)
    }
}

handler! {
    #[cold]
    fn new_slow<D: Class>(r) {
        let top = r.live_end(10, 28);
        match libcalls::new_object(r.vmctx(), r.ip.u64(16), r.ip.u32(24), top) {
            Ok(object) => {
                r.write::<D>(8, object.to_slot());
                r.ip = r.ip.next(NEW_SIZE);
                dispatch!(r)
            }
            Err(trap) => return raise(r.ip, r.fp, trap),
        }
    }
}

handler! {
    fn new_array<D: Class>(r) {
        let len = r.slot(r.ip.u16(12)) as u32;
        let bytes = (u64::from(len) << r.ip.u16(14)) + u64::from(ARRAY_ELEMENTS);
        let Some(class) = u32::try_from(bytes).ok().and_then(class_of) else {
            tail!(new_array_slow::<D>, r)
        };
        let run = (&raw mut (*r.store()).gc.runs).cast::<Run>().add(class);
        let (cursor, cell) = ((*run).cursor, cell_bytes(class));
        if (*run).end - cursor < cell {
            tail!(new_array_slow::<D>, r)
        }
        (*run).cursor = cursor + cell;
        let header = u64::from(r.ip.u32(16)) | u64::from(len) << 32;
        r.object(u64::from(cursor), 0).cast::<u64>().write(header);
        r.write::<D>(8, u64::from(cursor));
        r.ip = r.ip.next(NEW_ARRAY_SIZE);
        dispatch!(r)
    }
}

handler! {
    #[cold]
    fn new_array_slow<D: Class>(r) {
        let (len, top) = (r.slot(r.ip.u16(12)) as u32, r.live_end(10, 20));
        match libcalls::new_array(r.vmctx(), r.ip.u32(16), len, top) {
            Ok(object) => {
                r.write::<D>(8, object.to_slot());
                r.ip = r.ip.next(NEW_ARRAY_SIZE);
                dispatch!(r)
            }
            Err(trap) => return raise(r.ip, r.fp, trap),
        }
    }
}

handler! {
    fn init<T: Store, X: Class, D: Class>(r) {
        let value = r.read::<X>(8, 16);
        let object = r.acc;
        T::store(r.object(object, u64::from(r.ip.u32(12))), value);
        r.write::<D>(10, object);
        r.ip = r.ip.next(const { int::size::<X, S>(true) });
        dispatch!(r)
    }
}

handler! {
    fn init_vector<D: Class>(r) {
        let value = r.fp.add(r.ip.u16(8)).cast::<[u64; 2]>().read();
        let object = r.acc;
        r.object(object, u64::from(r.ip.u32(12))).cast::<[u64; 2]>().write(value);
        r.write::<D>(10, object);
        r.ip = r.ip.next(16);
        dispatch!(r)
    }
}

/// The handler that allocates an object of a size known, in a cell or `large`.
pub(crate) fn new_handler(large: bool, d: usize) -> Handler {
    if large {
        pick!(new_slow[]; five d)
    } else {
        pick!(new[]; five d)
    }
}

/// The handler that allocates an array of zeros.
pub(crate) fn new_array_handler(d: usize) -> Handler {
    pick!(new_array[]; five d)
}

/// The handler that sets a field of a new object.
pub(crate) fn init_handler(op: ObjectStore, v: usize, d: usize) -> Handler {
    match op {
        ObjectStore::Set8 => pick!(init[Set8]; six v, five d),
        ObjectStore::Set16 => pick!(init[Set16]; six v, five d),
        ObjectStore::Set32 => pick!(init[Set32]; six v, five d),
        ObjectStore::Set64 => pick!(init[Set64]; six v, five d),
    }
}

/// The handler that sets a `v128` field of a new object.
pub(crate) fn init_vector_handler(d: usize) -> Handler {
    pick!(init_vector[]; five d)
}
