//! What this build does not cover yet: the only way a directive is skipped.

/// Scripts with directives that this build cannot run yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// A script, or a folder with a slash at the end, inside the test suite.
    pub path: &'static str,
    /// How many of its directives are skipped.
    pub directives: usize,
    /// How the scripts are run nevertheless.
    pub how: How,
    /// Why.
    pub reason: &'static str,
}

/// What is done with scripts that a [`Gap`] lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// They are run. A directive is skipped if the engine says that it does not
    /// support something yet. Later directives of the script that fail may be a
    /// consequence, and are skipped too.
    Run,
    /// They are read and counted, no more.
    Count,
}

impl Gap {
    /// Whether this row is about the script at `path`, which may lead to the
    /// test suite from anywhere.
    pub fn covers(&self, path: &str) -> bool {
        let begins = |at: usize| at == 0 || path[..at].ends_with('/');
        let ends = |at: usize| self.path.ends_with('/') || at == path.len();
        path.match_indices(self.path)
            .any(|(at, found)| begins(at) && ends(at + found.len()))
    }
}

/// The row about a script, if there is one.
pub(crate) fn gap_of<'a>(gaps: &'a [Gap], path: &str) -> Option<&'a Gap> {
    gaps.iter().find(|gap| gap.covers(path))
}

/// Everything that is not covered yet.
pub const GAPS: &[Gap] = &[Gap {
    path: "proposals/stack-switching/",
    directives: 161,
    how: How::Count,
    reason: "a proposal beyond version 3.0 that this runtime does not accept",
}];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_cover_folders_and_scripts() {
        let gap = |path| Gap {
            path,
            directives: 1,
            how: How::Run,
            reason: "",
        };
        let cases = [
            ("core/gc/", "core/gc/struct.wast", true),
            ("core/gc/", "../testsuite/core/gc/struct.wast", true),
            ("core/gc/", "core/gc.wast", false),
            ("core/gc/", "core/gcc/x.wast", false),
            ("core/gc/", "score/gc/x.wast", false),
            ("core/i32.wast", "core/i32.wast", true),
            ("core/i32.wast", "/suite/core/i32.wast", true),
            ("core/i32.wast", "core/i32.wast2", false),
            ("core/i32.wast", "core/i32.wast/core/i32.wast", true),
            ("core/i32.wast", "i32.wast", false),
        ];
        for (row, path, expected) in cases {
            assert_eq!(gap(row).covers(path), expected, "{row} {path}");
        }
    }

    #[test]
    fn every_row_gives_a_reason_and_a_count_and_none_hides_another() {
        for (at, gap) in GAPS.iter().enumerate() {
            assert!(!gap.reason.is_empty() && gap.directives > 0, "{gap:?}");
            let others = GAPS.iter().enumerate().filter(|(other, _)| *other != at);
            for (_, other) in others {
                assert!(!gap.covers(other.path), "{gap:?} hides {other:?}");
            }
        }
    }
}
