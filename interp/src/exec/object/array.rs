//! Elements of arrays, and what Rust does with many of them.
//!
//! ```text
//!  get     [handler] [a:16 d:16 b:16 _]
//!  set     [handler] [a:16 v:16 b:16 _] [constant:64]
//!  length  [handler] [a:16 d:16 _]
//!  bulk    [handler] [first:16 live:16 x:32] [y:32 dead:32]
//! ```
//! A bulk instruction's operands are in consecutive slots from `first` on, where
//! its result goes too. For `live` and `dead` see [`crate::object::Live`].

use crate::exec::grid::pick;
use crate::exec::int;
use crate::exec::object::{
    Get8S, Get8U, Get16S, Get16U, Get32, Get64, Load, ObjectLoad, ObjectStore, Set8, Set16, Set32,
    Set64, Store,
};
use crate::exec::regs::{A, Class, Handler, K, P0, P1, P2, S, dispatch, handler, tail};
use crate::exec::trap::{ArrayOutOfBounds, NullArrayReference, raise, trap};
use rwasm_runtime::gc::object::{ARRAY_ELEMENTS, ARRAY_LEN};
use rwasm_runtime::layout::VmCtx;
use rwasm_runtime::libcalls;
use rwasm_runtime::trap::Trap;

/// The address of an element whose size is `1 << $shift`; traps if there is none.
macro_rules! element {
    ($r:ident, $array:expr, $index:expr, $shift:expr) => {{
        let (array, index) = ($array, $index);
        if array == 0 {
            tail!(trap::<NullArrayReference>, $r)
        }
        let len = $r.object(array, u64::from(ARRAY_LEN)).cast::<u32>().read();
        // The index is an i32, zero-extended like every i32.
        if index >= u64::from(len) {
            tail!(trap::<ArrayOutOfBounds>, $r)
        }
        $r.object(array, u64::from(ARRAY_ELEMENTS) + (index << $shift))
    }};
}

handler! {
    fn get<T: Load, X: Class, Y: Class, D: Class>(r) {
        let at = element!(r, r.read::<X>(8, 0), r.read::<Y>(12, 0), T::SHIFT);
        let value = T::load(at);
        r.write::<D>(10, value);
        r.ip = r.ip.next(16);
        dispatch!(r)
    }
}

handler! {
    fn set<T: Store, X: Class, Y: Class, Z: Class>(r) {
        let at = element!(r, r.read::<X>(8, 0), r.read::<Y>(12, 0), T::SHIFT);
        T::store(at, r.read::<Z>(10, 16));
        r.ip = r.ip.next(const { int::size::<Z, S>(true) });
        dispatch!(r)
    }
}

handler! {
    fn get_vector<>(r) {
        let at = element!(r, r.slot(r.ip.u16(8)), r.slot(r.ip.u16(12)), 4);
        r.fp.add(r.ip.u16(10)).cast::<[u64; 2]>().write(at.cast::<[u64; 2]>().read());
        r.ip = r.ip.next(16);
        dispatch!(r)
    }
}

handler! {
    fn set_vector<>(r) {
        let at = element!(r, r.slot(r.ip.u16(8)), r.slot(r.ip.u16(12)), 4);
        at.cast::<[u64; 2]>().write(r.fp.add(r.ip.u16(10)).cast::<[u64; 2]>().read());
        r.ip = r.ip.next(16);
        dispatch!(r)
    }
}

handler! {
    fn len<X: Class, D: Class>(r) {
        let array = r.read::<X>(8, 0);
        if array == 0 {
            tail!(trap::<NullArrayReference>, r)
        }
        let len = r.object(array, u64::from(ARRAY_LEN)).cast::<u32>().read();
        r.write::<D>(10, u64::from(len));
        r.ip = r.ip.next(16);
        dispatch!(r)
    }
}

/// A library call of this family.
pub(crate) type Call = unsafe fn(*mut VmCtx, *mut u64, u32, u32, *mut u64) -> Result<(), Trap>;

/// A library call as a type, so that its handler calls it directly.
pub(crate) trait Bulk {
    const CALL: Call;
}

handler! {
    fn bulk<F: Bulk>(r) {
        let (operands, top) = (r.fp.add(r.ip.u16(8)), r.live_end(10, 20));
        match (F::CALL)(r.vmctx(), operands, r.ip.u32(12), r.ip.u32(16), top) {
            Ok(()) => {
                r.ip = r.ip.next(24);
                dispatch!(r)
            }
            Err(trap) => return raise(r.ip, r.fp, trap),
        }
    }
}

macro_rules! bulk_ops {
    ($($(#[$doc:meta])* $name:ident = $call:ident;)*) => {
        /// What is done with many elements. `x` is the type of the array, of the
        /// target where there are two.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum BulkOp { $($(#[$doc])* $name,)* }
        $(
            struct $name;
            impl Bulk for $name {
                const CALL: Call = libcalls::$call;
            }
        )*
        /// The handler of a bulk instruction.
        pub(crate) fn bulk_handler(op: BulkOp) -> Handler {
            match op { $(BulkOp::$name => bulk::<$name>,)* }
        }
    };
}
bulk_ops! {
    /// `array.new`: value, length.
    New = array_new;
    /// `array.new_data`, segment `y`: offset, length.
    NewData = array_new_data;
    /// `array.new_elem`, segment `y`: offset, length.
    NewElem = array_new_elem;
    /// `array.fill`: array, offset, value, length.
    Fill = array_fill;
    /// `array.copy`: array, offset, array, offset, length.
    Copy = array_copy;
    /// `array.init_data`, segment `y`: array, offset, offset, length.
    InitData = array_init_data;
    /// `array.init_elem`, segment `y`: array, offset, offset, length.
    InitElem = array_init_elem;
}

/// The handler of `array.get`.
pub(crate) fn get_handler(op: ObjectLoad, a: usize, b: usize, d: usize) -> Handler {
    match op {
        ObjectLoad::Get8S => pick!(get[Get8S]; five a, five b, two d),
        ObjectLoad::Get8U => pick!(get[Get8U]; five a, five b, two d),
        ObjectLoad::Get16S => pick!(get[Get16S]; five a, five b, two d),
        ObjectLoad::Get16U => pick!(get[Get16U]; five a, five b, two d),
        ObjectLoad::Get32 => pick!(get[Get32]; five a, five b, two d),
        ObjectLoad::Get64 => pick!(get[Get64]; five a, five b, two d),
    }
}

/// The handler of `array.set`.
pub(crate) fn set_handler(op: ObjectStore, a: usize, b: usize, v: usize) -> Handler {
    match op {
        ObjectStore::Set8 => pick!(set[Set8]; five a, five b, six v),
        ObjectStore::Set16 => pick!(set[Set16]; five a, five b, six v),
        ObjectStore::Set32 => pick!(set[Set32]; five a, five b, six v),
        ObjectStore::Set64 => pick!(set[Set64]; five a, five b, six v),
    }
}

/// The handler of `array.get` of a `v128`.
pub(crate) fn get_vector_handler() -> Handler {
    get_vector
}

/// The handler of `array.set` of a `v128`.
pub(crate) fn set_vector_handler() -> Handler {
    set_vector
}

/// The handler of `array.len`.
pub(crate) fn len_handler(a: usize, d: usize) -> Handler {
    pick!(len[]; five a, five d)
}
