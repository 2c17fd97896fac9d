//! Kinds of shared memories, and guests that share one.

use rwasm::{Engine, Instance, Linker, MemoryType, Module, SharedMemory, Store};
use std::sync::Barrier;
use std::thread;

/// A kind of shared memory, as code sees it.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    pub guarded: Option<bool>,
    pub index: &'static str,
}

/// Guarded where that is possible; checked; with 64-bit addresses.
pub const KINDS: [Kind; 3] = [
    Kind {
        guarded: None,
        index: "i32",
    },
    Kind {
        guarded: Some(false),
        index: "i32",
    },
    Kind {
        guarded: None,
        index: "i64",
    },
];

/// Most pages of the memories below.
pub const MAX: u64 = 64;

impl Kind {
    pub fn engine(self, interruption: bool) -> Engine {
        let mut config = crate::common::config();
        config.threads(true).guarded_memories(self.guarded);
        Engine::new(config.interruption(interruption)).unwrap()
    }

    pub fn memory(self, engine: &Engine) -> SharedMemory {
        let ty = MemoryType::new(1, Some(MAX)).shared();
        let ty = if self.index == "i64" {
            ty.memory64()
        } else {
            ty
        };
        SharedMemory::new(engine, ty).unwrap()
    }

    /// A module with these functions over an imported memory. `ix` in them
    /// stands for the type of addresses.
    pub fn module(self, engine: &Engine, functions: &str) -> Module {
        let index = self.index;
        let wat = format!(
            r#"(module
                (import "host" "memory" (memory {index} 1 {MAX} shared))
                {functions})"#
        );
        Module::new(engine, wat.replace("ix.", &format!("{index}."))).unwrap()
    }
}

/// An instance with that memory, in a store of its own.
pub fn instantiate(module: &Module, memory: &SharedMemory) -> (Store<()>, Instance) {
    let mut store = Store::new(module.engine(), ());
    let mut linker = Linker::new(module.engine());
    linker
        .define_shared_memory("host", "memory", memory)
        .unwrap();
    let instance = linker.instantiate(&mut store, module).unwrap();
    (store, instance)
}

/// Runs `work` with the numbers below `count` at the same time, each with an
/// instance of its own.
pub fn on_threads(
    count: i32,
    module: &Module,
    memory: &SharedMemory,
    work: impl Fn(i32, &mut Store<()>, Instance) + Sync,
) {
    let start = Barrier::new(count as usize);
    thread::scope(|threads| {
        for nth in 0..count {
            let (start, work) = (&start, &work);
            threads.spawn(move || {
                let (mut store, instance) = instantiate(module, memory);
                start.wait();
                work(nth, &mut store, instance);
            });
        }
    });
}

/// The word at that address.
pub fn word(memory: &SharedMemory, at: usize) -> u64 {
    let mut bytes = [0; 8];
    memory.read(at, &mut bytes).unwrap();
    u64::from_le_bytes(bytes)
}
