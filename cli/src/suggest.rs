//! "Did you mean": the known name that a wrong one is nearest to.

/// The nearest of `known` to `name`, if it is near enough to be a slip.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Names come out of modules; a long one is no slip and costs n².
    const LONGEST: usize = 256;
    if name.len() > LONGEST {
        return None;
    }
    known
        .into_iter()
        .filter(|known| known.len() <= LONGEST)
        .map(|known| (strsim::damerau_levenshtein(name, known), known))
        .filter(|&(distance, _)| distance <= name.chars().count().div_ceil(3))
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_only() {
        let known = ["run", "validate", "wast", "explore"];
        for (name, expected) in [
            ("rnu", Some("run")),
            ("validat", Some("validate")),
            ("expolre", Some("explore")),
            ("app.wasm", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, known), expected, "{name}");
        }
    }
}
