//! The README's program, compiled as it stands there.
#![cfg_attr(doctest, doc = include_str!("../README.md"))]
