//! `memory.copy` and `memory.fill`.
//!
//! Few bytes, if it is known how many, are loaded and stored here. All are
//! loaded before the first is stored, and the last is stored first: a guarded
//! memory ends behind the one that faults, so that nothing was written then.
//! Otherwise the bounds are checked here, and the bytes moved by a call unless they
//! turn out to be few. Shared
//! memories are left to the runtime, which knows how to race.

use super::memory::{Place, WIDEST};
use super::{FuncTranslator, VECTOR};
use crate::libcall::LibCall;
use crate::trap_code::trap_code;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, InstBuilder, types};
use rwasm_runtime::trap::Trap;
use smallvec::SmallVec;

/// The accesses that some bytes take: their offsets, and types, which may
/// overlap.
type Chunks = SmallVec<[(i32, ir::Type); 4]>;

impl FuncTranslator<'_> {
    /// `memory.fill`.
    pub(super) fn memory_fill(&mut self, memory: u32) {
        let ty = self.module.memories()[memory as usize];
        let len = self.pop();
        let byte = self.pop();
        let dst = self.pop();
        if ty.shared {
            let len = self.index_to_64(ty.index64, len);
            let dst = self.index_to_64(ty.index64, dst);
            let memory = self.immediate(memory);
            self.libcall(LibCall::MemoryFill, &[memory, dst, byte, len]);
        } else if let Some(bytes) = self.few_bytes(len) {
            let to = self.place_at(memory, dst, 0, bytes);
            self.fill_few(to, byte, bytes);
        } else {
            let len = self.index_to_64(ty.index64, len);
            let to = self.checked_range(memory, dst, len);
            self.libcall(LibCall::FillBytes, &[to, byte, len]);
        }
    }

    /// `memory.copy`.
    pub(super) fn memory_copy(&mut self, dst_memory: u32, src_memory: u32) {
        let [dst_ty, src_ty] =
            [dst_memory, src_memory].map(|memory| self.module.memories()[memory as usize]);
        let len64 = dst_ty.index64 && src_ty.index64;
        let len = self.pop();
        let src = self.pop();
        let dst = self.pop();
        if dst_ty.shared || src_ty.shared {
            let len = self.index_to_64(len64, len);
            let src = self.index_to_64(src_ty.index64, src);
            let dst = self.index_to_64(dst_ty.index64, dst);
            let memories = [dst_memory, src_memory].map(|memory| self.immediate(memory));
            let args = [memories[0], memories[1], dst, src, len];
            self.libcall(LibCall::MemoryCopy, &args);
        } else if let Some(bytes) = self.few_bytes(len) {
            let from = self.place_at(src_memory, src, 0, bytes);
            let to = self.place_at(dst_memory, dst, 0, bytes);
            self.copy_few(to, from, bytes);
        } else {
            let len = self.index_to_64(len64, len);
            let from = self.checked_range(src_memory, src, len);
            let to = self.checked_range(dst_memory, dst, len);
            self.move_bytes((dst_memory, to), (src_memory, from), len);
        }
    }

    /// Moves `len` bytes, both ends of which are inside their memories. Most copies of
    /// most programs are of short strings: those are two accesses of the same width,
    /// which overlap in the middle. The others are moved by a call.
    fn move_bytes(&mut self, to: (u32, ir::Value), from: (u32, ir::Value), len: ir::Value) {
        let done = self.b.create_block();
        let is_long = self.b.ins().icmp_imm_u(IntCC::UnsignedGreaterThan, len, 32);
        let long = self.b.create_block();
        self.b.set_cold_block(long);
        let short = self.branch(is_long, long);
        self.b.switch_to_block(long);
        self.libcall(LibCall::MoveBytes, &[to.1, from.1, len]);
        self.b.ins().jump(done, &[]);

        self.b.switch_to_block(short);
        for (least, ty) in [
            (16, VECTOR),
            (8, types::I64),
            (4, types::I32),
            (2, types::I16),
        ] {
            let fits = self
                .b
                .ins()
                .icmp_imm_u(IntCC::UnsignedGreaterThanOrEqual, len, least);
            let these = self.b.create_block();
            let fewer = self.branch(fits, these);
            self.b.switch_to_block(these);
            self.move_two(to, from, len, ty);
            self.b.ins().jump(done, &[]);
            self.b.switch_to_block(fewer);
        }
        let one = self.b.create_block();
        self.b.ins().brif(len, one, &[], done, &[]);
        self.b.seal_block(one);
        self.b.switch_to_block(one);
        let [to_flags, from_flags] = [to, from].map(|(memory, _)| self.memory_flags(memory));
        let byte = self.b.ins().load(types::I8, from_flags, from.1, 0);
        self.b.ins().store(to_flags, byte, to.1, 0);
        self.b.ins().jump(done, &[]);
        self.b.seal_block(done);
        self.b.switch_to_block(done);
    }

    /// Moves the first bytes and the last ones, which may be some of the same.
    fn move_two(
        &mut self,
        (to_memory, to): (u32, ir::Value),
        (from_memory, from): (u32, ir::Value),
        len: ir::Value,
        ty: ir::Type,
    ) {
        let [to_flags, from_flags] = [to_memory, from_memory].map(|m| self.memory_flags(m));
        let last = -(ty.bytes() as i32);
        let [to_end, from_end] = [to, from].map(|start| self.b.ins().iadd(start, len));
        let front = self.b.ins().load(ty, from_flags, from, 0);
        let back = self.b.ins().load(ty, from_flags, from_end, last);
        self.b.ins().store(to_flags, front, to, 0);
        self.b.ins().store(to_flags, back, to_end, last);
    }

    /// Goes to a block if a condition holds, and otherwise to the result; neither is
    /// reached from elsewhere.
    fn branch(&mut self, condition: ir::Value, then: ir::Block) -> ir::Block {
        let otherwise = self.b.create_block();
        self.b.ins().brif(condition, then, &[], otherwise, &[]);
        self.b.seal_block(then);
        self.b.seal_block(otherwise);
        otherwise
    }

    /// A number of bytes, if it is known and small, but not zero.
    fn few_bytes(&self, len: ir::Value) -> Option<u32> {
        let inst = self.b.func.dfg.value_def(len).inst()?;
        match self.b.func.dfg.insts[inst] {
            ir::InstructionData::UnaryImm {
                opcode: ir::Opcode::Iconst,
                imm,
            } => u32::try_from(imm.bits())
                .ok()
                .filter(|&bytes| (1..=WIDEST as u32).contains(&bytes)),
            _ => None,
        }
    }

    fn copy_few(&mut self, to: Place, from: Place, bytes: u32) {
        let chunks = chunks(bytes);
        let values: SmallVec<[ir::Value; 4]> = chunks
            .iter()
            .map(|&(offset, ty)| {
                let ins = self.b.ins();
                ins.load(ty, from.flags, from.address, from.offset + offset)
            })
            .collect();
        for (&(offset, _), &value) in chunks.iter().zip(&values).rev() {
            let ins = self.b.ins();
            ins.store(to.flags, value, to.address, to.offset + offset);
        }
    }

    fn fill_few(&mut self, to: Place, byte: ir::Value, bytes: u32) {
        let chunks = chunks(bytes);
        // The byte eight times.
        let word = self.b.ins().uextend(types::I64, byte);
        let word = self.b.ins().band_imm_u(word, 0xff);
        let word = self.b.ins().imul_imm_s(word, 0x0101_0101_0101_0101);
        let widest = match bytes {
            16.. => self.b.ins().splat(types::I64X2, word),
            _ => word,
        };
        for &(offset, ty) in chunks.iter().rev() {
            let value = match ty {
                types::I64 => word,
                VECTOR => widest,
                _ => self.b.ins().ireduce(ty, word),
            };
            let ins = self.b.ins();
            ins.store(to.flags, value, to.address, to.offset + offset);
        }
    }

    /// The address of `len` bytes at `index`, after a check that they are inside
    /// the memory.
    fn checked_range(&mut self, memory: u32, index: ir::Value, len: ir::Value) -> ir::Value {
        let oob = trap_code(Trap::MemoryOutOfBounds);
        let index64 = self.module.memories()[memory as usize].index64;
        let index = self.index_to_64(index64, index);
        let end = if index64 {
            self.b.ins().uadd_overflow_trap(index, len, oob)
        } else {
            self.b.ins().iadd(index, len)
        };
        let memory_len = self.memory_len(memory);
        let outside = self
            .b
            .ins()
            .icmp(IntCC::UnsignedGreaterThan, end, memory_len);
        self.b.ins().trapnz(outside, oob);
        let base = self.memory_base(memory);
        self.b.ins().iadd(base, index)
    }
}

/// The accesses to some bytes, at least one, in the order of their ends.
fn chunks(bytes: u32) -> Chunks {
    let (width, ty) = match bytes {
        16.. => (16, VECTOR),
        8.. => (8, types::I64),
        4.. => (4, types::I32),
        2.. => (2, types::I16),
        _ => (1, types::I8),
    };
    let whole = bytes / width;
    let mut chunks: Chunks = (0..whole).map(|at| ((at * width) as i32, ty)).collect();
    if whole * width < bytes {
        chunks.push(((bytes - width) as i32, ty));
    }
    chunks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_cover_all_bytes_and_no_others() {
        for bytes in 1..=WIDEST as u32 {
            let chunks = chunks(bytes);
            let mut covered = 0;
            for (offset, ty) in chunks {
                assert!(offset >= 0 && offset as u32 <= covered);
                covered = offset as u32 + ty.bytes();
            }
            assert_eq!(covered, bytes);
        }
    }
}
