//! Tables.

use super::FuncTranslator;
use super::env::{Region, displacement, fixed};
use crate::libcall::LibCall;
use crate::trap_code::trap_code;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, InstBuilder, MemFlagsData, types};
use rwasm_parser::{TableType, TypeIndex};
use rwasm_runtime::layout::TableDef;
use rwasm_runtime::trap::Trap;
use std::mem::offset_of;

impl FuncTranslator<'_> {
    fn table_type(&self, table: u32) -> TableType<TypeIndex> {
        self.module.tables()[table as usize].ty
    }

    /// The type that a table's elements have on the operand stack.
    fn element_type(&self, table: u32) -> ir::Type {
        super::reference_type(self.module, &self.table_type(table).element.heap)
    }

    /// Loads a field of a table's definition. A table whose type leaves it no
    /// room to grow never changes.
    fn load_table_field(&mut self, table: u32, offset: usize) -> ir::Value {
        let flags = if self.fixed_size(table).is_some() {
            fixed()
        } else {
            self.flags(Region::TableDef)
        };
        let def = self.load_vmctx(self.code.offsets.table(table));
        self.b
            .ins()
            .load(types::I64, flags, def, displacement(offset as u32))
    }

    /// The number of elements, if the type allows only one.
    fn fixed_size(&self, table: u32) -> Option<u64> {
        let ty = self.table_type(table);
        ty.max.filter(|&max| max == ty.min)
    }

    fn table_len(&mut self, table: u32) -> ir::Value {
        match self.fixed_size(table) {
            Some(len) => self.b.ins().iconst(types::I64, len as i64),
            None => self.load_table_field(table, offset_of!(TableDef, len)),
        }
    }

    /// The address of the element that a popped index names, or a trap.
    pub(super) fn element_address(&mut self, table: u32, trap: Trap) -> ir::Value {
        let index = self.pop_index(self.table_type(table).index64);
        let len = self.table_len(table);
        let outside = self
            .b
            .ins()
            .icmp(IntCC::UnsignedGreaterThanOrEqual, index, len);
        self.b.ins().trapnz(outside, trap_code(trap));
        let elems = self.load_table_field(table, offset_of!(TableDef, elems));
        let slot = self.b.ins().ishl_imm_u(index, 3);
        let address = self.b.ins().iadd(elems, slot);
        // A processor that goes on as if the check had passed reads the first
        // element, or null where there is none.
        self.b.ins().select_spectre_guard(outside, elems, address)
    }

    /// How elements of a table are accessed.
    pub(super) fn element_flags(&mut self, table: u32) -> MemFlagsData {
        let region = match table.checked_sub(self.module.num_imported_tables()) {
            Some(own) => Region::Table(own),
            None => Region::ImportedTable,
        };
        self.flags(region)
    }

    /// `table.get`.
    pub(super) fn table_get(&mut self, table: u32) {
        let address = self.element_address(table, Trap::TableOutOfBounds);
        let flags = self.element_flags(table);
        let element = self.load_slot(self.element_type(table), flags, address, 0);
        self.push(element);
    }

    /// `table.set`.
    pub(super) fn table_set(&mut self, table: u32) {
        let value = self.pop();
        let address = self.element_address(table, Trap::TableOutOfBounds);
        let flags = self.element_flags(table);
        self.store_slot(self.element_type(table), flags, value, address, 0);
    }

    /// `table.size`.
    pub(super) fn table_size(&mut self, table: u32) {
        let len = self.table_len(table);
        self.push_from_64(self.table_type(table).index64, len);
    }

    /// `table.grow`.
    pub(super) fn table_grow(&mut self, table: u32) {
        let index64 = self.table_type(table).index64;
        let delta = self.pop_index(index64);
        let init = self.pop_slot();
        let table = self.immediate(table);
        let old = self.libcall(LibCall::TableGrow, &[table, delta, init]);
        self.push_from_64(index64, old[0]);
    }

    /// `table.fill`.
    pub(super) fn table_fill(&mut self, table: u32) {
        let index64 = self.table_type(table).index64;
        let len = self.pop_index(index64);
        let value = self.pop_slot();
        let dst = self.pop_index(index64);
        let table = self.immediate(table);
        self.libcall(LibCall::TableFill, &[table, dst, value, len]);
    }

    /// `table.copy`.
    pub(super) fn table_copy(&mut self, dst_table: u32, src_table: u32) {
        let dst64 = self.table_type(dst_table).index64;
        let src64 = self.table_type(src_table).index64;
        let len = self.pop_index(dst64 && src64);
        let src = self.pop_index(src64);
        let dst = self.pop_index(dst64);
        let (dst_table, src_table) = (self.immediate(dst_table), self.immediate(src_table));
        self.libcall(LibCall::TableCopy, &[dst_table, src_table, dst, src, len]);
    }

    /// `table.init`.
    pub(super) fn table_init(&mut self, table: u32, segment: u32) {
        let index64 = self.table_type(table).index64;
        let len = self.pop_index(false);
        let src = self.pop_index(false);
        let dst = self.pop_index(index64);
        let (table, segment) = (self.immediate(table), self.immediate(segment));
        self.libcall(LibCall::TableInit, &[table, segment, dst, src, len]);
    }

    /// `elem.drop`.
    pub(super) fn elem_drop(&mut self, segment: u32) {
        let segment = self.immediate(segment);
        self.libcall(LibCall::ElemDrop, &[segment]);
    }

    /// Pops a reference as it stands in a slot.
    pub(super) fn pop_slot(&mut self) -> ir::Value {
        let value = self.pop();
        match self.type_of(value) {
            types::I32 => self.b.ins().uextend(types::I64, value),
            _ => value,
        }
    }
}
