//! Names of functions as their sources have them.

use cpp_demangle::{DemangleOptions, Symbol};
use std::borrow::Cow;
use std::fmt::{self, Write};

/// Bytes that a demangled name may have. A mangled one can repeat parts of
/// itself, so that a short one would become one of gigabytes.
const MAX_NAME: usize = 4096;

/// A function's name as its source has it, if it is a mangled one of Rust or C++;
/// otherwise the name itself. Very long ones are left as they are.
pub fn demangle(name: &str) -> Cow<'_, str> {
    if name.len() > MAX_NAME {
        return name.into();
    }
    if let Ok(symbol) = rustc_demangle::try_demangle(name) {
        let mut text = Bounded(String::new());
        return match write!(text, "{symbol:#}") {
            Ok(()) => text.0.into(),
            Err(_) => name.into(),
        };
    }
    if name.starts_with("_Z")
        && let Ok(symbol) = Symbol::new(name)
    {
        let mut text = Bounded(String::new());
        if symbol
            .structured_demangle(&mut text, &DemangleOptions::default())
            .is_ok()
        {
            return text.0.into();
        }
    }
    name.into()
}

/// A string of at most [`MAX_NAME`] bytes: to write more is an error.
struct Bounded(String);

impl Write for Bounded {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        if self.0.len() + part.len() > MAX_NAME {
            return Err(fmt::Error);
        }
        self.0.push_str(part);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (mangled, name) in [
            ("main", "main"),
            ("_ZN3app5inner17h0123456789abcdefE", "app::inner"),
            ("_RNvC6_123foo3bar", "123foo::bar"),
            ("_ZN3geo6Circle4areaEv", "geo::Circle::area()"),
            (
                "_ZNKSt6vectorIiSaIiEE2atEm",
                "std::vector<int, std::allocator<int> >::at(unsigned long) const",
            ),
            ("_Z9x", "_Z9x"),
            ("_Z", "_Z"),
        ] {
            assert_eq!(demangle(mangled), name);
        }
    }

    /// Each parameter is a pair of the one before, twice: 2^40 names in all.
    #[test]
    fn names_that_grow_without_bounds_stay_as_they_are() {
        let mut name = "_Z1f4pairIiiE".to_owned();
        name.push_str("S_IS0_S0_E");
        for digit in "123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ".chars() {
            name.push_str(&format!("S_IS{digit}_S{digit}_E"));
        }
        assert_eq!(demangle(&name), name);
        let long = format!("_Z{}", "1f".repeat(MAX_NAME));
        assert_eq!(demangle(&long), long);
        let nested = format!("_Z1f{}i", "P".repeat(3000));
        assert_eq!(demangle(&nested), nested);
    }
}
