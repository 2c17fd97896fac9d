//! Where the chores find and leave their files.

use std::{
    env,
    path::{Path, PathBuf},
};

/// The folders that chores work in.
pub struct Paths {
    /// The root of the repository.
    pub root: PathBuf,
    /// cargo's folder of build results.
    pub target: PathBuf,
    /// What takes long to get: downloads, toolchains, programs built from
    /// packages. Never committed, and good across builds.
    pub cache: PathBuf,
}

impl Paths {
    /// The folders of the repository that this program was compiled in.
    pub fn new() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .map(Path::to_owned);
        let root = root.expect("the package stands in a folder of the repository");
        let folder = |variable, default: PathBuf| match env::var_os(variable) {
            Some(path) => std::path::absolute(path).unwrap_or(default),
            None => default,
        };
        let target = folder("CARGO_TARGET_DIR", root.join("target"));
        let cache = folder("RWASM_GUEST_CACHE", target.join("real-programs"));
        Self {
            root,
            target,
            cache,
        }
    }

    /// Where built guests are put.
    pub fn guests(&self) -> PathBuf {
        self.target.join("guests")
    }

    /// cargo's folder while it builds guests, apart from the one for the host:
    /// there another cargo may be waiting for the chore to end.
    pub fn guest_build(&self) -> PathBuf {
        self.target.join("guests-build")
    }
}
