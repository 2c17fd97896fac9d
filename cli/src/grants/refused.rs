//! `-v`: the paths that a guest was refused, and the flags that would grant
//! them.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use rwasm_wasi::{Refusal, RefusalReason};

use crate::args::DirGrant;
use crate::output;

/// Refusals that are told. A guest can ask in a loop.
const MOST: u32 = 20;

/// What was granted, to tell what was not.
pub struct Refused {
    granted: Vec<DirGrant>,
    told: AtomicU32,
}

impl Refused {
    /// For a guest that was granted these folders.
    pub fn new(granted: &[DirGrant]) -> Refused {
        Refused {
            granted: granted.to_vec(),
            told: AtomicU32::new(0),
        }
    }

    /// Tells of one refusal, unless there were too many.
    pub fn tell(&self, refusal: &Refusal<'_>) {
        let told = self.told.fetch_add(1, Ordering::Relaxed);
        if told < MOST {
            output::note(&self.sentence(refusal));
        } else if told == MOST {
            output::note("the guest was refused more paths, which are not told");
        }
    }

    fn sentence(&self, refusal: &Refusal<'_>) -> String {
        let path = refusal.path.display();
        // Of two folders with one name, the guest most likely means the first.
        let grant = refusal.directory.and_then(|name| {
            let mut granted = self.granted.iter();
            granted.find(|grant| grant.guest == name)
        });
        let place = match refusal.directory {
            Some(name) => format!("in {}", Path::new(name).display()),
            None => "in a folder that it opened".to_owned(),
        };
        match refusal.reason {
            RefusalReason::ReadOnly => {
                let flag = match grant {
                    Some(grant) => format!("--dir {} without `:ro`", names(grant)),
                    None => "--dir without `:ro`".to_owned(),
                };
                format!("the guest may not change {path} {place}; {flag} would allow it")
            }
            _ => {
                let outside = outside(refusal.path, grant.map(|grant| grant.host.as_path()));
                let flag = match outside {
                    Some(folder) => format!("--dir {} would grant it", folder.display()),
                    None => "--dir with the folder that it leads to would grant it".to_owned(),
                };
                format!("the guest was refused {path} {place}, which leads outside; {flag}")
            }
        }
    }
}

/// The folder of the host in which the path of the guest lies, if its text
/// tells: a path can also lead out through a symbolic link.
fn outside(path: &Path, host: Option<&Path>) -> Option<PathBuf> {
    let folder = match host {
        Some(host) => normal(&std::path::absolute(host).ok()?),
        None if path.is_absolute() => PathBuf::new(),
        None => return None,
    };
    let full = normal(&folder.join(path));
    if host.is_some() && full.starts_with(&folder) {
        return None;
    }
    Some(full.parent().unwrap_or(&full).to_owned())
}

/// Without `.` and `..`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                normal.pop();
            }
            Component::CurDir => {}
            component => normal.push(component),
        }
    }
    normal
}

/// The value of the flag, without what it allows.
fn names(grant: &DirGrant) -> String {
    let host = grant.host.display();
    if grant.host.as_os_str() == grant.guest {
        return host.to_string();
    }
    format!("{host}::{}", Path::new(OsStr::new(&grant.guest)).display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_outside_is_found_by_the_text() {
        for (path, host, expected) in [
            ("../secret/file", Some("/data/in"), Some("/data/secret")),
            ("a/../../file", Some("/data/in"), Some("/data")),
            ("../..", Some("/data/in/deep"), Some("/")),
            ("../../../..", Some("/data"), Some("/")),
            ("/etc/passwd", Some("/data"), Some("/etc")),
            ("/etc/passwd", None, Some("/etc")),
            ("link/file", Some("/data"), None),
            ("../file", None, None),
        ] {
            let found = outside(Path::new(path), host.map(Path::new));
            assert_eq!(found.as_deref(), expected.map(Path::new), "{path}");
        }
    }
}
