//! Modules: parsed, validated, ready to be instantiated.

use crate::cache::{self, CacheError, ModuleCache, PrecompiledError};
use crate::config::Tier;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::tiers;
use crate::types::{ExportType, ExternType, ImportType};
use rwasm_parser::{FuncIndex, ModuleBytes, ParseOptions};
use rwasm_runtime::code::ModuleCode;
use rwasm_runtime::sys::mmap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

/// A module, shared by all its instances. Cheap to clone.
#[derive(Clone)]
pub struct Module(Arc<Shared>);

struct Shared {
    engine: Engine,
    code: Arc<ModuleCode>,
    /// What it has to do with the engine's cache, if that is of use.
    cached: Option<ModuleCache>,
    /// Functions whose machine code came with the module.
    precompiled: usize,
}

impl Module {
    /// A module from its binary or text form, or as by [`Module::from_precompiled`].
    pub fn new(engine: &Engine, bytes: impl AsRef<[u8]>) -> Result<Module> {
        Self::from_bytes(engine, bytes.as_ref().to_vec().into())
    }

    /// A module from a file in binary or text form.
    ///
    /// Where the engine validates lazily, the file is mapped rather than read,
    /// and must not be cut short or written to as long as the module exists.
    /// Otherwise it is read as a whole: what was found valid once must not
    /// change afterwards, and a guest might be able to write to that file.
    pub fn from_file(engine: &Engine, path: impl AsRef<Path>) -> Result<Module> {
        let path = path.as_ref();
        let map = engine.settings().lazy_validation;
        let bytes = read_file(path, map).map_err(|source| Error::Io {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(engine, bytes, path.to_str())
    }

    /// A module from bytes that need no copy.
    pub fn from_bytes(engine: &Engine, bytes: ModuleBytes) -> Result<Module> {
        Self::parse(engine, bytes, None)
    }

    /// Whether the bytes are a valid module, function bodies included, whatever
    /// the engine's [`Validation`](crate::Validation).
    pub fn validate(engine: &Engine, bytes: impl AsRef<[u8]>) -> Result<()> {
        let options = ParseOptions {
            validate_bodies: true,
            ..engine.parse_options()
        };
        rwasm_parser::Module::parse_any(bytes.as_ref().to_vec().into(), None, &options)?;
        Ok(())
    }

    /// Validates all function bodies, as [`Module::new`] has done already
    /// unless the engine validates lazily.
    pub fn validate_all(&self) -> Result<()> {
        Ok(self.parsed().validate_all()?)
    }

    /// Whether both are clones of one module.
    pub fn same(a: &Module, b: &Module) -> bool {
        Arc::ptr_eq(&a.0, &b.0)
    }

    /// As [`Module::validate_all`], on this thread alone: for a thread beside
    /// the one that runs the guest.
    /// A module that the engine's cache knows to be valid is so.
    pub fn validate_in_order(&self) -> Result<()> {
        let (module, cached) = (self.parsed(), self.0.cached.as_ref());
        if cached.is_some_and(|cached| cached.is_valid(self.code())) {
            return Ok(());
        }
        module.validate_in_order()?;
        if let Some(cached) = cached {
            cached.note_valid(module.bytes());
        }
        Ok(())
    }

    /// Writes to the engine's cache ([`Config::cache`](crate::Config::cache)) what
    /// it does not have yet: the functions that became machine code, and that the
    /// module is valid if [`Module::validate_in_order`] has found that. Call it
    /// after a guest has run. Returns whether there was anything.
    ///
    /// # Errors
    /// If the cache cannot be written. There is nothing that needs to be done
    /// about it.
    pub fn remember(&self) -> Result<bool, CacheError> {
        match &self.0.cached {
            Some(cached) => cached.remember(self.code()),
            None => Ok(false),
        }
    }

    /// Functions that got machine code of an earlier run until now, which happens
    /// when they, or those that it was kept with, are first called; or whose machine
    /// code came with the module.
    pub fn remembered_functions(&self) -> usize {
        let cached = self.0.cached.as_ref();
        cached.map_or(self.0.precompiled, ModuleCache::recalled)
    }

    /// Functions that were called until now and whose lowered bodies an earlier run
    /// left, so that the interpreter need not read theirs.
    pub fn remembered_bodies(&self) -> usize {
        self.0
            .cached
            .as_ref()
            .map_or(0, ModuleCache::recalled_bodies)
    }

    /// The module with its machine code, for [`Module::from_precompiled`]: all of
    /// it if the engine's tier is [`Tier::Jit`](crate::Tier::Jit), otherwise what
    /// there is by now.
    pub fn precompiled(&self) -> Vec<u8> {
        cache::write_precompiled(self.code())
    }

    /// A module with machine code, as [`Module::precompiled`] gave it.
    ///
    /// # Errors
    /// An [`Error::Precompiled`](crate::Error::Precompiled) if another build of
    /// this crate made it, for another machine, for an engine with other settings,
    /// or if it is damaged; or if the engine does not allow it
    /// ([`Config::allow_precompiled`](crate::Config::allow_precompiled)).
    pub fn from_precompiled(engine: &Engine, bytes: Vec<u8>) -> Result<Module> {
        if !engine.config().allow_precompiled {
            return Err(PrecompiledError::NotAllowed.into());
        }
        let file = cache::read_precompiled(bytes)?;
        let code = Self::code_of(engine, file.module(), None)?;
        let precompiled = match engine.config().tier {
            Tier::Interp => 0,
            Tier::Jit | Tier::Auto => file.install(&code)?,
        };
        Ok(Module(Arc::new(Shared {
            engine: engine.clone(),
            code,
            cached: None,
            precompiled,
        })))
    }

    /// The engine that it was made with.
    pub fn engine(&self) -> &Engine {
        &self.0.engine
    }

    /// Its name, if its name section has one.
    pub fn name(&self) -> Option<&str> {
        self.parsed().names().module()
    }

    /// What it imports, in order.
    pub fn imports(&self) -> impl ExactSizeIterator<Item = ImportType<'_>> {
        self.parsed().imports().iter().map(|import| ImportType {
            module: &import.module,
            name: &import.name,
            ty: self.extern_type(import.ty),
        })
    }

    /// What it exports, in order.
    pub fn exports(&self) -> impl ExactSizeIterator<Item = ExportType<'_>> {
        self.parsed().exports().iter().map(|export| ExportType {
            name: &export.name,
            ty: self.export_type(export),
        })
    }

    /// The type of an export.
    pub fn get_export(&self, name: &str) -> Option<ExternType> {
        let export = self
            .parsed()
            .exports()
            .iter()
            .find(|export| &*export.name == name)?;
        Some(self.export_type(export))
    }

    /// The decoded module, for who wants to look into it.
    pub fn parsed(&self) -> &rwasm_parser::Module {
        &self.code().module
    }

    /// What the interpreter makes of a function, as text for people; `None` if
    /// the module defines no function of this index. Nothing is run.
    ///
    /// # Errors
    /// If the body is not valid, or beyond what the interpreter can run.
    pub fn interp_code(&self, func: FuncIndex) -> Result<Option<String>> {
        let local = self.parsed().local_func_index(func);
        let Some(func) = local.filter(|func| func.index() < self.parsed().bodies().len()) else {
            return Ok(None);
        };
        rwasm_interp::print_function(self.code(), func)
            .map(Some)
            .map_err(|error| Error::from_pending(error.into()))
    }

    /// What its instances share.
    pub(crate) fn code(&self) -> &Arc<ModuleCode> {
        &self.0.code
    }

    fn parse(engine: &Engine, bytes: ModuleBytes, name: Option<&str>) -> Result<Module> {
        if cache::is_precompiled(&bytes) {
            // A copy, since it may be mapped: what is checked must stay.
            return Self::from_precompiled(engine, bytes.to_vec());
        }
        let code = Self::code_of(engine, bytes, name)?;
        tiers::prepare(engine, &code)?;
        let config = engine.config();
        let cache = config.cache.as_ref().filter(|_| tiers::tiers_up(config));
        let cached = cache.map(|cache| ModuleCache::recall(cache, &code));
        Ok(Module(Arc::new(Shared {
            engine: engine.clone(),
            code,
            cached,
            precompiled: 0,
        })))
    }

    fn code_of(engine: &Engine, bytes: ModuleBytes, name: Option<&str>) -> Result<Arc<ModuleCode>> {
        let module = rwasm_parser::Module::parse_any(bytes, name, &engine.parse_options())?;
        Ok(ModuleCode::new(
            Arc::new(module),
            engine.registry().clone(),
            engine.settings(),
            tiers::entries(engine.config()),
            tiers::policy(engine),
        ))
    }

    fn export_type(&self, export: &rwasm_parser::Export) -> ExternType {
        let ty = self.parsed().export_type(export);
        self.extern_type(ty.expect("validated: the export exists"))
    }

    fn extern_type(&self, ty: rwasm_parser::ExternType) -> ExternType {
        let ids = &self.code().type_ids;
        ExternType::from_raw(ty.map(|index| ids[index.index()]), self.engine())
    }
}

impl std::fmt::Debug for Module {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Module")
            .field("name", &self.name())
            .finish_non_exhaustive()
    }
}

/// The most that is read from what is no regular file, and so may never end.
const MAX_STREAM: u64 = 1 << 30;

/// The bytes of a file, mapped if that is asked for and possible.
fn read_file(path: &Path, map: bool) -> io::Result<ModuleBytes> {
    let mut file = File::open(path)?;
    let mut bytes = Vec::new();
    if !file.metadata()?.is_file() {
        file.take(MAX_STREAM + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAX_STREAM {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
    } else {
        // An empty file cannot be mapped, for one.
        // SAFETY: as `Module::from_file` asks of its caller.
        if let Some(map) = map.then(|| unsafe { mmap::map_file(&file) }.ok()).flatten() {
            return Ok(ModuleBytes::new(map));
        }
        file.read_to_end(&mut bytes)?;
    }
    Ok(bytes.into())
}
