//! Where random bytes come from.

use crate::errno::Errno;
use crate::interruption::{Interruption, Stop};
use rustix::rand::{GetRandomFlags, getrandom};

/// Bytes between two looks at whether the guest is to stop: about 0.2 ms.
const CHUNK: usize = 64 << 10;

/// Fills a slice.
pub(crate) type Source = Box<dyn FnMut(&mut [u8]) + Send>;

/// The source of `random_get`.
#[derive(Default)]
pub(crate) enum Random {
    /// The kernel's generator.
    #[default]
    Host,
    /// An embedder's, for tests and for reproducible runs.
    Custom(Source),
}

impl Random {
    pub(crate) fn fill(
        &mut self,
        bytes: &mut [u8],
        interruption: &Interruption<'_>,
    ) -> Result<(), Stop> {
        for (index, chunk) in bytes.chunks_mut(CHUNK).enumerate() {
            if index > 0 {
                interruption.check()?;
            }
            match self {
                Random::Host => fill_by_host(chunk)?,
                Random::Custom(source) => source(chunk),
            }
        }
        Ok(())
    }
}

fn fill_by_host(mut bytes: &mut [u8]) -> Result<(), Errno> {
    while !bytes.is_empty() {
        match getrandom(&mut *bytes, GetRandomFlags::empty()) {
            Ok(filled) => bytes = &mut bytes[filled..],
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_a_large_buffer_is_filled() {
        let mut bytes = vec![0; 3 * CHUNK + 5];
        let never = Interruption::never();
        Random::Host.fill(&mut bytes, &never).unwrap();
        let zeroes = bytes.iter().filter(|byte| **byte == 0).count();
        assert!(zeroes < bytes.len() / 100, "{zeroes} zeroes");
        assert_ne!(bytes[bytes.len() - 8..], [0; 8]);
    }

    #[test]
    fn a_custom_source_replaces_the_host() {
        let mut next = 0;
        let mut random = Random::Custom(Box::new(move |bytes: &mut [u8]| {
            bytes.fill_with(|| {
                next += 1;
                next
            });
        }));
        let mut bytes = [0; 3];
        random.fill(&mut bytes, &Interruption::never()).unwrap();
        random.fill(&mut bytes, &Interruption::never()).unwrap();
        assert_eq!(bytes, [4, 5, 6]);
    }
}
