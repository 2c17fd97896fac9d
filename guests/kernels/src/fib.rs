//! Fibonacci by naive recursion: nothing but calls, compares and additions.

/// The `n`th Fibonacci number, modulo 2³².
#[inline(never)]
pub fn run(n: i32) -> i32 {
    if n < 2 {
        return n;
    }
    run(n - 1).wrapping_add(run(n - 2))
}

#[cfg(test)]
mod tests {
    #[test]
    fn known_values() {
        for (n, expected) in [(0, 0), (1, 1), (2, 1), (10, 55), (25, 75_025)] {
            assert_eq!(super::run(n), expected, "fib({n})");
        }
    }
}
