//! Fields of structs.
//!
//! ```text
//!  get       [handler] [a:16 d:16 offset:32]
//!  set       [handler] [a:16 v:16 offset:32] [constant:64]
//!  i31.get   [handler] [a:16 d:16 _]
//! ```

use crate::exec::grid::pick;
use crate::exec::int;
use crate::exec::object::{
    Get8S, Get8U, Get16S, Get16U, Get32, Get64, Load, ObjectLoad, ObjectStore, Set8, Set16, Set32,
    Set64, Store,
};
use crate::exec::regs::{A, Class, Handler, K, P0, P1, P2, S, dispatch, handler, tail};
use crate::exec::trap::{NullI31Reference, NullStructureReference, trap};

handler! {
    fn get<T: Load, X: Class, D: Class>(r) {
        let object = r.read::<X>(8, 0);
        if object == 0 {
            tail!(trap::<NullStructureReference>, r)
        }
        let value = T::load(r.object(object, u64::from(r.ip.u32(12))));
        r.write::<D>(10, value);
        r.ip = r.ip.next(16);
        dispatch!(r)
    }
}

handler! {
    fn set<T: Store, X: Class, Y: Class>(r) {
        let object = r.read::<X>(8, 0);
        if object == 0 {
            tail!(trap::<NullStructureReference>, r)
        }
        T::store(r.object(object, u64::from(r.ip.u32(12))), r.read::<Y>(10, 16));
        r.ip = r.ip.next(const { int::size::<Y, S>(true) });
        dispatch!(r)
    }
}

handler! {
    fn get_vector<X: Class>(r) {
        let object = r.read::<X>(8, 0);
        if object == 0 {
            tail!(trap::<NullStructureReference>, r)
        }
        let value = r.object(object, u64::from(r.ip.u32(12))).cast::<[u64; 2]>().read();
        r.fp.add(r.ip.u16(10)).cast::<[u64; 2]>().write(value);
        r.ip = r.ip.next(16);
        dispatch!(r)
    }
}

handler! {
    fn set_vector<X: Class>(r) {
        let object = r.read::<X>(8, 0);
        if object == 0 {
            tail!(trap::<NullStructureReference>, r)
        }
        let value = r.fp.add(r.ip.u16(10)).cast::<[u64; 2]>().read();
        r.object(object, u64::from(r.ip.u32(12))).cast::<[u64; 2]>().write(value);
        r.ip = r.ip.next(16);
        dispatch!(r)
    }
}

/// How an `i31` is extended to an `i32`.
pub(crate) trait Extend {
    fn extend(word: u32) -> u32;
}
struct Signed;
struct Unsigned;
impl Extend for Signed {
    #[inline(always)]
    fn extend(word: u32) -> u32 {
        (word as i32 >> 1) as u32
    }
}
impl Extend for Unsigned {
    #[inline(always)]
    fn extend(word: u32) -> u32 {
        word >> 1
    }
}

handler! {
    fn i31_get<E: Extend, X: Class, D: Class>(r) {
        let word = r.read::<X>(8, 0);
        if word == 0 {
            tail!(trap::<NullI31Reference>, r)
        }
        r.write::<D>(10, u64::from(E::extend(word as u32)));
        r.ip = r.ip.next(16);
        dispatch!(r)
    }
}

/// The handler of `struct.get`.
pub(crate) fn get_handler(op: ObjectLoad, a: usize, d: usize) -> Handler {
    match op {
        ObjectLoad::Get8S => pick!(get[Get8S]; five a, five d),
        ObjectLoad::Get8U => pick!(get[Get8U]; five a, five d),
        ObjectLoad::Get16S => pick!(get[Get16S]; five a, five d),
        ObjectLoad::Get16U => pick!(get[Get16U]; five a, five d),
        ObjectLoad::Get32 => pick!(get[Get32]; five a, five d),
        ObjectLoad::Get64 => pick!(get[Get64]; five a, five d),
    }
}

/// The handler of `struct.set`.
pub(crate) fn set_handler(op: ObjectStore, a: usize, v: usize) -> Handler {
    match op {
        ObjectStore::Set8 => pick!(set[Set8]; five a, six v),
        ObjectStore::Set16 => pick!(set[Set16]; five a, six v),
        ObjectStore::Set32 => pick!(set[Set32]; five a, six v),
        ObjectStore::Set64 => pick!(set[Set64]; five a, six v),
    }
}

/// The handler of `struct.get` of a `v128`.
pub(crate) fn get_vector_handler(a: usize) -> Handler {
    pick!(get_vector[]; five a)
}

/// The handler of `struct.set` of a `v128`.
pub(crate) fn set_vector_handler(a: usize) -> Handler {
    pick!(set_vector[]; five a)
}

/// The handler of `i31.get_s` and `i31.get_u`.
pub(crate) fn i31_get_handler(signed: bool, a: usize, d: usize) -> Handler {
    if signed {
        pick!(i31_get[Signed]; five a, five d)
    } else {
        pick!(i31_get[Unsigned]; five a, five d)
    }
}
