//! What an instance has become, for other stores to begin with.
//!
//! References to functions are addresses, so they are kept by index. Objects and
//! values of the host belong to one store, and cannot be part of it.

use super::suspend::{Link, StackImage};
use super::{MemoryImages, ResetError, Store};
use crate::gc::layout::is_object_ref;
use crate::handle::InstanceHandle;
use crate::instance::{SegmentStates, func_ref};
use crate::layout::{FuncRef, VmCtx};
use crate::reference::i31_from_slot;
use crate::types::TypeId;
use rwasm_parser::{FuncIndex, RefType, ValType};
use std::sync::Arc;

/// The state of the only instance of a store, whose definitions are all its own
/// but for functions.
#[derive(Clone, Debug)]
pub struct Snapshot(Arc<State>);

#[derive(Debug)]
struct State {
    memories: MemoryImages,
    tables: Box<[Box<[Value]>]>,
    globals: Box<[Value]>,
    segments: SegmentStates,
    /// If its guest is suspended.
    stack: Option<StackImage>,
}

/// A value that any store can have.
#[derive(Clone, Copy, Debug)]
enum Value {
    Bits([u64; 2]),
    Func(FuncIndex),
}

impl Snapshot {
    /// What the memories hold.
    pub fn memories(&self) -> &MemoryImages {
        &self.0.memories
    }
}

impl Store {
    /// The state of an instance between two calls, or in the middle of one that is
    /// suspended. `links` are all addresses in the headers of its frames.
    ///
    /// # Errors
    /// If a call runs, if the store has other definitions than the instance's, or if there are
    /// objects, values of the host, or references to functions that the instance
    /// neither has nor imports; in a suspended stack, any reference to a function.
    pub fn snapshot(
        &mut self,
        instance: InstanceHandle,
        links: &[(usize, Link)],
    ) -> Result<Snapshot, ResetError> {
        if !self.ctx.segment.is_null() {
            return Err(ResetError::Running);
        }
        self.check_only(instance)?;
        self.collect_garbage();
        if self.host_refs.len() > 0 {
            return Err(ResetError::HostValues);
        }
        if self.heap.used > 0 {
            return Err(ResetError::Objects);
        }
        let (vmctx, segments) = {
            let instance = self.get(instance);
            (instance.vmctx(), instance.segments())
        };
        // SAFETY: arenas hold live definitions, which `&mut self` makes ours alone,
        // and the instance is live.
        unsafe {
            let tables = self.tables.iter().map(|table| {
                let ty = ValType::Ref((*table).ty().element);
                let elements = (*table).elements().iter();
                let values = elements.map(|&element| self.portable(vmctx, &ty, [element, 0]));
                values.collect()
            });
            let globals = self.globals.iter().map(|global| {
                let ty = (*global).ty().content;
                self.portable(vmctx, &ty, (*global).value())
            });
            Ok(Snapshot(Arc::new(State {
                memories: self.memory_images(),
                tables: tables.collect::<Result<_, _>>()?,
                globals: globals.collect::<Result<_, _>>()?,
                segments: segments.without_values(),
                stack: self.portable_stack(vmctx, links)?,
            })))
        }
    }

    /// Gives a new instance the state of another one of the same module, but for
    /// its memories, which [`Store::baseline`] brings.
    ///
    /// # Safety
    /// The snapshot is of an instance of the same module.
    pub unsafe fn take_up(
        &mut self,
        instance: InstanceHandle,
        snapshot: &Snapshot,
    ) -> Result<(), ResetError> {
        self.check_only(instance)?;
        let state = &*snapshot.0;
        let vmctx = self.get(instance).vmctx();
        // SAFETY: arenas hold live definitions, which `&mut self` makes ours alone.
        // They are the instance's own, in the module's order, so that values are of
        // their types; functions are those of the instance.
        unsafe {
            let value = |value: &Value| match *value {
                Value::Bits(bits) => bits,
                Value::Func(func) => [func_ref(vmctx, func) as u64, 0],
            };
            for (global, now) in self.globals.iter().zip(&state.globals) {
                (*global).def.value = value(now);
            }
            for (table, now) in self.tables.iter().zip(&state.tables) {
                let elements: Vec<_> = now.iter().map(|now| value(now)[0]).collect();
                (*table).reset(&elements)?;
            }
            (*instance.as_ptr()).drop_segments(&state.segments);
            if let Some(stack) = &state.stack {
                self.take_up_stack(instance, stack)?;
            }
        }
        Ok(())
    }

    /// Whether the store has this instance and its definitions, and no others but
    /// functions.
    fn check_only(&self, instance: InstanceHandle) -> Result<(), ResetError> {
        let module = &self.get(instance).code().module;
        let own = [
            (self.instances.len(), 1),
            (self.memories.len(), module.memories().len()),
            (self.tables.len(), module.tables().len()),
            (self.globals.len(), module.globals().len()),
            (self.tags.len(), module.tags().len()),
        ];
        if !self.shared_memories.is_empty() {
            return Err(ResetError::Shared);
        }
        match own.iter().all(|(found, expected)| found == expected) {
            true => Ok(()),
            false => Err(ResetError::Reshaped),
        }
    }

    /// A value of that type, as any store can have it.
    ///
    /// # Safety
    /// The value is of the type and of this store, and the instance live.
    unsafe fn portable(
        &self,
        vmctx: *mut VmCtx,
        ty: &ValType<TypeId>,
        value: [u64; 2],
    ) -> Result<Value, ResetError> {
        let is_func = |ty| self.registry.is_func(ty);
        match ty {
            ValType::Ref(RefType { .. }) if value[0] == 0 => Ok(Value::Bits(value)),
            // Objects there are none, and no values of the host.
            ty if is_object_ref(ty, is_func) => {
                debug_assert!(i31_from_slot(value[0]).is_some());
                Ok(Value::Bits(value))
            }
            ValType::Ref(_) => {
                let func = value[0] as *const FuncRef;
                // SAFETY: as the caller promises.
                let func = unsafe { self.index_of(vmctx, func) };
                func.map(Value::Func).ok_or(ResetError::ForeignFunction)
            }
            _ => Ok(Value::Bits(value)),
        }
    }

    /// The index that a function has in an instance.
    ///
    /// # Safety
    /// The instance is live and of this store.
    unsafe fn index_of(&self, vmctx: *mut VmCtx, func: *const FuncRef) -> Option<FuncIndex> {
        // SAFETY: as the caller promises.
        unsafe {
            let instance = &*crate::instance::instance_of(vmctx);
            let module = &instance.code().module;
            if let Some(own) = instance.own_func(func) {
                return Some(module.func_index(own));
            }
            let mut imported = (0..module.num_imported_functions()).map(FuncIndex::from_u32);
            imported.find(|&index| func_ref(vmctx, index) == func)
        }
    }
}
