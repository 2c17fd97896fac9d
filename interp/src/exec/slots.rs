//! Instructions whose operands are always in slots: tables, bulk memory, and
//! everything else that is rare or that Rust does.
//!
//! Format: `[handler] [s0:16 s1:16 s2:16 s3:16] [x:32 y:32]`.

use super::regs::{Handler, dispatch, handler, tail};
use super::trap::{NullReference, TableOutOfBounds, raise, trap};
use rwasm_runtime::layout::{TableDef, VmCtx};
use rwasm_runtime::libcalls;

/// Bytes of such an instruction.
const SIZE: usize = 24;

impl SlotOp {
    /// Whether `s0` is a result.
    pub(crate) fn has_result(self) -> bool {
        matches!(
            self,
            SlotOp::MemorySize
                | SlotOp::MemoryGrow
                | SlotOp::TableGet
                | SlotOp::TableSize
                | SlotOp::TableGrow
                | SlotOp::RefFunc
        )
    }
}

macro_rules! slot_ops {
    ($($(#[$doc:meta])* $name:ident = $handler:ident;)*) => {
        /// An instruction of this family. The operands are named as in the
        /// specification; `x` and `y` are its immediates.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum SlotOp { $($(#[$doc])* $name,)* }

        /// The handler of an instruction of this family.
        pub(crate) fn slot_handler(op: SlotOp) -> Handler {
            match op { $(SlotOp::$name => $handler,)* }
        }
    };
}

slot_ops! {
    /// `s0 = memory.size x`
    MemorySize = memory_size;
    /// `s0 = memory.grow x (s1)`
    MemoryGrow = memory_grow;
    /// `memory.fill x (s0, s1, s2)`
    MemoryFill = memory_fill;
    /// `memory.copy x y (s0, s1, s2)`
    MemoryCopy = memory_copy;
    /// `memory.init memory:x segment:y (s0, s1, s2)`
    MemoryInit = memory_init;
    /// `data.drop x`
    DataDrop = data_drop;
    /// `s0 = table.get (s1)`, with the table's offset in the instance block in `x`
    TableGet = table_get;
    /// `table.set (s0, s1)`, `x` as for `TableGet`
    TableSet = table_set;
    /// `s0 = table.size`, `x` as for `TableGet`
    TableSize = table_size;
    /// `s0 = table.grow x (init: s1, delta: s2)`
    TableGrow = table_grow;
    /// `table.fill x (s0, s1, s2)`
    TableFill = table_fill;
    /// `table.copy x y (s0, s1, s2)`
    TableCopy = table_copy;
    /// `table.init table:x segment:y (s0, s1, s2)`
    TableInit = table_init;
    /// `elem.drop x`
    ElemDrop = elem_drop;
    /// `s0 = ref.func x`
    RefFunc = ref_func;
    /// Traps if `s0` is null.
    NullCheck = null_check;
    /// Copies `x` slots that begin with `s1` to those that begin with `s0`. Its
    /// operands were settled before, so that none is redirected past it.
    CopySlots = copy_slots;
}

/// Ends the segment if a library call returned a trap.
macro_rules! check {
    ($r:ident, $result:expr) => {
        match $result {
            Ok(()) => {
                $r.ip = $r.ip.next(SIZE);
                dispatch!($r)
            }
            Err(trap) => return raise($r.ip, $r.fp, trap),
        }
    };
}

/// A library call over three slots that returns nothing or traps.
macro_rules! bulk {
    ($(fn $name:ident($x:ident $(, $y:ident)?);)*) => {$(
        handler! {
            fn $name<>(r) {
                let (a, b, c) = (r.slot(r.ip.u16(8)), r.slot(r.ip.u16(10)), r.slot(r.ip.u16(12)));
                check!(r, libcalls::$name(r.vmctx(), r.ip.u32(16), $({ let $y = r.ip.u32(20); $y },)? a, b, c))
            }
        }
    )*};
}
bulk! {
    fn memory_copy(dst, src);
    fn memory_init(memory, segment);
    fn table_fill(table);
    fn table_copy(dst, src);
    fn table_init(table, segment);
}

handler! {
    fn memory_fill<>(r) {
        let (dst, byte, len) = (r.slot(r.ip.u16(8)), r.slot(r.ip.u16(10)), r.slot(r.ip.u16(12)));
        check!(r, libcalls::memory_fill(r.vmctx(), r.ip.u32(16), dst, byte as u8, len))
    }
}

handler! {
    fn memory_size<>(r) {
        let size = libcalls::memory_size(r.vmctx(), r.ip.u32(16));
        r.set_slot(r.ip.u16(8), size);
        r.ip = r.ip.next(SIZE);
        dispatch!(r)
    }
}

handler! {
    fn memory_grow<>(r) {
        let delta = r.slot(r.ip.u16(10));
        let old = libcalls::memory_grow(r.vmctx(), r.ip.u32(16), delta);
        r.set_slot(r.ip.u16(8), narrow(old, r.ip.u32(20)));
        r.ip = r.ip.next(SIZE);
        dispatch!(r)
    }
}

handler! {
    fn data_drop<>(r) {
        libcalls::data_drop(r.vmctx(), r.ip.u32(16));
        r.ip = r.ip.next(SIZE);
        dispatch!(r)
    }
}

handler! {
    fn elem_drop<>(r) {
        libcalls::elem_drop(r.vmctx(), r.ip.u32(16));
        r.ip = r.ip.next(SIZE);
        dispatch!(r)
    }
}

handler! {
    fn table_get<>(r) {
        let table: *mut TableDef = VmCtx::pointer_at(r.vmctx(), r.ip.u32(16));
        let index = r.slot(r.ip.u16(10));
        if index >= (*table).len {
            tail!(trap::<TableOutOfBounds>, r)
        }
        r.set_slot(r.ip.u16(8), *(*table).elems.add(index as usize));
        r.ip = r.ip.next(SIZE);
        dispatch!(r)
    }
}

handler! {
    fn table_set<>(r) {
        let table: *mut TableDef = VmCtx::pointer_at(r.vmctx(), r.ip.u32(16));
        let index = r.slot(r.ip.u16(8));
        if index >= (*table).len {
            tail!(trap::<TableOutOfBounds>, r)
        }
        *(*table).elems.add(index as usize) = r.slot(r.ip.u16(10));
        r.ip = r.ip.next(SIZE);
        dispatch!(r)
    }
}

handler! {
    fn table_size<>(r) {
        let table: *mut TableDef = VmCtx::pointer_at(r.vmctx(), r.ip.u32(16));
        r.set_slot(r.ip.u16(8), (*table).len);
        r.ip = r.ip.next(SIZE);
        dispatch!(r)
    }
}

handler! {
    fn table_grow<>(r) {
        let (init, delta) = (r.slot(r.ip.u16(10)), r.slot(r.ip.u16(12)));
        let old = libcalls::table_grow(r.vmctx(), r.ip.u32(16), delta, init);
        r.set_slot(r.ip.u16(8), narrow(old, r.ip.u32(20)));
        r.ip = r.ip.next(SIZE);
        dispatch!(r)
    }
}

handler! {
    fn ref_func<>(r) {
        let func = libcalls::ref_func(r.vmctx(), r.ip.u32(16));
        r.set_slot(r.ip.u16(8), func as u64);
        r.ip = r.ip.next(SIZE);
        dispatch!(r)
    }
}

handler! {
    fn null_check<>(r) {
        if r.slot(r.ip.u16(8)) == 0 {
            tail!(trap::<NullReference>, r)
        }
        r.ip = r.ip.next(SIZE);
        dispatch!(r)
    }
}

handler! {
    fn copy_slots<>(r) {
        let (to, from) = (r.fp.add(r.ip.u16(8)), r.fp.add(r.ip.u16(10)));
        std::ptr::copy(from, to, r.ip.u32(16) as usize);
        r.ip = r.ip.next(SIZE);
        dispatch!(r)
    }
}

/// The result of a growth in the index type: `y` is 1 for 64-bit indices. An
/// `i32` is zero-extended in its slot, -1 included.
#[inline(always)]
fn narrow(old: u64, wide: u32) -> u64 {
    if wide != 0 {
        old
    } else {
        u64::from(old as u32)
    }
}
