//! What launcher and reaper say to each other over their socket pair.
//!
//! A message of the launcher is a *frame*: one byte that says what it is, the length of the body
//! (little-endian `u32`), the body. The files of a request travel with its first byte. A reply is
//! a length and a [`Reply`].
//!
//! What the launcher says to the spawn server is an *order*: [`ORDER`] bytes.

use std::ffi::{CStr, OsStr, OsString};
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use nix::cmsg_space;
use nix::errno::Errno;
use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, recv, recvmsg, sendmsg};
use serde::{Deserialize, Serialize, Serializer};

use crate::{Command, Environment, Exit, FromTemplate, Template};

pub(crate) const HEADER: usize = 5;
/// The largest request: far above what Linux accepts for arguments and environment together.
const LARGEST: usize = 64 << 20;
/// Room for most commands with their environment.
const ENOUGH: usize = 4096;

/// What an order asks for: make a reaper (its socket comes along) known under a number, let the one with that
/// number go on that was stopped (SIGSTOP), or kill it.
pub(crate) const MAKE: u8 = b'm';
pub(crate) const WAKE: u8 = b'w';
pub(crate) const KILL: u8 = b'k';
/// An order's length in bytes: what to do, then the number, little-endian.
pub(crate) const ORDER: usize = 9;

/// What a frame asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    /// Run the [`Request`] in the body.
    Run = b'r',
    /// Stop what runs: SIGTERM, then SIGKILL after the grace period.
    Stop = b's',
    /// Stop what runs with SIGKILL.
    Kill = b'k',
}

/// One command, as it travels.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Request<'a> {
    /// Program, working directory, arguments and environment (`NAME=value`), in this order, each
    /// ended by a NUL, as `execve(2)` wants them. They follow the rest.
    #[serde(skip)]
    pub(crate) strings: &'a [u8],
    pub(crate) args: usize,
    /// The CPUs that it is bound to; none for those of this process.
    pub(crate) cpus: Vec<u32>,
    pub(crate) time: Option<Duration>,
    pub(crate) grace: Duration,
    pub(crate) orphan_grace: bool,
    pub(crate) log_bytes: u64,
    pub(crate) announces_ready: bool,
    /// Whether a file for its standard input comes after those for its output.
    pub(crate) has_input: bool,
    #[serde(borrow)]
    pub(crate) template: Option<TemplateRequest<'a>>,
}

/// How to have a command from a template.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TemplateRequest<'a> {
    /// What it is told, each argument ended by a NUL.
    #[serde(serialize_with = "at_once")]
    pub(crate) told: &'a [u8],
    /// How to start it: a [`TemplateSpec`]. Requests with equal bytes here are for the same one.
    #[serde(serialize_with = "at_once")]
    pub(crate) spec: &'a [u8],
}

/// A template, as it travels.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TemplateSpec<'a> {
    /// As those of [`Request`].
    #[serde(serialize_with = "at_once")]
    pub(crate) strings: &'a [u8],
    pub(crate) args: usize,
    pub(crate) cpus: Vec<u32>,
    pub(crate) patience: Duration,
    pub(crate) idle: Duration,
    pub(crate) commands: u32,
    pub(crate) growth: u64,
}

/// The answer to a request.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Reply {
    Ended(Exit),
    NotStarted {
        doing: String,
        errno: i32,
    },
    /// The helper fails and leaves; its end of the socket is closed once nothing of the command is left.
    Failed {
        why: String,
    },
    /// The first process has ended, and others are left: more follows.
    Left,
}

impl<'a> Request<'a> {
    /// From the body of its frame.
    pub(crate) fn decode(body: &'a [u8]) -> io::Result<Self> {
        let (request, strings) = postcard::take_from_bytes(body).map_err(io::Error::other)?;
        Ok(Self { strings, ..request })
    }
}

/// Bytes, and not one after the other as Serde has them otherwise.
fn at_once<S: Serializer>(bytes: &&[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(bytes)
}

/// A string that holds a NUL, which no argument or variable can.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct HasNul(pub(crate) String);

/// The frame that asks for `command` to be run, and to be had from a template where one is given.
pub(crate) fn encode_run(
    command: &Command,
    from: Option<&FromTemplate>,
    has_input: bool,
) -> Result<Vec<u8>, HasNul> {
    let told = from.map(|from| all(&from.args)).transpose()?.unwrap_or_default();
    let spec = from.map(|from| encode_template(&from.template)).transpose()?;
    let template = spec.as_ref().map(|spec| TemplateRequest { told: &told, spec });
    let request = Request {
        strings: &[],
        args: command.args.len(),
        cpus: command.cpus.clone(),
        time: command.limits.time,
        grace: command.limits.grace,
        orphan_grace: command.limits.orphan_grace,
        log_bytes: command.limits.log_bytes,
        announces_ready: command.announces_ready,
        has_input,
        template,
    };
    let mut frame = Vec::with_capacity(ENOUGH);
    frame.extend(bare_frame(Kind::Run));
    frame = postcard::to_extend(&request, frame).unwrap_or_default();
    push_strings(&mut frame, &command.program, &command.cwd, &command.args, &command.env)?;
    let length = u32::try_from(frame.len().saturating_sub(HEADER)).unwrap_or(u32::MAX);
    frame[1..HEADER].copy_from_slice(&length.to_le_bytes());
    Ok(frame)
}

/// A frame that says all by its kind.
pub(crate) fn bare_frame(kind: Kind) -> [u8; HEADER] {
    [kind as u8, 0, 0, 0, 0]
}

fn encode_template(template: &Template) -> Result<Vec<u8>, HasNul> {
    let mut strings = Vec::with_capacity(ENOUGH);
    push_strings(&mut strings, &template.program, &template.cwd, &template.args, &template.env)?;
    let spec = TemplateSpec {
        strings: &strings,
        args: template.args.len(),
        cpus: template.cpus.clone(),
        patience: template.patience,
        idle: template.idle,
        commands: template.commands,
        growth: template.growth,
    };
    Ok(postcard::to_stdvec(&spec).unwrap_or_default())
}

/// Adds program, working directory, arguments and environment, each ended by a NUL.
fn push_strings(
    strings: &mut Vec<u8>,
    program: &OsStr,
    cwd: &Path,
    args: &[OsString],
    env: &Environment,
) -> Result<(), HasNul> {
    push(strings, &[program.as_bytes()])?;
    push(strings, &[cwd.as_os_str().as_bytes()])?;
    for arg in args {
        push(strings, &[arg.as_bytes()])?;
    }
    strings.extend_from_slice(env.strings()?);
    Ok(())
}

fn all(args: &[OsString]) -> Result<Vec<u8>, HasNul> {
    let mut strings = Vec::new();
    for arg in args {
        push(&mut strings, &[arg.as_bytes()])?;
    }
    Ok(strings)
}

/// Adds a string of these parts, ended by a NUL.
pub(crate) fn push(strings: &mut Vec<u8>, parts: &[&[u8]]) -> Result<(), HasNul> {
    let from = strings.len();
    for part in parts {
        strings.extend_from_slice(part);
    }
    if strings[from..].contains(&0) {
        return Err(HasNul(String::from_utf8_lossy(&strings[from..]).into_owned()));
    }
    strings.push(0);
    Ok(())
}

/// What to execute: the program's name is the first of the arguments, too.
pub(crate) struct Execution<'a> {
    pub(crate) program: &'a CStr,
    pub(crate) cwd: &'a CStr,
    pub(crate) args: Vec<&'a CStr>,
    pub(crate) env: Vec<&'a CStr>,
}

impl<'a> Execution<'a> {
    /// From the strings of a request with so many arguments.
    pub(crate) fn from_strings(strings: &'a [u8], args: usize) -> Option<Self> {
        let mut strings =
            strings.split_inclusive(|byte| *byte == 0).map(|s| CStr::from_bytes_with_nul(s).ok());
        let program = strings.next()??;
        let cwd = strings.next()??;
        let mut all_args = vec![program];
        for _ in 0..args {
            all_args.push(strings.next()??);
        }
        Some(Self { program, cwd, args: all_args, env: strings.collect::<Option<_>>()? })
    }
}

/// Sends what fits of `bytes` without waiting, `files` with its first byte; how much of it went.
pub(crate) fn send(socket: RawFd, bytes: &[u8], files: &[RawFd]) -> io::Result<usize> {
    let rights = [ControlMessage::ScmRights(files)];
    let control = if files.is_empty() { &[][..] } else { &rights };
    let flags = MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT;
    Ok(sendmsg::<()>(socket, &[IoSlice::new(bytes)], control, flags, None)?)
}

/// Whether an error of sending says that it may go later: the socket is full, or the user has as
/// many files under way as are allowed, unix(7).
pub(crate) fn is_full(error: &io::Error) -> bool {
    let errno = error.raw_os_error().map(Errno::from_raw);
    matches!(errno, Some(Errno::EAGAIN | Errno::ETOOMANYREFS | Errno::EINTR))
}

/// Whether an error of sending says that nobody is at the other end any more.
pub(crate) fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset)
}

/// Whether the other end has sent something that was not received yet.
pub(crate) fn has_answer(socket: &impl AsRawFd) -> bool {
    let flags = MsgFlags::MSG_PEEK | MsgFlags::MSG_DONTWAIT;
    recv(socket.as_raw_fd(), &mut [0], flags).is_ok_and(|bytes| bytes > 0)
}

/// Receives into `buffer`, with whatever files came along, or none if not all of them could be taken; no bytes at the end
/// of the stream.
pub(crate) fn receive(socket: &UnixStream, buffer: &mut [u8]) -> io::Result<(usize, Vec<OwnedFd>)> {
    let mut space = cmsg_space!([RawFd; 4]);
    let mut parts = [IoSliceMut::new(buffer)];
    let flags = MsgFlags::MSG_CMSG_CLOEXEC;
    let message = recvmsg::<()>(socket.as_raw_fd(), &mut parts, Some(&mut space), flags)?;
    let mut files = Vec::new();
    if message.flags.contains(MsgFlags::MSG_CTRUNC) {
        // The kernel left files out, as this process has too many open. The caller reports what is missing.
        return Ok((message.bytes, files));
    }
    for control in message.cmsgs()? {
        if let ControlMessageOwned::ScmRights(received) = control {
            files.extend(received.into_iter().map(crate::sys::own));
        }
    }
    Ok((message.bytes, files))
}

/// A message of the launcher.
pub(crate) struct Frame {
    pub(crate) kind: Kind,
    pub(crate) body: Vec<u8>,
    pub(crate) files: Vec<OwnedFd>,
}

/// The launcher's next frame; `None` at the end of the stream.
pub(crate) fn read_frame(socket: &UnixStream) -> io::Result<Option<Frame>> {
    let mut header = [0; HEADER];
    let (got, files) = receive(socket, &mut header)?;
    if got == 0 {
        return Ok(None);
    }
    let mut stream = socket;
    stream.read_exact(&mut header[got..])?;
    let kind = match header[0] {
        b'r' => Kind::Run,
        b's' => Kind::Stop,
        b'k' => Kind::Kill,
        _ => return Err(io::ErrorKind::InvalidData.into()),
    };
    let [_, length @ ..] = header;
    let length = u32::from_le_bytes(length) as usize;
    if length > LARGEST {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok(Some(Frame { kind, body, files }))
}

/// Sends the answer to a request.
pub(crate) fn write_reply(mut socket: &UnixStream, reply: &Reply) -> io::Result<()> {
    socket.write_all(&frame(reply)?)
}

/// Tells that the first process has ended and others are left, if the launcher can be told now.
pub(crate) fn tell_left(socket: &UnixStream) {
    if let Ok(frame) = frame(&Reply::Left) {
        let _ = send(socket.as_raw_fd(), &frame, &[]);
    }
}

fn frame(reply: &Reply) -> io::Result<Vec<u8>> {
    let mut frame = postcard::to_extend(reply, vec![0; 4]).map_err(io::Error::other)?;
    let length = u32::try_from(frame.len() - 4).map_err(io::Error::other)?;
    frame[..4].copy_from_slice(&length.to_le_bytes());
    Ok(frame)
}

/// Takes the reply at the start of `buffer`, once it is all there.
pub(crate) fn take_reply(buffer: &mut Vec<u8>) -> io::Result<Option<Reply>> {
    let Some((length, body)) = buffer.split_first_chunk::<4>() else { return Ok(None) };
    let length = u32::from_le_bytes(*length) as usize;
    let Some(body) = body.get(..length) else { return Ok(None) };
    let reply = postcard::from_bytes(body).map_err(io::Error::other)?;
    buffer.drain(..4 + length);
    Ok(Some(reply))
}
