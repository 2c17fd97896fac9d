//! Where a guest was when it trapped.

mod demangle;
mod source;

pub use demangle::demangle;
pub use source::SourceLocation;

use rwasm_parser::{FuncIndex, Module};
use rwasm_runtime::error::Backtrace as RawBacktrace;
use source::SourceLines;
use std::fmt;
use std::sync::Arc;

/// The guest's functions that were running, innermost first.
///
/// Its text names them, and says where in the sources they were if their module
/// has DWARF. That is read each time when it is asked for, and never before.
#[derive(Clone, Debug, Default)]
pub struct WasmBacktrace {
    frames: Vec<Frame>,
}

impl WasmBacktrace {
    /// The frames, innermost first. It may be empty.
    pub fn frames(&self) -> &[Frame] {
        &self.frames
    }

    /// For each of the [`frames`](Self::frames) its place in the sources, as far
    /// as the module has DWARF in sections of its own and that is well-formed.
    /// Where the guest's compiler inlined a function, it is the place in that.
    ///
    /// A module's DWARF is read when its first frame is reached.
    pub fn source_locations(&self) -> impl Iterator<Item = Option<SourceLocation>> {
        let mut lines = SourceLines::default();
        let frames = self.frames.iter();
        frames.map(move |frame| lines.find(&frame.module, frame.offset?))
    }

    pub(crate) fn from_raw(raw: RawBacktrace) -> Self {
        let frames = raw.frames.iter().map(|frame| Frame {
            module: frame.module.module.clone(),
            func: frame.func,
            offset: frame.offset,
        });
        WasmBacktrace {
            frames: frames.collect(),
        }
    }
}

impl fmt::Display for WasmBacktrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (frame, location)) in self.frames.iter().zip(self.source_locations()).enumerate() {
            writeln!(f, "{i:4}: {frame}")?;
            if let Some(location) = location {
                writeln!(f, "      at {location}")?;
            }
        }
        Ok(())
    }
}

/// One running function of a guest.
#[derive(Clone)]
pub struct Frame {
    module: Arc<Module>,
    func: FuncIndex,
    offset: Option<u32>,
}

impl Frame {
    /// The module's name, if it has one.
    pub fn module_name(&self) -> Option<&str> {
        self.module.names().module()
    }

    /// The function's name, if the module has it, as the module has it: see
    /// [`demangle`].
    pub fn func_name(&self) -> Option<&str> {
        self.module.names().function(self.func)
    }

    /// The function's index in its module.
    pub fn func_index(&self) -> u32 {
        self.func.as_u32()
    }

    /// Byte offset of the instruction in the module, if it is known.
    pub fn offset(&self) -> Option<u32> {
        self.offset
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(module) = self.module_name() {
            write!(f, "{module}!")?;
        }
        match self.func_name() {
            Some(name) => f.write_str(&demangle(name))?,
            None => write!(f, "<wasm function {}>", self.func_index())?,
        }
        match self.offset {
            Some(offset) => write!(f, " @ {offset:#x}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frame({self})")
    }
}
