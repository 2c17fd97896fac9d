//! Which program a request is for.

use crate::cgi::Cgi;
use crate::error::ServeError;
use percent_encoding::percent_decode_str;
use std::borrow::Cow;

/// The programs by their paths.
#[derive(Debug)]
pub(crate) struct Router {
    /// Longer paths before shorter ones. Without the slash at the end, so that
    /// the path `/` is empty.
    mounts: Vec<(Box<[u8]>, Cgi)>,
}

/// A request's target, as the program at `script` sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target<'a> {
    /// The path of the mount.
    pub(crate) script: &'a [u8],
    /// What follows it, decoded.
    pub(crate) rest: &'a [u8],
    pub(crate) query: &'a str,
    /// Path and query, as they came.
    pub(crate) uri: &'a str,
}

/// A path as it was meant; `None` if no program could be told: it is not
/// absolute, or has a NUL.
pub(crate) fn decode(path: &str) -> Option<Cow<'_, [u8]>> {
    let decoded: Cow<'_, [u8]> = percent_decode_str(path).into();
    (decoded.starts_with(b"/") && !decoded.contains(&0)).then_some(decoded)
}

impl Router {
    /// Of programs and the paths that they were given.
    pub(crate) fn new(programs: Vec<(String, Cgi)>) -> Result<Router, ServeError> {
        let mut mounts: Vec<(Box<[u8]>, Cgi)> = Vec::new();
        for (path, cgi) in programs {
            let key = check(&path).ok_or_else(|| ServeError::MountPath(path.clone()))?;
            if mounts.iter().any(|(other, _)| **other == *key.as_bytes()) {
                return Err(ServeError::MountTwice(path));
            }
            mounts.push((key.as_bytes().into(), cgi));
        }
        mounts.sort_by_key(|(path, _)| std::cmp::Reverse(path.len()));
        Ok(Router { mounts })
    }

    /// All programs.
    pub(crate) fn programs(&self) -> impl Iterator<Item = &Cgi> {
        self.mounts.iter().map(|(_, cgi)| cgi)
    }

    /// The program for a decoded path, with the path's two parts.
    pub(crate) fn find<'a>(&'a self, path: &'a [u8]) -> Option<(&'a Cgi, &'a [u8], &'a [u8])> {
        self.mounts.iter().find_map(|(mount, cgi)| {
            let rest = path.strip_prefix(&**mount)?;
            let whole = rest.is_empty() || rest[0] == b'/';
            whole.then_some((cgi, &**mount, rest))
        })
    }
}

/// The path of a mount without the slash at its end, if it is one.
fn check(path: &str) -> Option<&str> {
    let key = path.strip_suffix('/').unwrap_or(path);
    let fine = path.starts_with('/')
        && !key.contains("//")
        && !key.ends_with('/')
        && !path.contains(['%', '?', '#'])
        && !path.chars().any(char::is_control)
        && key.split('/').all(|part| part != "." && part != "..");
    fine.then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_mounts() {
        for (path, key) in [
            ("/", Some("")),
            ("/a", Some("/a")),
            ("/a/", Some("/a")),
            ("/a/b c", Some("/a/b c")),
            ("", None),
            ("a", None),
            ("//", None),
            ("/a//b", None),
            ("/a?b", None),
            ("/a%20b", None),
            ("/a/../b", None),
        ] {
            assert_eq!(check(path), key, "{path}");
        }
    }

    #[test]
    fn paths_are_decoded_once() {
        assert_eq!(decode("/a%2520b").as_deref(), Some(&b"/a%20b"[..]));
        assert_eq!(decode("/%ff").as_deref(), Some(&b"/\xff"[..]));
        assert_eq!(decode("/%zz").as_deref(), Some(&b"/%zz"[..]));
        assert_eq!(decode("*"), None);
        assert_eq!(decode("/%00"), None);
    }
}
