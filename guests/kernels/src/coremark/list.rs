//! A singly linked list in an array of nodes: searches, reversals and a merge
//! sort that only change links.

use super::{Work, crc16::Crc16};
use crate::random::Random;

const LENGTH: usize = 64;

/// The link of the last node.
const END: u16 = u16::MAX;

#[derive(Clone, Copy)]
struct Node {
    next: u16,
    item: u16,
    /// What the list was last sorted by.
    key: u16,
}

pub struct List {
    nodes: [Node; LENGTH],
    head: u16,
}

impl List {
    pub fn new() -> Self {
        let mut random = Random::new(3);
        let mut nodes = [Node {
            next: END,
            item: 0,
            key: 0,
        }; LENGTH];
        for (index, node) in nodes.iter_mut().enumerate() {
            node.item = random.next_u16() & 0x7F;
            node.next = if index + 1 < LENGTH {
                index as u16 + 1
            } else {
                END
            };
        }
        Self { nodes, head: 0 }
    }

    /// Searches, sorts by computed values, and sorts back, and sums it up.
    pub fn exercise(&mut self, seed: u16, work: &mut Work) -> u16 {
        let mut crc = Crc16::default();
        for step in 0..16u16 {
            let wanted = seed.wrapping_add(step) & 0x7F;
            crc.add_u16(self.find(wanted));
            self.reverse();
        }
        self.sort_by(|node| work.value(node.item ^ seed & 0x78));
        self.add_to(&mut crc);
        let removed = self.remove_second();
        self.sort_by(|node| node.item);
        self.add_to(&mut crc);
        self.insert_second(removed);
        crc.value()
    }

    /// How many nodes stand before the first one with `item`, or the length.
    fn find(&self, item: u16) -> u16 {
        let mut at = self.head;
        let mut before = 0;
        while at != END && self.node(at).item != item {
            at = self.node(at).next;
            before += 1;
        }
        before
    }

    fn reverse(&mut self) {
        let mut reversed = END;
        let mut at = self.head;
        while at != END {
            let next = self.node(at).next;
            self.node_mut(at).next = reversed;
            reversed = at;
            at = next;
        }
        self.head = reversed;
    }

    /// Takes the second node out, and returns its place.
    fn remove_second(&mut self) -> u16 {
        let removed = self.node(self.head).next;
        self.node_mut(self.head).next = self.node(removed).next;
        removed
    }

    /// Puts a node that [`List::remove_second`] took out behind the head.
    fn insert_second(&mut self, index: u16) {
        self.node_mut(index).next = self.node(self.head).next;
        self.node_mut(self.head).next = index;
    }

    /// A stable bottom-up merge sort: passes over runs of doubling length until
    /// a pass needed one merge only.
    fn sort_by(&mut self, mut key: impl FnMut(&Node) -> u16) {
        let mut at = self.head;
        while at != END {
            let value = key(self.node(at));
            self.node_mut(at).key = value;
            at = self.node(at).next;
        }
        let mut run = 1;
        while self.merge_runs(run) > 1 {
            run *= 2;
        }
    }

    /// Merges neighbouring runs of `length` nodes, and returns how many merges
    /// that took.
    fn merge_runs(&mut self, length: usize) -> usize {
        let mut left = self.head;
        let mut tail = END;
        let mut merges = 0;
        self.head = END;
        while left != END {
            merges += 1;
            let mut right = left;
            let mut left_length = 0;
            while left_length < length && right != END {
                left_length += 1;
                right = self.node(right).next;
            }
            let mut right_length = length;
            while left_length > 0 || (right_length > 0 && right != END) {
                let take_left = left_length > 0
                    && (right_length == 0
                        || right == END
                        || self.node(left).key <= self.node(right).key);
                let taken = if take_left { left } else { right };
                let next = self.node(taken).next;
                if take_left {
                    left = next;
                    left_length -= 1;
                } else {
                    right = next;
                    right_length -= 1;
                }
                if tail == END {
                    self.head = taken;
                } else {
                    self.node_mut(tail).next = taken;
                }
                tail = taken;
            }
            left = right;
        }
        self.node_mut(tail).next = END;
        merges
    }

    fn add_to(&self, crc: &mut Crc16) {
        let mut at = self.head;
        while at != END {
            crc.add_u16(self.node(at).key);
            at = self.node(at).next;
        }
    }

    fn node(&self, index: u16) -> &Node {
        &self.nodes[usize::from(index)]
    }

    fn node_mut(&mut self, index: u16) -> &mut Node {
        &mut self.nodes[usize::from(index)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(list: &List) -> ([u16; LENGTH], usize) {
        let mut items = [0; LENGTH];
        let (mut count, mut at) = (0, list.head);
        while at != END {
            items[count] = list.node(at).item;
            count += 1;
            at = list.node(at).next;
        }
        (items, count)
    }

    #[test]
    fn sorting_orders_and_keeps_all() {
        let mut list = List::new();
        let (mut expected, _) = items(&list);
        expected.sort_unstable();
        list.sort_by(|node| node.item);
        assert_eq!(items(&list), (expected, LENGTH));
    }

    #[test]
    fn reversing_twice_changes_nothing() {
        let mut list = List::new();
        let before = items(&list);
        list.reverse();
        assert_ne!(items(&list), before);
        list.reverse();
        assert_eq!(items(&list), before);
    }

    #[test]
    fn a_removed_node_can_be_put_back() {
        let mut list = List::new();
        let before = items(&list);
        let removed = list.remove_second();
        assert_eq!(items(&list).1, LENGTH - 1);
        list.insert_second(removed);
        assert_eq!(items(&list), before);
    }
}
