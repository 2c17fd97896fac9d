//! The sieve of Eratosthenes: byte stores with a varying stride.

const LIMIT: usize = 1 << 16;

/// Counts the primes below 65,536, `rounds` times, and adds up the counts.
pub fn run(rounds: i32) -> i32 {
    let mut composite = [false; LIMIT];
    let mut checksum = 0i32;
    for round in 0..rounds {
        // An end that moves keeps a compiler from doing the work once only.
        let limit = LIMIT - (round as usize & 63);
        checksum = checksum.wrapping_add(count_primes(&mut composite[..limit]));
    }
    checksum
}

#[inline(never)]
fn count_primes(composite: &mut [bool]) -> i32 {
    composite.fill(false);
    let mut count = 0;
    for candidate in 2..composite.len() {
        if composite[candidate] {
            continue;
        }
        count += 1;
        let mut multiple = candidate * candidate;
        while multiple < composite.len() {
            composite[multiple] = true;
            multiple += candidate;
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_counts() {
        for (limit, primes) in [
            (2, 0),
            (3, 1),
            (10, 4),
            (100, 25),
            (1000, 168),
            (LIMIT, 6542),
        ] {
            assert_eq!(
                count_primes(&mut [false; LIMIT][..limit]),
                primes,
                "below {limit}"
            );
        }
        assert_eq!(run(1), 6542);
    }
}
