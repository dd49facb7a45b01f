#!/usr/bin/env bash
# nix 0.31.3: of files that came with a message while this process could not take all of them, none can be had, and those
# that were taken stay open.
#
# Where a process is at its limit of open files, recvmsg(2) installs the files that still fit, and sets MSG_CTRUNC. With that
# flag `RecvMsg::cmsgs` answers ENOBUFS and gives nothing, not even the numbers of the files that are open by then. They are
# lost until the process ends: with them, the other ends of their pipes and their locks. `rustix::net::recvmsg` of 1.1.6 gives them as
# `OwnedFd`, and closes those that are not taken.
#
# Seen with rustc 1.95.0 on Linux 6.18 on 2026-11-30:
#   nix: Err(ENOBUFS), 1 more file open
#   rustix: 1 file, 0 more files open once it is dropped
#
# A helper process of sortie that cannot take all files of a command says so and leaves, which closes them.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/src"
cat >"$dir/Cargo.toml" <<'TOML'
[package]
name = "truncated"
version = "0.0.0"
edition = "2024"

[dependencies]
nix = { version = "=0.31.3", features = ["resource", "socket", "uio"] }
rustix = { version = "=1.1.6", features = ["net"] }
TOML
cat >"$dir/src/main.rs" <<'RUST'
use std::{
    fs::{self, File},
    io::{IoSlice, IoSliceMut},
    mem::MaybeUninit,
    os::{fd::AsRawFd, unix::net::UnixStream},
};

use nix::sys::{
    resource::{Resource, getrlimit, setrlimit},
    socket::{ControlMessage, MsgFlags, recvmsg, sendmsg},
};
use rustix::net::{RecvAncillaryBuffer, RecvFlags};

/// The open files, that of the listing itself aside.
fn open_files() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count() - 1
}

fn send(sender: &UnixStream, files: &[File; 2]) {
    let numbers = files.each_ref().map(AsRawFd::as_raw_fd);
    let rights = [ControlMessage::ScmRights(&numbers)];
    sendmsg::<()>(sender.as_raw_fd(), &[IoSlice::new(b"x")], &rights, MsgFlags::empty(), None).unwrap();
}

/// With a limit that lets one more file be open, which gets the lowest free number.
fn with_room_for_one<T>(call: impl FnOnce() -> T) -> T {
    let lowest = File::open("/dev/null").unwrap().as_raw_fd() as u64;
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, lowest + 1, hard).unwrap();
    let answer = call();
    setrlimit(Resource::RLIMIT_NOFILE, soft, hard).unwrap();
    answer
}

fn main() {
    let files = [(); 2].map(|()| File::open("/dev/null").unwrap());
    let (sender, receiver) = UnixStream::pair().unwrap();

    send(&sender, &files);
    let before = open_files();
    let mut space = nix::cmsg_space!([i32; 2]);
    let answer = with_room_for_one(|| {
        let (mut byte, flags) = ([0], MsgFlags::empty());
        let mut parts = [IoSliceMut::new(&mut byte)];
        let message = recvmsg::<()>(receiver.as_raw_fd(), &mut parts, Some(&mut space), flags).unwrap();
        message.cmsgs().map(|all| all.count())
    });
    println!("nix: {answer:?}, {} more file open", open_files() - before);

    send(&sender, &files);
    let before = open_files();
    let received = with_room_for_one(|| {
        let (mut byte, mut space) = ([0], [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))]);
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut parts = [IoSliceMut::new(&mut byte)];
        rustix::net::recvmsg(&receiver, &mut parts, &mut control, RecvFlags::empty()).unwrap();
        let files = control.drain().filter_map(|message| match message {
            rustix::net::RecvAncillaryMessage::ScmRights(files) => Some(files.count()),
            _ => None,
        });
        files.sum::<usize>()
    });
    println!("rustix: {received} file, {} more files open once it is dropped", open_files() - before);
}
RUST
seen=$(cargo run --quiet --manifest-path "$dir/Cargo.toml" --target-dir "$dir/target")
echo "$seen"
[[ $seen == 'nix: Err(ENOBUFS), 1 more file open
rustix: 1 file, 0 more files open once it is dropped' ]]
