//! Float operations that take others in: a load, a product.

use super::Lower;
use super::stack::State;
use crate::inst::{Inst, Src};
use crate::op::{FloatBinary, FloatWidth};

impl Lower<'_> {
    /// Makes one instruction of `a op [address]` if the right operand was just
    /// loaded. Returns whether it did.
    pub(super) fn absorb_float_load(&mut self, op: FloatBinary, width: FloatWidth) -> bool {
        let left = self.stack.len() - 2;
        if matches!(self.stack[left].state, State::Const(_)) {
            return false;
        }
        let Some(last) = self.absorbable() else {
            return false;
        };
        let Inst::FloatLoad {
            width: loaded,
            a: address,
            offset,
            ..
        } = self.out[last]
        else {
            return false;
        };
        if loaded != width || address.is_const() {
            return false;
        }
        self.absorb();
        let a = self.pop();
        self.emit_float(|d| Inst::FloatBinaryLoad {
            op,
            a,
            address,
            offset,
            d,
        });
        true
    }

    /// Makes one instruction of `c + a * b` if the product on top was just
    /// computed. It is rounded as before: twice. Returns whether it did.
    pub(super) fn absorb_product(&mut self, width: FloatWidth) -> bool {
        let left = self.stack.len() - 2;
        if matches!(self.stack[left].state, State::Const(_)) {
            return false;
        }
        let Some(last) = self.absorbable() else {
            return false;
        };
        let product = self.out[last];
        match product {
            Inst::FloatBinary { op, a, b, .. }
                if op.is_mul()
                    && op.absorbs_load() == Some(width)
                    && !a.is_const()
                    && !b.is_const() =>
            {
                let c = self.absorb_above(left);
                self.emit_float(|d| Inst::FloatMulAdd { width, a, b, c, d });
                true
            }
            Inst::FloatBinaryLoad {
                op,
                a,
                address,
                offset,
                ..
            } if op.is_mul() && op.absorbs_load() == Some(width) => {
                let c = self.absorb_above(left);
                self.emit_float(|d| Inst::FloatMulAddLoad {
                    width,
                    a,
                    address,
                    offset,
                    c,
                    d,
                });
                true
            }
            _ => false,
        }
    }

    /// Absorbs the top operand and pops the float below it, which is in a slot:
    /// its accumulator was needed for the top one.
    fn absorb_above(&mut self, left: usize) -> u16 {
        self.absorb();
        let Src::Slot(slot) = self.bits_source(left) else {
            unreachable!("neither a constant nor in an accumulator")
        };
        self.pop_entry();
        slot
    }
}
