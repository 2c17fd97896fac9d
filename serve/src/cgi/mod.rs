//! Programs that speak the Common Gateway Interface (RFC 3875): one run of the
//! program for one request.

mod head;
mod job;
mod variables;

use crate::body::{Listener, ResponseBody};
use crate::error::ServeError;
use crate::exchange::{Exchange, Output, Stop};
use crate::guest::Mounted;
use crate::metrics::MountMetrics;
use crate::pool::Pool;
use crate::program::{Ended, Program};
use crate::record::{Problem, Record};
use crate::router::Target;
use crate::server::Peer;
use crate::settings::{self, Snapshot};
use crate::timer::{Timer, TimerThread, later};
use crate::tunables::{BODY_PATIENCE, PIPE_BYTES};
use bytes::Bytes;
use head::{Finder, Head, HeadError};
use hyper::body::{Body, Frame, Incoming};
use hyper::http::request::Parts;
use hyper::{Method, Response, StatusCode};
use job::Job;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use tempfile::TempDir;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::yield_now;
use tokio::time::timeout;

/// A program that is mounted.
#[derive(Debug)]
pub(crate) struct Cgi(Arc<Shared>);

/// What its requests share.
#[derive(Debug)]
struct Shared {
    mounted: Mounted,
    /// Where scratch folders are made, if it has any.
    scratch: Option<Arc<TempDir>>,
}

/// What every program needs of the server.
#[derive(Debug)]
pub(crate) struct Means {
    pub(crate) pool: Pool,
    pub(crate) timer: TimerThread,
    /// Kibibytes of bodies that may still be received before their guests begin.
    pub(crate) bodies: Arc<Semaphore>,
}

/// How a request is answered.
pub(crate) enum Answer {
    /// By this response.
    Response(Response<ResponseBody>),
    /// As a `GET` of this path would be (RFC 3875, section 6.2.2).
    Elsewhere(String, Record),
}

/// Why there is an answer that is not the program's.
struct Refusal {
    status: StatusCode,
    problem: Problem,
}

impl Cgi {
    pub(crate) fn load(
        settings: settings::Program,
        mount: &str,
        metrics: Arc<MountMetrics>,
        scratch: Option<Arc<TempDir>>,
    ) -> Result<Cgi, ServeError> {
        let shared = Shared {
            mounted: Mounted::load(settings, mount, metrics)?,
            scratch,
        };
        shared.try_out()?;
        Ok(Cgi(Arc::new(shared)))
    }

    /// The same, for a program that is started now, once for all requests.
    pub(crate) fn load_started(
        settings: settings::Program,
        mount: &str,
        metrics: Arc<MountMetrics>,
        scratch: Option<Arc<TempDir>>,
        at: Snapshot,
        timer: &Arc<Timer>,
    ) -> Result<Cgi, ServeError> {
        let Cgi(mut shared) = Cgi::load(settings, mount, metrics, scratch)?;
        let new = Arc::get_mut(&mut shared).expect("nobody else has it yet");
        new.start(at, timer).map_err(|source| ServeError::Start {
            path: new.mounted.settings.module.clone(),
            source: Box::new(source),
        })?;
        Ok(Cgi(shared))
    }

    pub(crate) fn program(&self) -> &Program {
        &self.0.mounted.program
    }

    pub(crate) fn metrics(&self) -> &Arc<MountMetrics> {
        &self.0.mounted.metrics
    }

    /// Answers a request that has this head, and this body if it has any.
    pub(crate) async fn answer(
        &self,
        means: &Means,
        head: &Parts,
        body: Option<Incoming>,
        target: &Target<'_>,
        peer: &Peer,
        record: Record,
    ) -> Answer {
        let limits = self.0.mounted.settings.limits;
        let has_body = body.is_some();
        let length = body.as_ref().and_then(|body| body.size_hint().exact());
        if length.is_some_and(|length| length > limits.body) {
            return refuse(Refusal::of_stop(Stop::BodyTooLarge, true), record);
        }
        let exchange = Exchange::new(limits.output);
        let (body, room) = match self.receive(means, head, body, length, &exchange).await {
            Ok(received) => received,
            Err(refusal) => return refuse(refusal, record),
        };
        // From here on, the guest is stopped when nobody waits for it.
        let mut listener = Listener::new(Arc::clone(&exchange));
        let deadline = later(record.begin(), limits.timeout);
        let job = Job {
            program: Arc::clone(&self.0),
            variables: variables::variables(head, target, peer, length),
            has_body,
            _room: room,
            watch: means.timer.watch(Arc::clone(&exchange), deadline),
            exchange: Arc::clone(&exchange),
        };
        if means.pool.submit(Box::new(|turn| job.run(turn))).is_err() {
            return refuse(Refusal::overload(), record);
        }
        if let Some(body) = body {
            tokio::spawn(feed(Arc::clone(&exchange), body, limits.body));
        }
        let (head_of_answer, rest) = match first_words(&exchange).await {
            Ok(found) => found,
            Err(refusal) => return refuse(refusal, record),
        };
        if let Some(path) = head_of_answer.elsewhere {
            listener.leave();
            return Answer::Elsewhere(path, record);
        }
        let status = head_of_answer.status;
        let mut response = Response::new(());
        *response.status_mut() = status;
        *response.headers_mut() = head_of_answer.headers;
        let length = head_of_answer.length;
        let bodiless = matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        if bodiless || head.method == Method::HEAD {
            // The program may go on; nobody listens.
            listener.leave();
            if let Some(length) = length.filter(|_| !bodiless) {
                response
                    .headers_mut()
                    .insert(hyper::header::CONTENT_LENGTH, length.into());
            }
            return respond(response, status, record, |record| {
                ResponseBody::whole(Bytes::new(), record)
            });
        }
        match rest {
            Some(bytes) if length.is_none_or(|length| length == bytes.len() as u64) => {
                respond(response, status, record, |record| {
                    ResponseBody::whole(bytes, record)
                })
            }
            Some(_) => refuse(Refusal::bad_gateway("length", WRONG_LENGTH), record),
            None => {
                listener.expect(length);
                respond(response, status, record, |record| {
                    ResponseBody::of_guest(listener, record)
                })
            }
        }
    }
}

impl Cgi {
    /// Receives a body before its guest begins, if it is small and comes at once: the
    /// guest would only be woken for each part of it. What is left of it is returned,
    /// and the room that the rest takes in memory.
    async fn receive(
        &self,
        means: &Means,
        head: &Parts,
        body: Option<Incoming>,
        length: Option<u64>,
        exchange: &Exchange,
    ) -> Result<(Option<Incoming>, Option<OwnedSemaphorePermit>), Refusal> {
        let Some(mut body) = body else {
            return Ok((None, None));
        };
        let small = length.filter(|&length| length <= PIPE_BYTES as u64);
        // Who waits for `100 Continue` is told when the guest asks.
        let waits = head.headers.contains_key(hyper::header::EXPECT);
        let room = small.filter(|_| !waits).and_then(|length| {
            let kibibytes = length.div_ceil(1 << 10) as u32;
            let bodies = Arc::clone(&means.bodies);
            bodies.try_acquire_many_owned(kibibytes).ok()
        });
        if room.is_none() {
            return Ok((Some(body), None));
        }
        let receive = async {
            while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
                let frame = frame.map_err(|_| Refusal::of_stop(Stop::BodyBroken, false))?;
                if let Ok(data) = frame.into_data() {
                    exchange.push(data);
                }
            }
            exchange.end_input();
            Ok(())
        };
        match timeout(BODY_PATIENCE, receive).await {
            Ok(received) => received.map(|()| (None, room)),
            Err(_) => Ok((Some(body), room)),
        }
    }
}

const WRONG_LENGTH: &str = "its `Content-Length` is not the length of its body";

/// Passes a body on to the guest, from when it first asks for it: only then is a
/// client that waits for `100 Continue` told to go on.
async fn feed(exchange: Arc<Exchange>, mut body: Incoming, most: u64) {
    let mut bytes = 0_u64;
    while exchange.wants_input().await {
        let frame = tokio::select! {
            frame = next_frame(&exchange, &mut body) => frame,
            () = exchange.over() => return,
        };
        match frame {
            // What is no data are trailers.
            Some(Ok(frame)) => {
                let Ok(data) = frame.into_data() else {
                    continue;
                };
                bytes += data.len() as u64;
                if bytes > most {
                    return exchange.stop(Stop::BodyTooLarge);
                }
                exchange.push(data);
            }
            Some(Err(_)) => return exchange.stop(Stop::BodyBroken),
            None => return exchange.end_input(),
        }
    }
}

/// The next frame of a body. Before it is waited for, the guest is told of those that
/// came before; but a connection that brings more at once may do so first, or the
/// guest would be woken for each of its reads.
async fn next_frame(
    exchange: &Exchange,
    body: &mut Incoming,
) -> Option<hyper::Result<Frame<Bytes>>> {
    let now = poll_fn(|cx| Poll::Ready(Pin::new(&mut *body).poll_frame(cx)));
    if let Poll::Ready(frame) = now.await {
        return frame;
    }
    yield_now().await;
    let next = poll_fn(|cx| {
        let frame = Pin::new(&mut *body).poll_frame(cx);
        if frame.is_pending() {
            exchange.tell_of_input();
        }
        frame
    });
    next.await
}

/// The head of a guest's response, and the whole body if the guest has ended.
async fn first_words(exchange: &Exchange) -> Result<(Head, Option<Bytes>), Refusal> {
    let mut finder = Finder::default();
    let output = poll_fn(|cx| {
        exchange.poll_output(cx, |output, ended| {
            let head = finder.find(output)?;
            let rest = ended.then(|| output.split().freeze());
            Some((head, rest))
        })
    });
    let (head, rest) = match output.await {
        Output::Found((head, rest)) => (head, rest),
        Output::Ended(ended) => return Err(Refusal::of_end(ended, Some(HeadError::Missing))),
        Output::Stopped(why, begun) => return Err(Refusal::of_stop(why, begun)),
    };
    // Nothing was sent yet: a failure is told as one.
    if rest.is_some()
        && let Some(ended) = exchange.ended()
        && !matches!(ended, Ended::Exit(_))
    {
        return Err(Refusal::of_end(ended, None));
    }
    match head.and_then(|head| Head::parse(&head)) {
        Ok(head) => Ok((head, rest)),
        Err(error) => Err(Refusal::bad_gateway("head", error.to_string())),
    }
}

fn respond(
    response: Response<()>,
    status: StatusCode,
    mut record: Record,
    body: impl FnOnce(Record) -> ResponseBody,
) -> Answer {
    record.answered(status);
    Answer::Response(response.map(|()| body(record)))
}

fn refuse(refusal: Refusal, mut record: Record) -> Answer {
    record.failed(refusal.problem);
    Answer::Response(plain(refusal.status, record))
}

/// An answer of the server's own.
pub(crate) fn plain(status: StatusCode, mut record: Record) -> Response<ResponseBody> {
    record.answered(status);
    let text = format!("{status}\n");
    let mut response = Response::new(ResponseBody::whole(text.into(), record));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let plain = hyper::header::HeaderValue::from_static("text/plain; charset=utf-8");
    headers.insert(hyper::header::CONTENT_TYPE, plain);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(hyper::header::RETRY_AFTER, 1.into());
    }
    response
}

impl Refusal {
    fn new(status: StatusCode, kind: &'static str, message: impl Into<String>) -> Refusal {
        let message = message.into();
        let problem = Problem { kind, message };
        Refusal { status, problem }
    }

    fn bad_gateway(kind: &'static str, message: impl Into<String>) -> Refusal {
        Refusal::new(StatusCode::BAD_GATEWAY, kind, message)
    }

    fn overload() -> Refusal {
        let message = "too many requests wait already";
        Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "overload", message)
    }

    /// The guest has ended, and `error` is what is wrong with what it left, if it
    /// has not failed altogether.
    fn of_end(ended: Ended, error: Option<HeadError>) -> Refusal {
        let timeout = StatusCode::GATEWAY_TIMEOUT;
        match ended {
            Ended::Exit(code) => {
                let error = error.map_or(String::new(), |error| error.to_string());
                Refusal::bad_gateway("head", format!("{error} (exit code {code})"))
            }
            Ended::OutOfFuel => Refusal::new(timeout, "fuel", "it used up its fuel"),
            Ended::Interrupted => Refusal::bad_gateway("trap", "it was interrupted"),
            Ended::Failed(message) => Refusal::bad_gateway("trap", message),
        }
    }

    fn of_stop(why: Stop, begun: bool) -> Refusal {
        let (status, kind, message) = match why {
            Stop::TimeOver if begun => {
                let message = "it did not answer in time";
                (StatusCode::GATEWAY_TIMEOUT, "timeout", message)
            }
            Stop::TimeOver => {
                let message = "its time was over before it was its turn";
                (StatusCode::SERVICE_UNAVAILABLE, "overload", message)
            }
            Stop::TooMuchOutput => {
                let message = "it wrote more than it may";
                (StatusCode::BAD_GATEWAY, "output", message)
            }
            Stop::BodyTooLarge => {
                let message = "the request's body is larger than it may be";
                (StatusCode::PAYLOAD_TOO_LARGE, "body", message)
            }
            Stop::BodyBroken => {
                let message = "the request's body came to no end";
                (StatusCode::BAD_REQUEST, "body", message)
            }
            Stop::ClientGone => (StatusCode::BAD_REQUEST, "client", "the client has gone"),
            Stop::Shutdown => {
                let message = "the server stops";
                (StatusCode::SERVICE_UNAVAILABLE, "shutdown", message)
            }
        };
        Refusal::new(status, kind, message)
    }
}
