//! Where a guest was when it trapped.

use rwasm_runtime::error::Backtrace as RawBacktrace;
use std::fmt;

/// The guest's functions that were running, innermost first.
#[derive(Clone, Debug, Default)]
pub struct WasmBacktrace {
    frames: Vec<Frame>,
}

impl WasmBacktrace {
    /// The frames, innermost first. It may be empty.
    pub fn frames(&self) -> &[Frame] {
        &self.frames
    }
}

impl WasmBacktrace {
    pub(crate) fn from_raw(raw: RawBacktrace) -> Self {
        let frames = raw.frames.iter().map(|frame| {
            let names = frame.module.module.names();
            Frame {
                module: names.module().map(str::to_owned),
                func: names.function(frame.func).map(str::to_owned),
                index: frame.func.as_u32(),
                offset: frame.offset,
            }
        });
        WasmBacktrace {
            frames: frames.collect(),
        }
    }
}

impl fmt::Display for WasmBacktrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, frame) in self.frames.iter().enumerate() {
            writeln!(f, "{i:4}: {frame}")?;
        }
        Ok(())
    }
}

/// One running function of a guest.
#[derive(Clone, Debug)]
pub struct Frame {
    module: Option<String>,
    func: Option<String>,
    index: u32,
    offset: Option<u32>,
}

impl Frame {
    /// The module's name, if it has one.
    pub fn module_name(&self) -> Option<&str> {
        self.module.as_deref()
    }

    /// The function's name, if the module has it.
    pub fn func_name(&self) -> Option<&str> {
        self.func.as_deref()
    }

    /// The function's index in its module.
    pub fn func_index(&self) -> u32 {
        self.index
    }

    /// Byte offset of the instruction in the module, if it is known.
    pub fn offset(&self) -> Option<u32> {
        self.offset
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(module) = &self.module {
            write!(f, "{module}!")?;
        }
        match &self.func {
            Some(name) => f.write_str(name)?,
            None => write!(f, "<wasm function {}>", self.index)?,
        }
        match self.offset {
            Some(offset) => write!(f, " @ {offset:#x}"),
            None => Ok(()),
        }
    }
}
