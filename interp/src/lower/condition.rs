//! Conditions: a branch absorbs the comparison that made its condition, and the
//! addition before it at the end of a counting loop.

use super::stack::Acc;
use super::{LocalInfo, Lower};
use crate::inst::{Dst, Inst, Jump, Label, Src};
use crate::op::{IntBinary, IntCompare, IntUnary};

impl Lower<'_> {
    /// Branches on the `i32` on top, which is popped: if it is zero or if it is
    /// not. Absorbs the comparison that made it.
    pub(super) fn branch_on_top(&mut self, mut non_zero: bool, to: Jump) {
        // `eqz` turns the branch around; an `and` below it is absorbed as well.
        if let Some(last) = self.absorbable()
            && let Inst::Unary {
                op: IntUnary::I32Eqz,
                a,
                ..
            } = self.out[last]
        {
            self.absorb();
            non_zero = !non_zero;
            if a == Src::Acc
                && last > self.region
                && let Inst::Binary {
                    op: IntBinary::I32And,
                    a,
                    b,
                    d: Dst::Acc,
                } = self.out[last - 1]
                && !a.is_const()
            {
                self.drop_last();
                self.emit_branch(Inst::BrAnd { a, b, non_zero, to });
            } else {
                self.emit_if_branch(a, non_zero, to);
            }
            return;
        }
        if let Some(last) = self.absorbable() {
            match self.out[last] {
                Inst::Compare { op, a, b, .. } if fits_branch(op, a) && fits_branch(op, b) => {
                    self.absorb();
                    let (op, swap) = if non_zero { (op, false) } else { op.negated() };
                    let (a, b) = if swap { (b, a) } else { (a, b) };
                    self.emit_compare_branch(op, a, b, to);
                    return;
                }
                Inst::Unary {
                    op: IntUnary::I64Eqz,
                    a,
                    ..
                } if !a.is_const() => {
                    self.absorb();
                    let op = if non_zero {
                        IntCompare::I64Eq
                    } else {
                        IntCompare::I64Ne
                    };
                    self.emit_compare_branch(op, a, Src::Const(0), to);
                    return;
                }
                Inst::Binary {
                    op: IntBinary::I32And,
                    a,
                    b,
                    ..
                } if !a.is_const() => {
                    self.absorb();
                    self.emit_branch(Inst::BrAnd { a, b, non_zero, to });
                    return;
                }
                Inst::FloatCompare { op, a, b, .. } => {
                    self.absorb();
                    let op = if non_zero { op } else { op.negated() };
                    self.emit_branch(Inst::BrFloatCompare { op, a, b, to });
                    return;
                }
                _ => {}
            }
        }
        let a = self.pop_variable();
        self.emit_if_branch(a, non_zero, to);
    }

    fn emit_if_branch(&mut self, a: Src, non_zero: bool, to: Jump) {
        // `local.tee` of a sum, as at the end of a counting loop.
        let op = if non_zero {
            IntCompare::I32Ne
        } else {
            IntCompare::I32Eq
        };
        if let Some(local) = self.local_in(a)
            && self.try_add_branch(local, op, Src::Const(0), to)
        {
            return;
        }
        self.emit_branch(Inst::BrIf { a, non_zero, to });
    }

    fn emit_compare_branch(&mut self, op: IntCompare, a: Src, b: Src, to: Jump) {
        let commutes = matches!(
            op,
            IntCompare::I32Eq | IntCompare::I32Ne | IntCompare::I64Eq | IntCompare::I64Ne
        );
        for (a, b) in [(a, b), (b, a)]
            .into_iter()
            .take(if commutes { 2 } else { 1 })
        {
            if let Some(local) = self.local_in(a)
                && self.local_in(b) != Some(local)
                && self.try_add_branch(local, op, b, to)
            {
                return;
            }
        }
        self.emit_branch(Inst::BrCompare { op, a, b, to });
    }

    /// The local that a source reads.
    fn local_in(&self, source: Src) -> Option<u32> {
        match source {
            Src::Pin(pin) => self.pins[usize::from(pin)],
            Src::Acc => match self.acc {
                Acc::Local(local) => Some(local),
                Acc::Temp(_) | Acc::Nothing => None,
            },
            Src::Slot(slot) if u32::from(slot) < self.first_temp => {
                let after = self
                    .locals
                    .partition_point(|info| info.slot <= u32::from(slot));
                Some(after as u32 - 1)
            }
            Src::Slot(_) | Src::Const(_) => None,
        }
    }

    /// Absorbs `local += constant` before a branch back on that local.
    fn try_add_branch(&mut self, local: u32, op: IntCompare, b: Src, to: Jump) -> bool {
        if to.loop_slot == 0 || b == Src::Acc {
            return false;
        }
        let Some(last) = self
            .out
            .len()
            .checked_sub(1)
            .filter(|&last| last >= self.region)
        else {
            return false;
        };
        let Inst::Binary {
            op: add,
            a,
            b: Src::Const(addend),
            d,
        } = self.out[last]
        else {
            return false;
        };
        let wide = op.is_wide();
        let expected = if wide {
            IntBinary::I64Add
        } else {
            IntBinary::I32Add
        };
        let LocalInfo { slot, pin, .. } = self.locals[local as usize];
        let slot = slot as u16;
        let (own_slot, own_pin) = (Src::Slot(slot), pin.map(Src::Pin));
        let to_local = d.slot() == slot && d != Dst::Acc;
        if add != expected || !to_local || (a != own_slot && Some(a) != own_pin) {
            return false;
        }
        let addend = if wide {
            addend as i64
        } else {
            i64::from(addend as i32)
        };
        let Ok(addend) = i32::try_from(addend) else {
            return false;
        };
        self.drop_last();
        let a = own_pin.unwrap_or(own_slot);
        self.emit_branch(Inst::AddBr {
            op,
            a,
            slot,
            addend,
            b,
            to,
        });
        if own_pin.is_none() {
            self.acc = Acc::Local(local);
        }
        true
    }

    /// Makes of a branch to `label`, which is about to be bound here, and the
    /// jump that it skips one branch on the opposite condition: the likelier
    /// way falls through then, and falling through costs least.
    pub(super) fn turn_branch_around(&mut self, label: Label) {
        let at = self.out.len();
        let &[.., branch, Inst::Br { to: jump }] = &self.out[..] else {
            return;
        };
        // Who branches to the jump still needs it, and who branches to what
        // comes here is known to go behind it.
        if self
            .bound
            .last()
            .is_some_and(|&label| label as usize >= at - 1)
        {
            return;
        }
        let over = |to: Jump| to.label == label && to.loop_slot == 0;
        let turned = match branch {
            Inst::BrIf { a, non_zero, to } if over(to) => Inst::BrIf {
                a,
                non_zero: !non_zero,
                to: jump,
            },
            Inst::BrAnd { a, b, non_zero, to } if over(to) => Inst::BrAnd {
                a,
                b,
                non_zero: !non_zero,
                to: jump,
            },
            Inst::BrCompare { op, a, b, to } if over(to) => {
                let (op, swap) = op.negated();
                let (a, b) = if swap { (b, a) } else { (a, b) };
                Inst::BrCompare { op, a, b, to: jump }
            }
            Inst::BrFloatCompare { op, a, b, to } if over(to) => Inst::BrFloatCompare {
                op: op.negated(),
                a,
                b,
                to: jump,
            },
            _ => return,
        };
        self.drop_last();
        self.out[at - 2] = turned;
    }

    /// Appends a branch, which ends the region: what comes before must not
    /// change any more, lest it changes for who branches.
    pub(super) fn emit_branch(&mut self, inst: Inst) {
        self.emit(inst);
        self.region = self.out.len();
    }
}

/// Whether a branch can hold the operand: its constants have 32 bits and are
/// sign-extended.
fn fits_branch(op: IntCompare, operand: Src) -> bool {
    match operand {
        Src::Const(bits) => !op.is_wide() || i32::try_from(bits as i64).is_ok(),
        _ => true,
    }
}
