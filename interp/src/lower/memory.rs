//! Loads, stores, and where their addresses come from.

use super::Lower;
use super::stack::{Kind, State};
use crate::inst::{Dst, Inst, Src};
use crate::op::{FloatWidth, IntBinary, IntLoad, IntStore};
use rwasm_runtime::tunables::MEMORY_GUARD;
use wasmparser::{MemArg, MemArgTarget};

/// The widest access in bytes.
const WIDEST: u64 = 16;

/// Where the value of the last store still is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stored {
    Acc,
    Local(u32),
    Const(u64),
}

impl Lower<'_> {
    /// The memory that an access is to. GC arrays are no operands of the loads
    /// and stores that validation accepts here.
    pub(super) fn memory_of(memarg: &MemArg) -> u32 {
        match memarg.target {
            MemArgTarget::Memory(memory) => memory,
            MemArgTarget::Array(_) => unreachable!("validated: no accesses to arrays"),
        }
    }

    /// Whether the access needs no explicit check: then its offset as 32 bits.
    pub(super) fn guarded(&self, memarg: &MemArg) -> Option<u32> {
        let guarded = Self::memory_of(memarg) == 0
            && self.code.memory_is_guarded(0)
            && memarg.offset <= MEMORY_GUARD as u64 - WIDEST;
        guarded.then_some(memarg.offset as u32)
    }

    pub(super) fn load(&mut self, op: IntLoad, memarg: &MemArg) {
        let Some(offset) = self.guarded(memarg) else {
            return self.checked_load(Kind::Int, op, memarg);
        };
        self.settle_address(self.stack.len() - 1, offset);
        if let Some((a, b)) = self.absorb_address() {
            self.emit_int(|d| Inst::Load2 {
                op,
                a,
                b,
                offset,
                d,
            });
        } else {
            let a = self.source(self.stack.len() - 1);
            if let Some(value) = self.just_stored(op, a, offset) {
                self.pop_entry();
                match value {
                    Stored::Acc => self.push_acc(),
                    Stored::Local(local) => self.push(Kind::Int, State::Local(local)),
                    Stored::Const(bits) => self.push_const(Kind::Int, bits),
                }
                return;
            }
            self.pop_entry();
            self.emit_int(|d| Inst::Load { op, a, offset, d });
        }
    }

    pub(super) fn float_load(&mut self, width: FloatWidth, memarg: &MemArg) {
        let Some(offset) = self.guarded(memarg) else {
            let op = match width {
                FloatWidth::F32 => IntLoad::Load32U,
                FloatWidth::F64 => IntLoad::Load64,
            };
            return self.checked_load(Kind::Float, op, memarg);
        };
        self.settle_address(self.stack.len() - 1, offset);
        if let Some((a, b)) = self.absorb_address() {
            self.emit_float(|d| Inst::FloatLoad2 {
                width,
                a,
                b,
                offset,
                d,
            });
        } else {
            let a = self.pop();
            self.emit_float(|d| Inst::FloatLoad {
                width,
                a,
                offset,
                d,
            });
        }
    }

    fn checked_load(&mut self, kind: Kind, op: IntLoad, memarg: &MemArg) {
        let memory = self.code.offsets.memory(Self::memory_of(memarg));
        let a = self.pop_slot();
        let offset = memarg.offset;
        self.emit_to_slot(kind, |slot| Inst::CheckedLoad {
            op,
            memory,
            a,
            offset,
            d: Dst::Slot(slot),
        });
    }

    pub(super) fn store(&mut self, op: IntStore, memarg: &MemArg) {
        let Some(offset) = self.guarded(memarg) else {
            return self.checked_store(op, memarg);
        };
        self.settle_address(self.stack.len() - 2, offset);
        let value = self.stack[self.stack.len() - 1].state;
        let v = self.pop();
        if v != Src::Acc
            && let Some((a, b)) = self.absorb_address()
        {
            self.emit(Inst::Store2 {
                op,
                a,
                b,
                v,
                offset,
            });
        } else {
            let a = self.pop();
            let at = self.emit(Inst::Store { op, a, v, offset });
            let known = match value {
                // A local may be assigned after the store without another
                // instruction: what was computed before it is sent there.
                _ if v == Src::Acc => Some(Stored::Acc),
                State::Local(local) => Some(Stored::Local(local)),
                State::Const(bits) => Some(Stored::Const(bits)),
                State::Temp { .. } => None,
            };
            self.stored = known.map(|value| (at as usize, value));
        }
    }

    /// What a load of `[a + offset]` loads, if the last instruction stored just
    /// that: code compiled without optimisation reads every variable back.
    /// Nothing can have changed in between: what `a` meant then it means now.
    fn just_stored(&self, op: IntLoad, a: Src, offset: u32) -> Option<Stored> {
        let (at, value) = self.stored?;
        if at + 1 != self.out.len() || at < self.region {
            return None;
        }
        let wide = match self.out[at] {
            Inst::Store {
                op: IntStore::Store32,
                a: b,
                offset: o,
                ..
            } if (a, offset) == (b, o) => false,
            Inst::Store {
                op: IntStore::Store64,
                a: b,
                offset: o,
                ..
            } if (a, offset) == (b, o) => true,
            _ => return None,
        };
        match (op, value) {
            (IntLoad::Load64, _) if wide => Some(value),
            (IntLoad::Load32U, Stored::Const(bits)) if !wide => {
                Some(Stored::Const(bits & 0xffff_ffff))
            }
            (IntLoad::Load32U, _) if !wide => Some(value),
            _ => None,
        }
    }

    pub(super) fn float_store(&mut self, width: FloatWidth, memarg: &MemArg) {
        let Some(offset) = self.guarded(memarg) else {
            let op = match width {
                FloatWidth::F32 => IntStore::Store32,
                FloatWidth::F64 => IntStore::Store64,
            };
            return self.checked_store(op, memarg);
        };
        self.settle_address(self.stack.len() - 2, offset);
        let v = self.pop();
        let a = self.pop();
        self.emit(Inst::FloatStore {
            width,
            a,
            v,
            offset,
        });
    }

    fn checked_store(&mut self, op: IntStore, memarg: &MemArg) {
        let memory = self.code.offsets.memory(Self::memory_of(memarg));
        let v = self.pop_slot();
        let a = self.pop_slot();
        self.emit(Inst::CheckedStore {
            op,
            memory,
            a,
            v,
            offset: memarg.offset,
        });
    }

    /// Before an access to the operand at `height`: a constant address stays one
    /// only if the instruction, which holds its sum with the offset, has room for
    /// that.
    fn settle_address(&mut self, height: usize, offset: u32) {
        if let State::Const(address) = self.stack[height].state
            && (address as u32).checked_add(offset).is_none()
        {
            self.materialise(height);
        }
    }

    /// Takes the address on top apart if the last instruction computed it as a
    /// sum; the access adds by itself then.
    fn absorb_address(&mut self) -> Option<(Src, Src)> {
        let last = self.absorbable()?;
        match self.out[last] {
            Inst::Binary {
                op: IntBinary::I32Add,
                a,
                b,
                ..
            } if !a.is_const() => {
                debug_assert!(matches!(
                    self.stack.last().map(|entry| entry.state),
                    Some(State::Temp { .. })
                ));
                self.absorb();
                Some((a, b))
            }
            _ => None,
        }
    }
}
