//! The file descriptors of a guest, by number.

use crate::descriptor::{Descriptor, Directory, HostFile, Object};
use crate::errno::Errno;
use crate::rights::Rights;

/// The open file descriptors. New ones get the lowest free number, as POSIX
/// says; programs that close 0 to reopen it as something else rely on that.
#[derive(Default)]
pub(crate) struct Table {
    slots: Vec<Option<Descriptor>>,
    /// No slot below is free.
    lowest: usize,
    open: u32,
    limit: u32,
}

impl Table {
    pub(crate) fn new(limit: u32) -> Table {
        Table {
            slots: Vec::new(),
            lowest: 0,
            open: 0,
            limit,
        }
    }

    /// An error if `insert` would fail. Asked before a file is opened, so that
    /// none is created in vain.
    pub(crate) fn require_room(&self) -> Result<(), Errno> {
        if self.open < self.limit {
            Ok(())
        } else {
            Err(Errno::Mfile)
        }
    }

    pub(crate) fn insert(&mut self, descriptor: Descriptor) -> Result<u32, Errno> {
        self.require_room()?;
        let free = self
            .slots
            .iter()
            .skip(self.lowest)
            .position(Option::is_none);
        let index = match free {
            Some(offset) => self.lowest + offset,
            None => {
                self.slots.push(None);
                self.slots.len() - 1
            }
        };
        // Slots are fewer than the limit, which has 32 bits.
        let fd = u32::try_from(index).map_err(|_| Errno::Mfile)?;
        self.slots[index] = Some(descriptor);
        self.lowest = index + 1;
        self.open += 1;
        Ok(fd)
    }

    #[inline]
    pub(crate) fn get(&self, fd: u32) -> Result<&Descriptor, Errno> {
        match self.slots.get(fd as usize) {
            Some(Some(descriptor)) => Ok(descriptor),
            _ => Err(Errno::Badf),
        }
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, fd: u32) -> Result<&mut Descriptor, Errno> {
        match self.slots.get_mut(fd as usize) {
            Some(Some(descriptor)) => Ok(descriptor),
            _ => Err(Errno::Badf),
        }
    }

    /// A directory that may be used for `needed`.
    pub(crate) fn directory(&self, fd: u32, needed: Rights) -> Result<&Directory, Errno> {
        let descriptor = self.get(fd)?;
        let Object::Directory(directory) = &descriptor.object else {
            return Err(Errno::Notdir);
        };
        descriptor.rights.require(needed)?;
        Ok(directory)
    }

    pub(crate) fn remove(&mut self, fd: u32) -> Result<Descriptor, Errno> {
        let slot = self.slots.get_mut(fd as usize).ok_or(Errno::Badf)?;
        let descriptor = slot.take().ok_or(Errno::Badf)?;
        self.lowest = self.lowest.min(fd as usize);
        self.open -= 1;
        Ok(descriptor)
    }

    /// Gives the descriptor `from` the number `to`, which must be open and is
    /// closed.
    pub(crate) fn renumber(&mut self, from: u32, to: u32) -> Result<(), Errno> {
        self.get(from)?;
        self.get(to)?;
        if from != to {
            let descriptor = self.remove(from)?;
            self.slots[to as usize] = Some(descriptor);
        }
        Ok(())
    }

    /// What each number stands for, from 0 on.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = Option<&Descriptor>> {
        self.slots.iter().map(Option::as_ref)
    }

    /// Gives the next number to a descriptor, or to none.
    pub(crate) fn append(&mut self, descriptor: Option<Descriptor>) -> Result<(), Errno> {
        if descriptor.is_some() {
            self.require_room()?;
            self.open += 1;
        }
        self.slots.push(descriptor);
        Ok(())
    }

    /// The listeners that were given at the start.
    pub(crate) fn listeners(&mut self) -> impl Iterator<Item = &mut HostFile> {
        let open = self.slots.iter_mut().flatten();
        open.filter_map(|descriptor| match &mut descriptor.object {
            Object::File(file) if file.listener => Some(file),
            _ => None,
        })
    }

    /// How many directories are in the middle of being listed.
    pub(crate) fn listings(&self) -> usize {
        let listed = |slot: &&Option<Descriptor>| match slot {
            Some(descriptor) => match &descriptor.object {
                Object::Directory(directory) => directory.listing.is_some(),
                _ => false,
            },
            None => false,
        };
        self.slots.iter().filter(listed).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stdio::{Input, Output};

    fn table(open: u32, limit: u32) -> Table {
        let mut table = Table::new(limit);
        for expected in 0..open {
            assert_eq!(insert(&mut table), Ok(expected));
        }
        table
    }

    fn insert(table: &mut Table) -> Result<u32, Errno> {
        table.insert(Input::null().into_descriptor().unwrap())
    }

    #[test]
    fn the_lowest_number_is_reused() {
        let mut table = table(5, 10);
        table.remove(3).unwrap();
        table.remove(1).unwrap();
        assert_eq!(insert(&mut table), Ok(1));
        assert_eq!(insert(&mut table), Ok(3));
        assert_eq!(insert(&mut table), Ok(5));
    }

    #[test]
    fn the_limit_counts_what_is_open() {
        let mut table = table(3, 3);
        assert_eq!(insert(&mut table), Err(Errno::Mfile));
        table.remove(0).unwrap();
        assert_eq!(insert(&mut table), Ok(0));
        assert_eq!(insert(&mut table), Err(Errno::Mfile));
    }

    #[test]
    fn closed_and_wild_numbers_are_bad() {
        let mut table = table(2, 8);
        table.remove(0).unwrap();
        for fd in [0, 2, 3, u32::MAX] {
            assert!(matches!(table.get(fd), Err(Errno::Badf)), "{fd}");
            assert!(matches!(table.remove(fd), Err(Errno::Badf)), "{fd}");
            assert_eq!(table.renumber(fd, 1), Err(Errno::Badf));
            assert_eq!(table.renumber(1, fd), Err(Errno::Badf));
        }
        assert!(table.get(1).is_ok());
    }

    /// GHSA-fm79 and GHSA-3p27 of wasmtime: a panic and a leak.
    #[test]
    fn renumbering_replaces_and_frees() {
        let mut table = table(3, 3);
        let rights = Output::null().into_stdout().unwrap().rights;
        table.slots[2].as_mut().unwrap().rights = rights;
        assert_eq!(table.renumber(2, 2), Ok(()));
        assert_eq!(table.renumber(2, 0), Ok(()));
        assert_eq!(table.get(0).unwrap().rights, rights);
        assert!(table.get(2).is_err());
        for _ in 0..100 {
            assert_eq!(insert(&mut table), Ok(2));
            assert_eq!(table.renumber(2, 0), Ok(()));
        }
    }
}
