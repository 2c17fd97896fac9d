//! The cache of machine code: where it is, and `rwasm cache`.

use std::env;
use std::path::PathBuf;

use directories::ProjectDirs;
use rwasm::Cache;

use crate::args::{CacheAction, CacheArgs, CacheFolder};
use crate::failure::{Failure, Result};
use crate::{exit, output};

/// The variable that names its folder.
const VARIABLE: &str = "RWASM_CACHE_DIR";

/// The cache that is to be used, if there is a place for one.
pub fn of(folder: &CacheFolder) -> Option<Cache> {
    let from_environment = || {
        let value = env::var_os(VARIABLE).filter(|value| !value.is_empty())?;
        Some(PathBuf::from(value))
    };
    let named = folder.cache_dir.clone().or_else(from_environment);
    named.or_else(usual_folder).map(Cache::new)
}

/// Where caches of this user are. Who has no home has none: to ask the system's
/// databases of users for one is not for a program that is linked statically.
fn usual_folder() -> Option<PathBuf> {
    let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    if !is_set("HOME") {
        return None;
    }
    Some(ProjectDirs::from("", "", "rwasm")?.cache_dir().to_owned())
}

/// Shows or empties the cache.
pub fn cache(args: &CacheArgs) -> Result<u8> {
    let cache = of(&args.cache).ok_or_else(|| {
        let message = format!("there is no place for a cache: neither {VARIABLE} nor HOME is set");
        Failure::new(exit::FAILED, message)
    })?;
    let folder = cache.folder().display();
    let told = match args.action {
        CacheAction::Info => cache
            .info()
            .map(|info| format!("{folder}\n{} entries, {} bytes\n", info.entries, info.bytes)),
        CacheAction::Clear => cache.clear().map(|info| {
            format!(
                "{folder}\nremoved {} entries, {} bytes\n",
                info.entries, info.bytes
            )
        }),
    };
    let told = told.map_err(|error| Failure::new(exit::FAILED, error.to_string()))?;
    output::print(&told)?;
    Ok(0)
}
