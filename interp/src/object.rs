//! Instructions on structs, arrays and casts between lowering and encoding.

use crate::exec::object::alloc::{
    init_handler, init_vector_handler, new_array_handler, new_handler, run_offset,
};
use crate::exec::object::array::{self, BulkOp, bulk_handler};
use crate::exec::object::cast::{TypeTest, cast_handler, test_handler};
use crate::exec::object::{ObjectLoad, ObjectStore, field};
use crate::exec::regs::Handler;
use crate::inst::{Dst, Src};
use rwasm_runtime::gc::{cell_bytes, class_of};
use std::fmt;

/// Which slots of a frame are in use where the collector may look at it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Live {
    /// Those below this one, but for…
    pub(crate) end: u16,
    /// … these: bit `n` stands for slot `end - 1 - n`. They hold what an earlier
    /// instruction left there, which must not keep it alive: the slow path of an
    /// allocation clears them.
    pub(crate) dead: u32,
}

impl Live {
    /// Whether a slot must not hold a value that is wanted.
    fn excludes(self, slot: u16) -> bool {
        let below = self.end.checked_sub(slot);
        below.is_none_or(|below| below == 0 || (below <= 32 && self.dead >> (below - 1) & 1 != 0))
    }
}

/// An instruction of this family.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum ObjectInst {
    /// Allocates `bytes` zeroed bytes that begin with `header`.
    New {
        header: u64,
        bytes: u32,
        live: Live,
        d: Dst,
    },
    /// Allocates an array of zeros, of `1 << shift` bytes an element.
    NewArray {
        header: u32,
        shift: u32,
        len: u16,
        live: Live,
        d: Dst,
    },
    /// Sets a field of the object in the accumulator, which stays there.
    Init {
        op: ObjectStore,
        v: Src,
        offset: u32,
        d: Dst,
    },
    /// As `Init`, for a `v128`.
    InitVector {
        v: u16,
        offset: u32,
        d: Dst,
    },
    Get {
        op: ObjectLoad,
        a: Src,
        offset: u32,
        d: Dst,
    },
    GetVector {
        a: Src,
        offset: u32,
        d: u16,
    },
    Set {
        op: ObjectStore,
        a: Src,
        offset: u32,
        v: Src,
    },
    SetVector {
        a: Src,
        offset: u32,
        v: u16,
    },
    ArrayGet {
        op: ObjectLoad,
        a: Src,
        b: Src,
        d: Dst,
    },
    ArrayGetVector {
        a: u16,
        b: u16,
        d: u16,
    },
    ArraySet {
        op: ObjectStore,
        a: Src,
        b: Src,
        v: Src,
    },
    ArraySetVector {
        a: u16,
        b: u16,
        v: u16,
    },
    ArrayLen {
        a: Src,
        d: Dst,
    },
    I31Get {
        signed: bool,
        a: Src,
        d: Dst,
    },
    /// Whether a reference is of a type.
    Test {
        op: TypeTest,
        null: bool,
        x: u32,
        y: u32,
        a: Src,
        d: Dst,
    },
    /// The reference itself; traps if it is not.
    Cast {
        op: TypeTest,
        null: bool,
        x: u32,
        y: u32,
        a: Src,
        d: Dst,
    },
    Bulk {
        op: BulkOp,
        first: u16,
        live: Live,
        x: u32,
        y: u32,
    },
}

use ObjectInst as I;

impl ObjectInst {
    /// Sends the result elsewhere, if there is a handler for that.
    pub(crate) fn redirect(&mut self, to: Dst) -> bool {
        match self {
            I::New { d, .. }
            | I::NewArray { d, .. }
            | I::Init { d, .. }
            | I::InitVector { d, .. }
            | I::Get { d, .. }
            | I::ArrayLen { d, .. }
            | I::I31Get { d, .. }
            | I::Cast { d, .. } => {
                *d = to;
                true
            }
            I::ArrayGet { d, .. } | I::Test { d, .. } => {
                if matches!(to, Dst::Pin(..)) {
                    return false;
                }
                *d = to;
                true
            }
            I::GetVector { d, .. } | I::ArrayGetVector { d, .. } => match to {
                Dst::Slot(slot) => {
                    *d = slot;
                    true
                }
                Dst::Acc | Dst::Pin(..) => false,
            },
            I::Set { .. }
            | I::SetVector { .. }
            | I::ArraySet { .. }
            | I::ArraySetVector { .. }
            | I::Bulk { .. } => false,
        }
    }

    /// Slots of the result, for an instruction that has one.
    pub(crate) fn result_slots(&self) -> u16 {
        match self {
            I::GetVector { .. } | I::ArrayGetVector { .. } => 2,
            _ => 1,
        }
    }

    /// Whether it changes the accumulator.
    pub(crate) fn writes_acc(&self) -> bool {
        match self {
            I::New { d, .. }
            | I::NewArray { d, .. }
            | I::Init { d, .. }
            | I::InitVector { d, .. }
            | I::Get { d, .. }
            | I::ArrayGet { d, .. }
            | I::ArrayLen { d, .. }
            | I::I31Get { d, .. }
            | I::Test { d, .. }
            | I::Cast { d, .. } => !matches!(d, Dst::Pin(..)),
            _ => false,
        }
    }

    /// Whether it reads or writes frame slot `slot` or reads the pin `pin`.
    pub(crate) fn touches(&self, slot: u16, pin: Option<u8>) -> bool {
        let src = |s: &Src| s.touches(slot, pin);
        let dst = |d: &Dst| d.touches(slot, pin);
        let vector = |first: u16| slot == first || slot == first + 1;
        match self {
            // The collector does not look at slots that are not in use.
            I::New { live, d, .. } => live.excludes(slot) || dst(d),
            I::NewArray { len, live, d, .. } => *len == slot || live.excludes(slot) || dst(d),
            I::Init { v, d, .. } => src(v) || dst(d),
            I::InitVector { v, d, .. } => vector(*v) || dst(d),
            I::Get { a, d, .. } | I::ArrayLen { a, d } | I::I31Get { a, d, .. } => src(a) || dst(d),
            I::GetVector { a, d, .. } => src(a) || vector(*d),
            I::Set { a, v, .. } => src(a) || src(v),
            I::SetVector { a, v, .. } => src(a) || vector(*v),
            I::ArrayGet { a, b, d, .. } => src(a) || src(b) || dst(d),
            I::ArrayGetVector { a, b, d } => *a == slot || *b == slot || vector(*d),
            I::ArraySet { a, b, v, .. } => src(a) || src(b) || src(v),
            I::ArraySetVector { a, b, v } => *a == slot || *b == slot || vector(*v),
            I::Test { a, d, .. } | I::Cast { a, d, .. } => src(a) || dst(d),
            I::Bulk { .. } => true,
        }
    }

    /// Its words.
    pub(crate) fn encode(&self, words: &mut Vec<u64>) {
        let quad = |a: u16, b: u16, c: u16, d: u16| {
            u64::from(a) | u64::from(b) << 16 | u64::from(c) << 32 | u64::from(d) << 48
        };
        let pair =
            |a: u16, b: u16, long: u32| u64::from(a) | u64::from(b) << 16 | u64::from(long) << 32;
        let mut put = |handler: Handler, operands: &[u64]| {
            words.push(handler as usize as u64);
            words.extend_from_slice(operands);
        };
        let constant = |v: Src| {
            if v.is_const() {
                Some(v.constant())
            } else {
                None
            }
        };
        match *self {
            I::New {
                header,
                bytes,
                live,
                d,
            } => {
                let class = class_of(bytes);
                // Both are below 2^16.
                let run = class.map_or(0, run_offset) as u16;
                let cell = class.map_or(0, cell_bytes) as u16;
                put(
                    new_handler(class.is_none(), d.class()),
                    &[
                        quad(d.slot(), live.end, run, cell),
                        header,
                        u64::from(bytes) | u64::from(live.dead) << 32,
                    ],
                );
            }
            I::NewArray {
                header,
                shift,
                len,
                live,
                d,
            } => put(
                new_array_handler(d.class()),
                &[
                    quad(d.slot(), live.end, len, shift as u16),
                    u64::from(header) | u64::from(live.dead) << 32,
                ],
            ),
            I::Init { op, v, offset, d } => {
                put(
                    init_handler(op, v.class(), d.class()),
                    &[pair(v.slot(), d.slot(), offset)],
                );
                words.extend(constant(v));
            }
            I::InitVector { v, offset, d } => {
                put(init_vector_handler(d.class()), &[pair(v, d.slot(), offset)])
            }
            I::Get { op, a, offset, d } => put(
                field::get_handler(op, a.class(), d.class()),
                &[pair(a.slot(), d.slot(), offset)],
            ),
            I::GetVector { a, offset, d } => put(
                field::get_vector_handler(a.class()),
                &[pair(a.slot(), d, offset)],
            ),
            I::Set { op, a, offset, v } => {
                put(
                    field::set_handler(op, a.class(), v.class()),
                    &[pair(a.slot(), v.slot(), offset)],
                );
                words.extend(constant(v));
            }
            I::SetVector { a, offset, v } => put(
                field::set_vector_handler(a.class()),
                &[pair(a.slot(), v, offset)],
            ),
            I::ArrayGet { op, a, b, d } => put(
                array::get_handler(op, a.class(), b.class(), d.class()),
                &[pair(a.slot(), d.slot(), b.slot().into())],
            ),
            I::ArrayGetVector { a, b, d } => {
                put(array::get_vector_handler(), &[pair(a, d, b.into())]);
            }
            I::ArraySet { op, a, b, v } => {
                put(
                    array::set_handler(op, a.class(), b.class(), v.class()),
                    &[pair(a.slot(), v.slot(), b.slot().into())],
                );
                words.extend(constant(v));
            }
            I::ArraySetVector { a, b, v } => {
                put(array::set_vector_handler(), &[pair(a, v, b.into())]);
            }
            I::ArrayLen { a, d } => put(
                array::len_handler(a.class(), d.class()),
                &[pair(a.slot(), d.slot(), 0)],
            ),
            I::I31Get { signed, a, d } => put(
                field::i31_get_handler(signed, a.class(), d.class()),
                &[pair(a.slot(), d.slot(), 0)],
            ),
            I::Test {
                op,
                null,
                x,
                y,
                a,
                d,
            } => put(
                test_handler(op, a.class(), d.class()),
                &[
                    pair(a.slot(), d.slot(), null.into()),
                    u64::from(x) | u64::from(y) << 32,
                ],
            ),
            I::Cast {
                op,
                null,
                x,
                y,
                a,
                d,
            } => put(
                cast_handler(op, a.class(), d.class()),
                &[
                    pair(a.slot(), d.slot(), null.into()),
                    u64::from(x) | u64::from(y) << 32,
                ],
            ),
            I::Bulk {
                op,
                first,
                live,
                x,
                y,
            } => put(
                bulk_handler(op),
                &[
                    pair(first, live.end, x),
                    u64::from(y) | u64::from(live.dead) << 32,
                ],
            ),
        }
    }
}

impl fmt::Display for ObjectInst {
    /// Without type ids and what follows from them, which depend on what else
    /// the engine has loaded.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            I::New { bytes, d, .. } => write!(f, "{d} = new {bytes} bytes"),
            I::NewArray { shift, len, d, .. } => {
                write!(
                    f,
                    "{d} = new array of s{len} elements of {} bytes",
                    1 << shift
                )
            }
            I::Init { op, v, offset, d } => write!(f, "{d} = {op:?} [acc + {offset}] = {v}"),
            I::InitVector { v, offset, d } => write!(f, "{d} = Set128 [acc + {offset}] = s{v}"),
            I::Get { op, a, offset, d } => write!(f, "{d} = {op:?} [{a} + {offset}]"),
            I::GetVector { a, offset, d } => write!(f, "s{d} = Get128 [{a} + {offset}]"),
            I::Set { op, a, offset, v } => write!(f, "{op:?} [{a} + {offset}] = {v}"),
            I::SetVector { a, offset, v } => write!(f, "Set128 [{a} + {offset}] = s{v}"),
            I::ArrayGet { op, a, b, d } => write!(f, "{d} = {op:?} {a}[{b}]"),
            I::ArrayGetVector { a, b, d } => write!(f, "s{d} = Get128 s{a}[s{b}]"),
            I::ArraySet { op, a, b, v } => write!(f, "{op:?} {a}[{b}] = {v}"),
            I::ArraySetVector { a, b, v } => write!(f, "Set128 s{a}[s{b}] = s{v}"),
            I::ArrayLen { a, d } => write!(f, "{d} = array length {a}"),
            I::I31Get { signed, a, d } => {
                write!(
                    f,
                    "{d} = i31 {} {a}",
                    if *signed { "signed" } else { "unsigned" }
                )
            }
            I::Test { op, null, a, d, .. } => write!(f, "{d} = {a} is {op:?}{}", or_null(*null)),
            I::Cast { op, null, a, d, .. } => {
                write!(f, "{d} = {a}, check {op:?}{}", or_null(*null))
            }
            I::Bulk { op, first, y, .. } => write!(f, "array {op:?} from s{first}, {y}"),
        }
    }
}

fn or_null(null: bool) -> &'static str {
    if null { " or null" } else { "" }
}
