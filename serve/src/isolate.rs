//! Programs that accept connections themselves, with a fresh state for each: the
//! program is started once until it wants its first connection, and every
//! connection has an instance that goes on from there.

use crate::error::ServeError;
use crate::exchange::{Exchange, Stop};
use crate::guest::{self, Mounted};
use crate::http::Site;
use crate::metrics::MountMetrics;
use crate::pool::Turn;
use crate::program::{Ended, Program};
use crate::record::ACCESS;
use crate::server::{connections, next_connection};
use crate::settings;
use crate::start::Once;
use crate::timer::{Timer, Watch, later};
use prometheus_client::metrics::gauge::Gauge;
use rwasm_wasi::{BuildError, SuspendAt, WasiCtxBuilder};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// A program whose connections are apart from each other.
#[derive(Debug)]
pub(crate) struct Isolated(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    mounted: Mounted,
    /// For instances to look at; connections are accepted for them.
    listener: TcpListener,
}

/// One connection, and what is to be given back after it.
struct Job {
    program: Arc<Shared>,
    stream: TcpStream,
    remote: SocketAddr,
    begin: Instant,
    exchange: Arc<Exchange>,
    watch: Watch,
    open: Open,
}

/// A connection that counts as open until this is dropped.
struct Open {
    connections: Gauge,
    _place: OwnedSemaphorePermit,
}

impl Isolated {
    /// Loads the program, and starts it.
    pub(crate) fn load(
        settings: settings::Program,
        mount: &str,
        listener: TcpListener,
        metrics: Arc<MountMetrics>,
        timer: &Arc<Timer>,
    ) -> Result<Isolated, ServeError> {
        let mut shared = Shared {
            mounted: Mounted::load(settings, mount, metrics)?,
            listener,
        };
        let builder = shared.builder().map_err(|source| ServeError::Grant {
            path: shared.mounted.settings.module.clone(),
            source,
        })?;
        let once = Once::Start(SuspendAt::Connection);
        let started = shared.mounted.program.start_once(builder, once, timer);
        started.map_err(|source| ServeError::Start {
            path: shared.mounted.settings.module.clone(),
            source: Box::new(source),
        })?;
        Ok(Isolated(Arc::new(shared)))
    }

    pub(crate) fn program(&self) -> &Program {
        &self.0.mounted.program
    }

    /// Accepts connections until `stop` is ready, and then lets those end that there
    /// are, but waits no longer than `grace`.
    pub(crate) async fn answer(
        &self,
        listener: tokio::net::TcpListener,
        site: &Arc<Site>,
        grace: Duration,
        stop: impl Future<Output = ()>,
    ) {
        let places = connections();
        let room = Arc::new(Semaphore::new(places));
        tokio::select! {
            biased;
            () = stop => {}
            () = self.accept(&listener, site, &room) => {}
        }
        site.begin_to_stop();
        drop(listener);
        let all = u32::try_from(places).unwrap_or(u32::MAX);
        if timeout(grace, room.acquire_many(all)).await.is_err() {
            tracing::warn!("connections that did not end in time are closed");
        }
    }

    /// Accepts connections for ever. One too many is closed at once.
    async fn accept(
        &self,
        listener: &tokio::net::TcpListener,
        site: &Arc<Site>,
        room: &Arc<Semaphore>,
    ) {
        loop {
            let Ok(place) = Arc::clone(room).acquire_owned().await else {
                return;
            };
            let (stream, remote) = next_connection(listener).await;
            let stream = match stream.into_std() {
                Ok(stream) => stream,
                Err(error) => {
                    tracing::warn!(%error, "cannot hand a connection to a guest");
                    continue;
                }
            };
            let exchange = Exchange::new(u64::MAX);
            let begin = Instant::now();
            let deadline = later(begin, self.0.mounted.settings.limits.timeout);
            let job = Job {
                program: Arc::clone(&self.0),
                stream,
                remote,
                begin,
                watch: site.means.timer.watch(Arc::clone(&exchange), deadline),
                exchange,
                open: Open::new(&site.metrics.connections, place),
            };
            if site
                .means
                .pool
                .submit(Box::new(|turn| job.run(turn)))
                .is_err()
            {
                self.0
                    .failed(remote, "overload", "too many connections wait already");
            }
        }
    }
}

impl Job {
    fn run(self, turn: &Arc<Turn>) {
        let Job {
            program,
            stream,
            remote,
            begin,
            exchange,
            watch,
            open,
        } = self;
        if !exchange.begin(turn) {
            return program.stopped(remote, &exchange);
        }
        let built = program.builder().and_then(|mut builder| {
            builder.connection(stream);
            guest::rests(&mut builder, turn);
            builder.build()
        });
        let guest = match built {
            Ok(guest) => guest,
            Err(error) => return program.failed(remote, "setup", &error.to_string()),
        };
        program.mounted.program.run(
            guest,
            |handle| exchange.guest_starts(handle),
            |ended| {
                exchange.finish(ended.clone());
                drop(watch);
                program.ended(begin, remote, &exchange, &ended);
            },
        );
        drop(open);
    }
}

impl Open {
    fn new(connections: &Gauge, place: OwnedSemaphorePermit) -> Open {
        connections.inc();
        Open {
            connections: connections.clone(),
            _place: place,
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.connections.dec();
    }
}

impl Shared {
    /// What an instance is given, but for the connection.
    fn builder(&self) -> Result<WasiCtxBuilder, BuildError> {
        let mut builder = self.mounted.builder()?;
        let listener = self.listener.try_clone().map_err(BuildError::Listener)?;
        builder.listener(listener);
        Ok(builder)
    }

    fn ended(&self, begin: Instant, remote: SocketAddr, exchange: &Exchange, ended: &Ended) {
        match ended {
            Ended::Exit(0) => {
                let ms = begin.elapsed().as_secs_f64() * 1e3;
                tracing::info!(target: ACCESS, %remote, mount = &*self.mounted.mount, ms);
            }
            Ended::Exit(code) => self.failed(remote, "exit", &format!("exit code {code}")),
            Ended::OutOfFuel => self.failed(remote, "fuel", "it used up its fuel"),
            Ended::Interrupted => self.stopped(remote, exchange),
            Ended::Failed(message) => self.failed(remote, "trap", message),
        }
    }

    fn stopped(&self, remote: SocketAddr, exchange: &Exchange) {
        match exchange.stopped() {
            Some(Stop::Shutdown) => self.failed(remote, "shutdown", "the server stops"),
            _ => self.failed(remote, "timeout", "its time was over"),
        }
    }

    /// Writes down why a connection was closed that its guest did not close.
    fn failed(&self, remote: SocketAddr, kind: &'static str, problem: &str) {
        self.mounted.metrics.count_problem(kind);
        tracing::warn!(%remote, mount = &*self.mounted.mount, kind, problem, "a connection was closed");
    }
}
