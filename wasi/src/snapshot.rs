//! Guests that are started once, and go on from there any number of times.
//!
//! A guest that is started with [`WasiCtxBuilder::suspend_at`] is suspended
//! ([`Error::Suspended`](rwasm::Error::Suspended)) by the first call that has to do
//! with a single request. What it has of the system by then is a [`WasiSnapshot`];
//! a state that is built with [`WasiCtxBuilder::go_on_from`] is as that was, with
//! what this request brings.

use crate::abi::{FdFlags, Subscribed, Subscription};
use crate::builder::WasiCtxBuilder;
use crate::ctx::WasiCtx;
use crate::descriptor::{Descriptor, HostFile, Object};
use crate::errno::Errno;
use crate::interruption::Stop;
use crate::rights::Rights;
use crate::table::Table;
use std::os::fd::OwnedFd;
use thiserror::Error;

/// Where a guest is suspended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SuspendAt {
    /// At the first call that reads its environment or standard input, writes to its
    /// standard output, or waits for one of these.
    Request,
    /// The same, but for the environment: what the guest reads there before is what
    /// it has at its start.
    Input,
    /// At the first call that accepts a connection, or waits for one.
    Connection,
}

/// A descriptor is open that was not given at the start: what it stands for is one
/// file for all that would go on from here.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the guest has opened the descriptor {fd}, and not closed it")]
#[non_exhaustive]
pub struct OpenDescriptor {
    /// The number of the descriptor.
    pub fd: u32,
}

/// What a guest had of the system at one moment, besides what it was given: which
/// of its descriptors are still open, under what number and with what flags and
/// rights, and when its monotonic clock began.
#[derive(Clone, Debug)]
pub struct WasiSnapshot {
    open: Box<[Option<Placed>]>,
    began: u64,
}

/// An open descriptor that was given at the start.
#[derive(Clone, Copy, Debug)]
struct Placed {
    /// Its number then.
    origin: u32,
    rights: Rights,
    inheriting: Rights,
    flags: FdFlags,
}

/// What is special about the calls of a guest that is started once.
#[derive(Default)]
pub(crate) enum Turn {
    /// Nothing.
    #[default]
    Ordinary,
    /// It is being started.
    Starting(SuspendAt),
    /// It has one connection: here as long as it was not accepted.
    Connection(Option<OwnedFd>),
}

/// What a guest that waits for its listeners is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listening {
    /// What the host tells.
    Host,
    /// There is a connection.
    Ready,
    /// There will be none.
    Never,
}

impl WasiCtx {
    /// What the guest has now, for others to go on from. It has one thread.
    pub fn snapshot(&mut self) -> Result<WasiSnapshot, OpenDescriptor> {
        self.with_state(|state| {
            Ok(WasiSnapshot {
                open: state.table.placed()?,
                began: state.clocks.began(),
            })
        })
    }
}

impl WasiCtxBuilder {
    /// Has the guest suspended at the first such call.
    pub fn suspend_at(&mut self, at: SuspendAt) -> &mut Self {
        self.turn(Turn::Starting(at))
    }

    /// Has all listeners of the guest yield this one connection. When the guest
    /// waits for another, it is suspended: at once by `sock_accept` of a listener
    /// that waits, otherwise when it has closed the connection.
    pub fn connection(&mut self, connection: impl Into<OwnedFd>) -> &mut Self {
        self.turn(Turn::Connection(Some(connection.into())))
    }
}

impl WasiSnapshot {
    pub(crate) fn began(&self) -> u64 {
        self.began
    }

    /// Arranges the descriptors that a guest is given as those of the snapshot were.
    pub(crate) fn arrange(&self, given: &mut Table, limit: u32) -> Result<Table, Errno> {
        let mut table = Table::new(limit);
        for placed in &self.open {
            let descriptor = placed.map(|placed| {
                let mut descriptor = given.remove(placed.origin)?;
                descriptor.rights = placed.rights;
                descriptor.inheriting = placed.inheriting;
                descriptor.object.set_flags(placed.flags)?;
                Ok::<_, Errno>(descriptor)
            });
            table.append(descriptor.transpose()?)?;
        }
        Ok(table)
    }
}

impl Table {
    fn placed(&self) -> Result<Box<[Option<Placed>]>, OpenDescriptor> {
        let placed = |(descriptor, fd): (Option<&Descriptor>, u32)| {
            let Some(descriptor) = descriptor else {
                return Ok(None);
            };
            Ok(Some(Placed {
                origin: descriptor.origin.ok_or(OpenDescriptor { fd })?,
                rights: descriptor.rights,
                inheriting: descriptor.inheriting,
                flags: descriptor.object.flags(),
            }))
        };
        self.numbers().zip(0..).map(placed).collect()
    }

    /// Whether the one connection of a guest is open.
    fn has_connection(&self) -> bool {
        self.numbers().flatten().any(
            |descriptor| matches!(&descriptor.object, Object::File(file) if file.only_connection),
        )
    }
}

impl Turn {
    /// Suspends the guest if a call that looks at its environment is to do so.
    #[inline]
    pub(crate) fn environment(&self) -> Result<(), Stop> {
        match self {
            Turn::Starting(SuspendAt::Request) => Err(Stop::Suspended),
            _ => Ok(()),
        }
    }

    /// The same for a call that moves bytes by a descriptor.
    #[inline(always)]
    pub(crate) fn transfer(&self, descriptor: &Descriptor) -> Result<(), Stop> {
        match self {
            Turn::Starting(SuspendAt::Request | SuspendAt::Input) if is_of_request(descriptor) => {
                Err(Stop::Suspended)
            }
            _ => Ok(()),
        }
    }

    /// The same for a call that waits, and what it is told of listeners.
    pub(crate) fn waits(
        &self,
        table: &Table,
        subscriptions: &[Subscription],
    ) -> Result<Listening, Stop> {
        let any = |is: fn(&Descriptor) -> bool| {
            let mut files = subscriptions.iter().filter_map(|wait| match wait.to {
                Subscribed::Read(fd) | Subscribed::Write(fd) => Some(fd),
                Subscribed::Clock { .. } => None,
            });
            files.any(|fd| table.get(fd).is_ok_and(is))
        };
        match self {
            Turn::Starting(SuspendAt::Request | SuspendAt::Input) if any(is_of_request) => {
                Err(Stop::Suspended)
            }
            Turn::Starting(SuspendAt::Connection) if any(is_listener) => Err(Stop::Suspended),
            Turn::Ordinary | Turn::Starting(_) => Ok(Listening::Host),
            Turn::Connection(Some(_)) => Ok(Listening::Ready),
            Turn::Connection(None) if any(is_listener) && !table.has_connection() => {
                Err(Stop::Suspended)
            }
            Turn::Connection(None) => Ok(Listening::Never),
        }
    }

    /// The connection that a call of `sock_accept` gets; `None` if it is to ask the
    /// host.
    pub(crate) fn accept(
        &mut self,
        table: &Table,
        listener: &HostFile,
    ) -> Result<Option<OwnedFd>, Stop> {
        match self {
            Turn::Starting(SuspendAt::Connection) => Err(Stop::Suspended),
            Turn::Ordinary | Turn::Starting(_) => Ok(None),
            Turn::Connection(waiting) => match waiting.take() {
                Some(connection) => Ok(Some(connection)),
                None if listener.flags.contains(FdFlags::NONBLOCK) && table.has_connection() => {
                    Err(Errno::Again.into())
                }
                None => Err(Stop::Suspended),
            },
        }
    }
}

/// Whether it is the standard input or output, whatever number it has by now.
fn is_of_request(descriptor: &Descriptor) -> bool {
    matches!(descriptor.origin, Some(0 | 1))
}

fn is_listener(descriptor: &Descriptor) -> bool {
    matches!(&descriptor.object, Object::File(file) if file.listener)
}
